"""Making a move of a run as the person at the page wishes it, and deciding on many tasks at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from engine.problems import Refused, problem
from engine.workflow.move import Move, MoveKind
from runtime.facade import documents, flow_inbox
from runtime.facade.door import Door
from runtime.facade.flow_inbox import InboxRow
from runtime.stages.steps import Command, Outcome

# What the life of a document calls these; every other move leaves the document where it is in its life.
ACTIONS: Mapping[MoveKind, str] = MappingProxyType(
    {
        MoveKind.START: "submit",
        MoveKind.AGREE: "approve",
        MoveKind.REJECT: "reject",
        MoveKind.WITHDRAW: "withdraw",
    }
)


def move_of(
    door: Door,
    kind: MoveKind,
    *,
    seat: int = 0,
    token: int = 0,
    users: tuple[int, ...] = (),
    node: str = "",
    place: str = "",
    back: bool = False,
    comment: str = "",
    signature: int | None = None,
    files: tuple[str, ...] = (),
    chosen: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
) -> Move:
    """The person's move, at this moment."""
    return Move(
        kind=kind, by=door.actor.user, at=door.house.now(), seat=seat, token=token, users=users, node=node, place=place,
        back=back, comment=comment, signature=signature, files=files, chosen=MappingProxyType(dict(chosen)),
    )  # fmt: skip


def make(
    door: Door,
    form: str,
    document: int,
    move: Move,
    *,
    key: str = "",
    confirmed: bool = False,
    origin: str = "page",
) -> Outcome:
    """Make the move on the latest run of the document.

    Args:
        key: the same key by the same person is not carried out twice. confirmed: warnings have been read.

    Raises:
        Refused: with every reason why it may not be made.
    """
    return documents.submit(
        door,
        Command(
            form=form,
            action=ACTIONS.get(move.kind, "flow"),
            document=document,
            reason=move.comment,
            move=move,
            idempotency_key=key,
            confirmed=confirmed,
            origin=origin,
        ),
    )


def decide(
    door: Door,
    task: InboxRow,
    *,
    agree: bool,
    comment: str = "",
    signature: int | None = None,
    files: tuple[str, ...] = (),
    chosen: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    confirmed: bool = False,
    key: str = "",
) -> Outcome:
    """Agree to what a task asks for, or reject it.

    Raises:
        Refused: with every reason; ``missing`` when nothing is to be decided there.
    """
    if task.document is None or task.kind != "approval":
        raise Refused([problem("task.missing")], "missing")
    kind = MoveKind.AGREE if agree else MoveKind.REJECT
    if task.run is None:
        action = ACTIONS[kind]
        return documents.submit(
            door,
            Command(
                form=task.form, action=action, document=task.document, reason=comment, confirmed=confirmed,
                idempotency_key=key,
            ),
        )  # fmt: skip
    move = move_of(door, kind, seat=task.seat, comment=comment, signature=signature, files=files, chosen=chosen)
    return make(door, task.form, task.document, move, confirmed=confirmed, key=key)


def agree_to_all(
    door: Door, tasks: Iterable[int], comment: str = ""
) -> tuple[tuple[InboxRow | None, Outcome | Refused], ...]:
    """Agree to many tasks with one remark; each is a submission of its own, and one refusal does not stop the rest."""
    results: list[tuple[InboxRow | None, Outcome | Refused]] = []
    for number in tasks:
        row: InboxRow | None = None
        try:
            row = flow_inbox.one(door, number)
            results.append((row, decide(door, row, agree=True, comment=comment)))
        except Refused as refused:
            results.append((row, refused))
    return tuple(results)
