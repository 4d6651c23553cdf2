"""What the dialogs of a flow send: people, a node, a remark, a signature by hand."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from starlette.datastructures import FormData

from engine.problems import Refused, problem
from engine.workflow.move import Move
from runtime.facade import files
from runtime.facade.door import Door
from runtime.facade.flow_acts import LIFE, Act, move_of
from runtime.web.dependencies import number_in, text_of, texts_of

PICKED = "chosen."
MOST_PEOPLE = 50
PICTURE = "data:image/png;base64,"
LARGEST_SIGNATURE = 300_000


def people_of(sent: FormData, name: str = "users") -> tuple[int, ...]:
    """The people picked under ``name``, each once."""
    found = (number_in(one) for one in texts_of(sent, name))
    return tuple(dict.fromkeys(one for one in found if one is not None))[:MOST_PEOPLE]


def chosen_of(sent: FormData) -> Mapping[str, tuple[int, ...]]:
    """People picked for nodes (自选), by node key."""
    nodes = {name.removeprefix(PICKED) for name in sent if name.startswith(PICKED)}
    picked = {node: people_of(sent, PICKED + node) for node in sorted(nodes)}
    return {node: people for node, people in picked.items() if people}


def files_of(sent: FormData) -> tuple[str, ...]:
    """Ids of the files attached, each once."""
    return tuple(dict.fromkeys(one for one in texts_of(sent, "files") if one))


def signature_of(door: Door, sent: FormData) -> int | None:
    """The signature somebody wrote by hand, kept as a picture; None where nothing was written.

    Raises:
        Refused: what was sent is no picture, or a very large one.
    """
    return kept_signature(door, text_of(sent, "signature"))


def kept_signature(door: Door, text: str) -> int | None:
    """As `signature_of`, for a picture as a canvas gives it."""
    if not text:
        return None
    try:
        if not text.startswith(PICTURE) or len(text) > LARGEST_SIGNATURE:
            raise ValueError
        content = base64.b64decode(text.removeprefix(PICTURE), validate=True)
    except (ValueError, binascii.Error):
        raise Refused([problem("web.unreadable")]) from None
    return files.keep_signature(door, content)


def act_in(door: Door, sent: FormData) -> Act:
    """What a dialog has sent."""
    place = text_of(sent, "where")  # 改派: seat and place in one choice, "12:3"
    seat, _, token = place.partition(":")
    return Act(
        seat=number_in(seat or text_of(sent, "seat")) or 0,
        token=number_in(token or text_of(sent, "token")) or 0,
        users=people_of(sent),
        node=text_of(sent, "node"),
        place=text_of(sent, "place"),
        back=text_of(sent, "back") == "yes",
        comment=text_of(sent, "comment"),
        signature=signature_of(door, sent),
        files=files_of(sent),
        chosen=chosen_of(sent),
    )


def move_beside(
    door: Door, action: str, reason: str, chosen: Mapping[str, Sequence[int]], signature: str
) -> Move | None:
    """What a page of a document sends beside an action of its life: people picked, a signature; None for neither."""
    kind = next((kind for kind, name in LIFE.items() if name == action), None)
    if kind is None or not (chosen or signature):
        return None
    picked = {node: tuple(people) for node, people in chosen.items()}
    return move_of(door, kind, Act(comment=reason, signature=kept_signature(door, signature), chosen=picked))
