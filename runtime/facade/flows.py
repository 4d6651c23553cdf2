"""Looking at runs: the moves a person may make now, what waits for an administrator, what a new version touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.problems import problem
from engine.workflow.advanced import Offer, Viewer
from engine.workflow.offers import offers
from engine.workflow.state import TokenState
from runtime.facade import documents
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.stages.flow_begin import may_administer, opened
from runtime.stages.steps import Standing, Unit
from runtime.storage import accounts, proposals, runs
from runtime.storage import documents as document_rows

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """One move, by the name ``flow_acts.act`` takes; ``reason`` says why it is missing.

    Attributes:
        seat, token: what to name with it. node: label of the node the seat is at.
        nodes: (key, label) of the nodes it may name. straight: keys of those it may come straight back from.
        back: whether the person chooses that. places: of 加签. comment: ``optional``, ``required``, ``signature``.
        chosen: per node, (label, role, at most) of the people to be picked. users: (id, name), when not everybody.
    """

    kind: str
    seat: int
    token: int
    node: str
    allowed: bool
    reason: str
    nodes: tuple[tuple[str, str], ...] = ()
    straight: tuple[str, ...] = ()
    back: bool = False
    places: tuple[str, ...] = ()
    comment: str = "optional"
    chosen: Mapping[str, tuple[str, str, int]]
    users: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A run, who looks at it, and every move with whether that person may make it."""

    standing: Standing
    viewer: Viewer
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckView:
    """Something only an administrator can set going again: a place of a run, or an agreed change (``proposal``)."""

    form: str
    form_label: str
    document: int
    number: str
    run: int
    token: int = 0
    node: str = ""
    reason: str
    since: datetime
    proposal: int = 0


def offered(door: Door, form: str, document: int, run: int = 0) -> tuple[OfferView, ...]:
    """Every move of the document's run, the impossible ones with their reason; nothing where there is no run.

    Raises:
        Refused: ``missing`` when the person may not read the document.
    """
    with door.reading() as unit:
        seen = looked_at(door, unit, form, document, run)
        if seen is None:
            return ()
        names = accounts.user_names(unit.connection, [user for one in seen.offers for user in one.users])
        return tuple(_offer(door, seen.standing, one, names) for one in seen.offers)


def looked_at(door: Door, unit: Unit, form: str, document: int, run: int = 0) -> Seen | None:
    """The document's run as the person sees it; None where there is none.

    Args:
        run: which one; the latest when 0.

    Raises:
        Refused: ``missing`` when the person may not read the document.
    """
    compiled = door.form(form)
    documents.readable(door, unit, compiled, document)
    stored = runs.run_by_id(unit.connection, run) if run else runs.run_of(unit.connection, form, document)
    if stored is None or (stored.form, stored.document) != (form, document):
        return None
    standing = opened(unit, stored)
    viewer = Viewer(user=door.actor.user, roles=door.actor.roles, admin=may_administer(unit, compiled), at=unit.now)
    return Seen(standing=standing, viewer=viewer, offers=offers(standing.flow, standing.run, viewer))


def stuck(door: Door, after: int = 0, limit: int = MOST) -> tuple[StuckView, ...]:
    """What waits for an administrator, oldest first, of the forms whose runs the person administers."""
    with door.reading() as unit:
        mine = {key for key, form in unit.bundle.forms.items() if may_administer(unit, form)}
        waiting = [one for one in runs.open_runs(unit.connection, after, limit, stuck=True) if one.form in mine]
        changes = [one for one in proposals.in_conflict(unit.connection) if one.form in mine] if not after else []
        about = [(one.form, one.document) for one in waiting] + [(row.form, row.document) for row in changes]
        numbers = _numbers(unit, about)
        found = [view for one in waiting for view in _stuck_places(door, opened(unit, one), numbers)]
        found += [
            StuckView(
                form=row.form,
                form_label=unit.form(row.form).label.text(door.language),
                document=row.document,
                number=numbers.get((row.form, row.document), ""),
                run=row.run,
                reason=door.say(problem("flow.change_conflict")),
                since=row.created_at,
                proposal=row.id or 0,
            )
            for row in changes
        ]
    return tuple(found)


def titles(door: Door, records: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
    """What people call these records, such as ``报销单 EX20260105-0001``, with one query per form."""
    wanted = tuple(dict.fromkeys(records))
    names = Names(door.language)
    for form, record in wanted:
        names.want_id(form, record)
    with door.reading() as unit:
        names.load(unit)
    return {one: f"{door.bundle.forms[one[0]].label.text(door.language)} {names.name(*one)}" for one in wanted}


def proposed(door: Door, form: str, document: int) -> Mapping[str, object] | None:
    """The change that waits for agreement on the record (有待批的修改), as it was typed; None when there is none.

    Raises:
        Refused: ``missing`` when the person may not read the record.
    """
    compiled = door.form(form)
    access = door.access(compiled)
    with door.reading() as unit:
        documents.readable(door, unit, compiled, document)
        row = proposals.open_of(unit.connection, form, document)
        if row is None:
            return None
        names = accounts.user_names(unit.connection, [row.user])
    return {
        "id": row.id,
        "run": row.run,
        "by": names.get(row.user, ""),
        "at": row.created_at,
        "conflict": row.outcome == proposals.CONFLICT,
        "values": {key: value for key, value in row.patch["values"].items() if access.readable(key)},
        "lines": tuple(table for table in row.patch["lines"] if access.readable(table)),
    }


def _offer(door: Door, standing: Standing, one: Offer, names: Mapping[int, str]) -> OfferView:
    def label(node: str) -> str:
        return _label(standing, node, door)

    seat = standing.run.seat(one.seat)
    token = standing.run.token(seat.token if seat is not None else one.token)
    return OfferView(
        kind=str(one.kind),
        seat=one.seat,
        token=one.token,
        node=label(token.node) if token is not None else "",
        allowed=one.refused is None,
        reason=door.say(one.refused) if one.refused is not None else "",
        nodes=tuple((node, label(node)) for node in one.nodes),
        straight=one.straight,
        back=one.back,
        places=one.places,
        comment=one.comment,
        chosen={node: (label(node), role, most) for node, (role, most) in one.chosen.items()},
        users=tuple((user, names.get(user, str(user))) for user in one.users),
    )


def _stuck_places(door: Door, standing: Standing, numbers: Mapping[tuple[str, int], str]) -> list[StuckView]:
    stored = standing.stored
    return [
        StuckView(
            form=stored.form,
            form_label=door.bundle.forms[stored.form].label.text(door.language),
            document=stored.document,
            number=numbers.get((stored.form, stored.document), ""),
            run=stored.id,
            token=token.id,
            node=_label(standing, token.node, door),
            reason=door.say(token.reason or problem("flow.stuck")),
            since=token.arrived,
        )
        for token in standing.run.tokens
        if token.state is TokenState.STUCK
    ]


def _label(standing: Standing, node: str, door: Door) -> str:
    step = standing.flow.nodes.get(node)
    return step.label.text(door.language) if step is not None else node


def _numbers(unit: Unit, wanted: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
    """Numbers of documents by (form, id), with one query per form; records of master data have none."""
    ids: dict[str, list[int]] = {}
    for form, document in wanted:
        if not unit.form(form).is_master:
            ids.setdefault(form, []).append(document)
    return {
        (form, document): str(row.values["number"] or "")
        for form, some in ids.items()
        for document, row in document_rows.load_rows(unit.connection, unit.tables, form, some, ("number",)).items()
    }
