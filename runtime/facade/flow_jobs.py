"""What runs of workflows wait for and the product itself does: deadlines, documents of sub-flows, events, names.

Every one of these is a submission by the automation, like anybody's; all of them may come twice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import structlog

from engine.actor import automation
from engine.effects import ResolvePeople, SignalFlow, StartFlow, Write, WriteDocuments
from engine.forms.draft import LinePatch, Patch
from engine.problems import Refused
from engine.workflow.move import Move, MoveKind
from runtime.facade.door import Door, enter
from runtime.hookspecs import Occasion, Undelivered
from runtime.house import ZONE, House
from runtime.jobs.attempt import reason
from runtime.jobs.contract import Handler, JobContext, Payload
from runtime.jobs.deliver import Performer, effect_of
from runtime.jobs.timers import TIMER, hand_over_alone
from runtime.ruling.outside import escalate
from runtime.stages.flow_begin import FLOW
from runtime.stages.flow_effects import unanswered
from runtime.stages.steps import Command, Unit
from runtime.storage import idempotency, runs, timers
from runtime.storage.database import Connection, in_transaction, read
from runtime.storage.directory import load_directory
from runtime.storage.outbox import OutboxRow
from runtime.storage.timers import TimerRow
from runtime.submit import Context, Outcome, in_submission, submit_within, unit_of

_log = structlog.get_logger("stockloom.flows")
LONGEST_PAUSE_S = 0.05
# What is kept under the key of an effect; it is only asked whether there is something.
ASKED_AT_MOST = 3  # a resolver; an administrator may try again after that
NO_OUTCOME: Mapping[str, object] = MappingProxyType({})


def timer_handlers(house: House) -> Mapping[str, Handler]:
    """The handler of the kind ``timer``: timers of runs have come, or to-dos of rules have waited long enough."""

    def fire(context: JobContext, payload: Payload) -> None:
        door = enter(house, str(payload["workspace"]), automation())
        if "timers" in payload:
            _fire_each(door, [int(number) for number in payload["timers"]])
            return
        for row in _open(door, [int(payload["timer"])]):
            door.house.hand_over(door.workspace, _fire(door, row))

    return MappingProxyType({TIMER: fire})


def _fire_each(door: Door, numbers: Sequence[int]) -> None:
    """Fire many, each in its own transaction; one that fails is handed over alone, so that it is repeated or parked by
    itself. What follows is handed over together; after a crash the sweep does so.

    On SQLite there is one writer, so between two of them the file is left to others for as long as the last one took.
    """
    context = replace(_context(door), people={})
    outbox: list[int] = []
    try:
        for row in _open(door, numbers):
            began = time.monotonic()
            try:
                outbox += _fire(door, row, replace(context, now=door.house.now()))
            except Exception as error:
                _log.warning("timer handed over alone", timer=row.id, reason=reason(error))
                hand_over_alone(door.house.jobs, door.workspace.key, row.id or 0)
            if door.workspace.database.is_sqlite:
                time.sleep(min(time.monotonic() - began, LONGEST_PAUSE_S))
    finally:
        door.house.hand_over(door.workspace, outbox)


def _context(door: Door) -> Context:
    return door.house.context(door.workspace, door.published, door.actor)


def _open(door: Door, numbers: Sequence[int]) -> Sequence[TimerRow]:
    """Those that nobody has ended."""
    with read(door.workspace.database) as connection:
        return [row for row in timers.by_ids(connection, numbers) if row.done_at is None]


def _fire(door: Door, row: TimerRow, context: Context | None = None) -> tuple[int, ...]:
    """Fire one timer. Returns the outbox rows to hand over."""
    if row.kind == timers.FLOW:
        return fire_timer(door, row, context)
    escalate(door.house, door.workspace.key, row.id or 0)
    return ()


def fire_timer(door: Door, row: TimerRow, given: Context | None = None) -> tuple[int, ...]:
    """Tell the run, in one transaction; a timer that is void by now, or was fired already, changes nothing.

    Args:
        given: the context, where others are fired in the same job.

    Returns:
        The outbox rows to hand over.

    Raises:
        Refused: when the run cannot take it; the timer then stays open and its job is parked.
    """
    context = given or _context(door)
    move = Move(kind=MoveKind.TIMER, by=0, at=context.now, token=row.token, timer=row.number)
    command = Command(form=row.form, action=FLOW, document=row.document, run=row.run, move=move, origin="auto")

    def work(connection: Connection) -> Outcome:
        outcome = submit_within(unit_of(context, connection), command)
        timers.end(connection, row.id or 0, context.now, timers.VOID)  # what the run no longer waited for
        return outcome

    try:
        outcome = in_submission(door.workspace.database, work)
    except Refused as refused:
        if refused.kind != "missing":
            raise
        _void(door, row)
        return ()
    return outcome.outbox


def flow_performers(house: House) -> Mapping[str, Performer]:
    """Who performs the effects workflows ask for, by kind."""

    def door_of(workspace: object) -> Door:
        return enter(house, getattr(workspace, "key", ""), automation())

    def start(workspace: object, row: OutboxRow) -> None:
        effect = effect_of(row)
        assert isinstance(effect, StartFlow)
        _once(door_of(workspace), row, Command(
            form=effect.form, action=FLOW, document=effect.document, flow=effect.workflow, origin="auto",
            chain=effect.chain,
        ))  # fmt: skip

    def signal(workspace: object, row: OutboxRow) -> None:
        effect = effect_of(row)
        assert isinstance(effect, SignalFlow)
        tell(door_of(workspace), effect, row)

    def write(workspace: object, row: OutboxRow) -> None:
        effect = effect_of(row)
        assert isinstance(effect, WriteDocuments)
        write_documents(door_of(workspace), effect, row)

    def resolve(workspace: object, row: OutboxRow) -> None:
        effect = effect_of(row)
        assert isinstance(effect, ResolvePeople)
        _named(door_of(workspace), effect, row)

    return MappingProxyType(
        {
            StartFlow.kind: start,
            SignalFlow.kind: signal,
            WriteDocuments.kind: write,
            ResolvePeople.kind: resolve,
        }
    )


def tell(door: Door, effect: SignalFlow, row: OutboxRow) -> None:
    """Tell a run that an event has happened, a child has ended or a resolver has answered."""
    with door.reading() as unit:
        stored = (
            runs.run_by_id(unit.connection, effect.run)
            if effect.run
            else runs.open_run_of(unit.connection, effect.form, effect.document)
        )
        if stored is None or stored.finished_at is not None:
            return  # nobody waits for it any more
    now = door.house.now()
    if effect.users is not None:
        move = Move(
            kind=MoveKind.NAMED, by=0, at=now, token=effect.token, users=effect.users, result=effect.result
        )  # fmt: skip
    elif effect.child:
        move = Move(
            kind=MoveKind.CHILD, by=0, at=now, token=effect.token, result=effect.result, children=(effect.child,)
        )
    else:
        move = Move(kind=MoveKind.SIGNAL, by=0, at=now, token=effect.token, event=effect.event)
    command = Command(
        form=stored.form, action=FLOW, document=stored.document, run=stored.id, move=move, origin="auto",
        chain=effect.chain,
    )  # fmt: skip
    _once(door, row, command)


def write_documents(door: Door, effect: WriteDocuments, row: OutboxRow) -> None:
    """Make all of the documents, or none; those of a sub-flow are told to the run that waits for them.

    Raises:
        Refused: with what the first of them was refused for; nothing has been written then.
    """
    key = _key(row)
    context = door.house.context(door.workspace, door.published, door.actor)

    def work(connection: Connection) -> tuple[int, ...]:
        unit = unit_of(context, connection)
        if idempotency.find(connection, key, door.actor.user) is not None:
            return ()
        outcomes = [submit_within(unit, _write(one, effect, number, key)) for number, one in enumerate(effect.writes)]
        if effect.run:
            outcomes += _made(unit, effect, [one.document for one in outcomes])
        idempotency.save(connection, key, door.actor.user, key, dict(NO_OUTCOME), unit.now)
        return tuple(each for outcome in outcomes for each in outcome.outbox)

    door.house.hand_over(door.workspace, in_submission(door.workspace.database, work))


def _write(one: Write, effect: WriteDocuments, number: int, key: str) -> Command:
    patch = Patch(
        values=one.values,
        lines={table: tuple(LinePatch(values=values) for values in rows) for table, rows in one.lines.items()},
    )
    return Command(
        form=one.form,
        action=one.action,
        document=one.document,
        patch=patch if one.values or one.lines or one.document is None else None,
        reason=one.reason,
        idempotency_key=f"{key}:{number}",
        origin="auto",
        confirmed=True,
        parent=(effect.run, effect.token),
        chain=effect.chain,
    )


def _made(unit: Unit, effect: WriteDocuments, children: list[int]) -> list[Outcome]:
    """Tell the waiting run which documents were made for it."""
    stored = runs.run_by_id(unit.connection, effect.run)
    if stored is None or stored.finished_at is not None:
        return []
    move = Move(kind=MoveKind.CHILD, by=0, at=unit.now, token=effect.token, children=tuple(children))
    command = Command(
        form=stored.form, action=FLOW, document=stored.document, run=stored.id, move=move, origin="auto"
    )  # fmt: skip
    return [submit_within(unit, command)]


def _named(door: Door, effect: ResolvePeople, row: OutboxRow) -> None:
    """Ask the plugin, and tell the run whom it has named; or that nobody can be named this way, so that it is stuck.

    Whatever the plugin raises or answers instead of logins is no answer; only `Undelivered` can say that asking again
    is of no use.

    Raises:
        Exception: what the plugin raised, for now; it is asked again, ``ASKED_AT_MOST`` times in all.
    """
    house = door.house
    resolver = house.plugins.resolvers.get(effect.use)
    if resolver is None:
        tell(door, unanswered(effect.run, effect.token), row)
        return
    with door.reading() as unit:
        stored = runs.run_by_id(unit.connection, effect.run)
        directory = load_directory(unit.connection, unit.bundle.app.app, unit.now)
    if stored is None:
        return
    occasion = Occasion(
        key=_key(row),
        workspace=door.workspace.key,
        form=stored.form,
        document=stored.document,
        at=house.now().replace(tzinfo=ZONE),
    )
    try:
        logins = tuple(resolver.resolve(effect.params, occasion, house.outside))
        users = tuple(directory.by_login[login] for login in logins if login in directory.by_login)
    except Exception as failure:
        useless = isinstance(failure, Refused) or (isinstance(failure, Undelivered) and not failure.again)
        if not useless and row.attempts + 1 < ASKED_AT_MOST:
            raise
        _log.warning("resolver_failed", resolver=effect.use, run=effect.run, error=reason(failure))
        tell(door, unanswered(effect.run, effect.token), row)
        return
    tell(door, SignalFlow(run=effect.run, token=effect.token, users=users), row)


def _once(door: Door, row: OutboxRow, command: Command) -> None:
    key = _key(row)
    with read(door.workspace.database) as connection:
        if idempotency.find(connection, key, door.actor.user) is not None:
            return

    context = door.house.context(door.workspace, door.published, door.actor)

    def work(connection: Connection) -> Outcome:
        outcome = submit_within(unit_of(context, connection), command)
        idempotency.save(connection, key, door.actor.user, key, dict(NO_OUTCOME), context.now)
        return outcome

    outcome = in_submission(door.workspace.database, work)
    door.house.hand_over(door.workspace, outcome.outbox)


def _key(row: OutboxRow) -> str:
    return f"outbox:{row.id}"


def _void(door: Door, row: TimerRow) -> None:
    """A timer of a run that is not there any more."""
    in_transaction(
        door.workspace.database,
        lambda connection: timers.end(connection, row.id or 0, door.house.now(), timers.VOID),
    )
