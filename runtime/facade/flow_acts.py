"""Acting on runs: every move a person may make, several documents at once, and what administrators do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.forms.draft import Patch
from engine.permissions import is_administrator
from engine.problems import Problem, Refused, problem, suggestion
from engine.workflow.migrate import migrate, touched
from engine.workflow.move import Move, MoveKind
from runtime.facade.documents import Command, Outcome, submit
from runtime.facade.door import Door
from runtime.stages.flow_begin import ADMINISTER, ALSO_BY_ADMINISTRATORS, FLOW, OF_THE_PRODUCT, may_administer, opened
from runtime.storage import accounts, audit, proposals, runs, stand_ins, workflow_runs
from runtime.storage.database import Connection, in_transaction
from runtime.submit import make_change, unit_of

# Moves that are steps of the document's life as well.
LIFE: Mapping[MoveKind, str] = MappingProxyType(
    {
        MoveKind.START: "submit",
        MoveKind.AGREE: "approve",
        MoveKind.REJECT: "reject",
        MoveKind.WITHDRAW: "withdraw",
    }
)
ACTS = tuple(str(kind) for kind in MoveKind if kind not in OF_THE_PRODUCT and kind is not MoveKind.MIGRATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person does; names as in ``engine.workflow.move.Move``. ``patch``: values typed at the node."""

    seat: int = 0
    token: int = 0
    users: tuple[int, ...] = ()
    node: str = ""
    place: str = ""
    back: bool = False
    comment: str = ""
    signature: int | None = None
    files: tuple[str, ...] = ()
    chosen: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    patch: Patch | None = None
    version: int | None = None
    run: int = 0
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One document of a batch; ``seat``: which of the person's, 0 for the only one."""

    form: str
    document: int
    seat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What a new version means for one running run.

    Attributes:
        nodes: where it stands. changes: warnings and errors; with errors it cannot be moved without a map.
        moved: whether it was moved, or could be in a dry run.
    """

    run: int
    form: str
    document: int
    nodes: tuple[str, ...]
    changes: tuple[Problem, ...]
    moved: bool


def move_of(door: Door, kind: MoveKind, given: Act) -> Move:
    """The person's move, at this moment."""
    return Move(
        kind=kind, by=door.actor.user, at=door.house.now(), seat=given.seat, token=given.token, users=given.users,
        node=given.node, place=given.place, back=given.back, comment=given.comment, signature=given.signature,
        files=given.files, chosen=given.chosen,
    )  # fmt: skip


def act(
    door: Door, form: str, document: int, kind: str, given: Act, idempotency_key: str = "", origin: str = "page"
) -> Outcome:
    """One move of the document's run.

    Raises:
        Refused: ``invalid`` for a word that is no move of people, else why it may not be made.
    """
    if kind not in ACTS:
        raise Refused([problem("flow.no_such_act", "act", name=kind, **suggestion(kind, ACTS))])
    meant = MoveKind(kind)
    if meant not in ALSO_BY_ADMINISTRATORS:
        door.form(form)
    command = Command(
        form=form,
        action=LIFE.get(meant, FLOW),
        document=document,
        version=given.version,
        patch=given.patch,
        reason=given.comment,
        move=move_of(door, meant, given),
        run=given.run,
        confirmed=given.confirmed,
        idempotency_key=idempotency_key,
        origin=origin,
    )
    outcome = submit(door, command)
    if meant is MoveKind.REASSIGN and not given.users:
        _note_retry(door, command)
    return outcome


def start(door: Door, form: str, document: int, workflow: str, comment: str = "", origin: str = "page") -> Outcome:
    """Start a workflow that waits to be called on a document."""
    door.form(form)
    command = Command(
        form=form, action=FLOW, document=document, flow=workflow, reason=comment, origin=origin
    )  # fmt: skip
    return submit(door, command)


def batch(
    door: Door, items: Iterable[Item], kind: str, comment: str = "", origin: str = "page"
) -> tuple[tuple[Item, Outcome | Refused], ...]:
    """The same decision on several documents, each a submission of its own; one refusal does not stop the others."""
    results: list[tuple[Item, Outcome | Refused]] = []
    for item in items:
        try:
            done = act(door, item.form, item.document, kind, Act(seat=item.seat, comment=comment), origin=origin)
            results.append((item, done))
        except Refused as refused:
            results.append((item, refused))
    return tuple(results)


def hand_over(door: Door, leaver: int, successor: int, comment: str = "") -> tuple[tuple[Item, Outcome | Refused], ...]:
    """离职交接: everything that waits for one person comes to another, and so does what the first stands in for.

    Raises:
        Refused: ``forbidden`` for whoever administers no runs; ``invalid`` when the successor has left.
    """
    if not administers_any(door):
        raise Refused([problem("flow.not_administrator")], "forbidden")
    with door.reading() as unit:
        person = accounts.user_by_id(unit.connection, successor)
        tasks = workflow_runs.open_seats_of_user(unit.connection, leaver)
    if person is None or not person.active or leaver == successor:
        raise Refused([problem("flow.no_successor", "successor")])
    results: list[tuple[Item, Outcome | Refused]] = []
    for task in tasks:
        item = Item(form=task.form, document=task.document or 0, seat=task.seat)
        given = Act(seat=task.seat, users=(successor,), comment=comment, run=task.run or 0)
        try:
            results.append((item, act(door, item.form, item.document, "reassign", given)))
        except Refused as refused:
            results.append((item, refused))
    in_transaction(
        door.workspace.database,
        lambda connection: stand_ins.hand_over(connection, leaver, successor, by=door.actor.user, at=door.house.now()),
    )
    return tuple(results)


def retry(door: Door, form: str, document: int, run: int, token: int) -> Outcome:
    """A stuck place is tried once more (重试): the move ``reassign`` without people.

    Raises:
        Refused: ``forbidden`` for whoever does not administer the run; ``conflict`` when the place is not stuck any
            more, or still cannot go on, with the reason.
    """
    with door.reading() as unit:
        if form not in door.bundle.forms or not may_administer(unit, door.bundle.forms[form]):
            raise Refused([problem("flow.not_administrator")], "forbidden")
    return act(door, form, document, MoveKind.REASSIGN, Act(token=token, run=run))


def make_proposal(door: Door, proposal: int, make: bool) -> Outcome | None:
    """An administrator decides on an agreed change that could not be made: make it on the record as it now is, or not.

    Raises:
        Refused: ``missing`` when no such change waits; ``forbidden`` for others; why it still cannot be made.
    """
    context = door.house.context(door.workspace, door.published, door.actor)

    def work(connection: Connection) -> Outcome | None:
        unit = unit_of(context, connection)
        row = proposals.by_id(connection, proposal)
        if row is None or row.ended_at is not None or row.outcome != proposals.CONFLICT:
            raise Refused([problem("flow.no_proposal")], "missing")
        if not may_administer(unit, door.bundle.forms[row.form]):
            raise Refused([problem("flow.not_administrator")], "forbidden")
        if not make:
            proposals.end(connection, proposal, unit.now, proposals.REFUSED)
            return None
        return make_change(unit, row, anew=True)

    outcome = in_transaction(door.workspace.database, work)
    if outcome is not None:
        door.house.hand_over(door.workspace, outcome.outbox)
    return outcome


def migrations(door: Door, workflow: str, mapping: Mapping[str, str]) -> tuple[Migration, ...]:
    """What moving every running run of a workflow to the published version would do; changes nothing.

    Raises:
        Refused: ``forbidden`` for whoever may not administer its runs, ``missing`` for an unknown workflow.
    """
    newer = door.bundle.flows.get(workflow)
    if newer is None:
        raise Refused([problem("flow.no_newer", name=workflow)], "missing")
    found: list[Migration] = []
    after = 0
    with door.reading() as unit:
        if not may_administer(unit, unit.form(newer.definition.form)):
            raise Refused([problem("flow.not_administrator")], "forbidden")
        while page := runs.open_runs(unit.connection, after, 200, workflow):
            for stored in page:
                if stored.snapshot == unit.bundle.hash:
                    continue
                standing = opened(unit, stored)
                dry = migrate(standing.run, standing.flow, newer, mapping, unit.now, door.actor.user, unit.bundle.hash)
                found.append(
                    Migration(
                        run=stored.id,
                        form=stored.form,
                        document=stored.document,
                        nodes=tuple(token.node for token in standing.run.tokens),
                        changes=dry.problems or touched(standing.flow, newer, standing.run),
                        moved=not dry.problems,
                    )
                )
            after = page[-1].id
    return tuple(found)


def migrate_runs(door: Door, workflow: str, mapping: Mapping[str, str]) -> tuple[Migration, ...]:
    """Move every running run of a workflow to the published version, each in a submission of its own.

    Returns what was done with each; one that cannot be moved stays as it is.
    """
    done: list[Migration] = []
    for one in migrations(door, workflow, mapping):
        if not one.moved:
            done.append(one)
            continue
        move = Move(kind=MoveKind.MIGRATE, by=door.actor.user, at=door.house.now())
        command = Command(
            form=one.form, action=FLOW, document=one.document, run=one.run, move=move, nodes=mapping, origin="api"
        )
        try:
            submit(door, command)
            done.append(one)
        except Refused as refused:
            done.append(
                Migration(
                    run=one.run, form=one.form, document=one.document, nodes=one.nodes, changes=refused.problems,
                    moved=False,
                )
            )  # fmt: skip
    return tuple(done)


def _note_retry(door: Door, command: Command) -> None:
    """An administrator has set a stuck place going: the audit log says so beside the log of the document."""
    token = command.move.token if command.move is not None else 0
    told = {"form": command.form, "document": command.document, "run": command.run, "token": token}
    in_transaction(
        door.workspace.database,
        lambda connection: audit.note(connection, door.house.now(), door.actor.user, "place_tried_again", told),
    )


def administers_any(door: Door) -> bool:
    """Whether the person administers the runs of any form. Every page asks, so no database is."""
    forms = door.bundle.forms.values()
    return is_administrator(door.actor) or any(door.may(form, ADMINISTER) for form in forms)
