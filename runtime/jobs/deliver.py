"""Performing the effects a decision asked for: tasks, messages, follow-up documents, and what others add by kind.

Exactly once as far as the database goes: tasks and messages are written in the transaction that marks the row done, and
a follow-up document is submitted under the idempotency key of the row. What else there is to do is given by kind of
effect: a `Writer` writes in that transaction, a `Performer` acts before it and is idempotent under the row's id.
Tasks opened and closed under one ``once_key`` keep the order in which they were decided, whatever order workers take
them in. What finally fails is written beside the row, so it is seen both there and among the parked jobs.

A job may hold a bundle of rows (see `runtime.jobs.relay`): they are written in one transaction, where one that fails
takes no other with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from engine.effects import CloseTask, CreateTask, Effect, Notify, StartDocument, effect_from_json
from engine.problems import Refused, problem
from runtime.faults import NO_FAULTS, Faults
from runtime.jobs.attempt import is_final, kept_reason
from runtime.jobs.contract import Clock, Handler, JobContext, Payload, Workspace
from runtime.jobs.relay import rows_of
from runtime.storage import messages, outbox, workflow_runs
from runtime.storage.database import in_transaction, is_conflict, read
from runtime.storage.outbox import OutboxRow
from runtime.storage.workflow_runs import Task

IN_ORDER = (CreateTask.kind, CloseTask.kind)
WRITTEN_HERE = (*IN_ORDER, Notify.kind)
RECOVERED = "recovered"

StartFollowUp: TypeAlias = Callable[[str, StartDocument, int], None]
Writer: TypeAlias = Callable[[sa.Connection, Workspace, OutboxRow], None]
Performer: TypeAlias = Callable[[Workspace, OutboxRow], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performing:
    """Who performs which kind of effect, beside what is performed here.

    Attributes:
        writers: write in the transaction that marks the row done; one for ``notify`` adds to the message centre.
        performers: act before that transaction, at least once, each time under the same row.
    """

    writers: Mapping[str, Writer] = field(default_factory=lambda: MappingProxyType({}))
    performers: Mapping[str, Performer] = field(default_factory=lambda: MappingProxyType({}))

    def knows(self, kind: str) -> bool:
        """Whether somebody performs this kind."""
        return kind in (*WRITTEN_HERE, StartDocument.kind) or kind in self.writers or kind in self.performers


NOBODY_ELSE = Performing()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivering:
    """What one handler works with."""

    start_document: StartFollowUp
    clock: Clock
    faults: Faults
    performing: Performing


def delivery_handler(
    start_document: StartFollowUp, clock: Clock, faults: Faults = NO_FAULTS, performing: Performing = NOBODY_ELSE
) -> Handler:
    """The handler of the kind ``deliver``; its payload names a workspace and an outbox row.

    Args:
        start_document: ``(workspace key, effect, outbox id)``; submits under the idempotency key ``outbox:<id>``.
        clock: dates tasks and messages. faults: what tests make go wrong. performing: effects of further kinds.
    """
    given = _Delivering(start_document=start_document, clock=clock, faults=faults, performing=performing)

    def deliver(context: JobContext, payload: Payload) -> None:
        workspace = context.open_workspace(str(payload["workspace"]))
        if "bundle" in payload:
            failed = _write_all(workspace, rows_of(payload), context.attempt > 1, given)
        else:
            failed = _performed(workspace, rows_of(payload)[0], given)
        for outbox_id, error in failed.items():
            _note_failure(workspace, outbox_id, kept_reason(error), clock() if is_final(context, error) else None)
        for error in sorted(failed.values(), key=lambda error: is_final(context, error)):
            raise error  # one that is worth another attempt, if there is any

    return deliver


def _performed(workspace: Workspace, outbox_id: int, given: _Delivering) -> Mapping[int, Exception]:
    """Perform one row; the error under its id, if there was one."""
    try:
        given.faults.reach("delivering")
        _perform(workspace, outbox_id, given)
    except Exception as error:
        return {outbox_id: error}
    return {}


def _write_all(workspace: Workspace, ids: Sequence[int], again: bool, given: _Delivering) -> Mapping[int, Exception]:
    """Write what a bundle asks for; returns what failed. ``again``: rows the job has given up before are left alone."""
    failed: dict[int, Exception] = {}

    def work(connection: sa.Connection) -> None:
        failed.clear()
        for row in outbox.get_locked(connection, ids):
            if again and row.done_at is not None:
                continue
            try:
                _known(row, given)
                with connection.begin_nested():
                    _write(connection, workspace, row, given)
            except Exception as error:
                if isinstance(error, DBAPIError) and is_conflict(error):
                    raise
                failed[row.id or 0] = error
        given.faults.reach("delivered")

    given.faults.reach("delivering")
    in_transaction(workspace.database, work)
    return failed


def _perform(workspace: Workspace, outbox_id: int, given: _Delivering) -> None:
    with read(workspace.database) as connection:
        row = outbox.get(connection, outbox_id)
    if row is None or _is_done(row):
        return
    _known(row, given)
    if row.kind == StartDocument.kind:
        effect = effect_of(row)
        assert isinstance(effect, StartDocument)
        given.start_document(workspace.key, effect, outbox_id)
    performer = given.performing.performers.get(row.kind)
    if performer is not None:
        performer(workspace, row)

    def work(connection: sa.Connection) -> None:
        _write(connection, workspace, outbox.get(connection, outbox_id, lock=True), given)
        given.faults.reach("delivered")

    in_transaction(workspace.database, work)


def _known(row: OutboxRow, given: _Delivering) -> None:
    if not given.performing.knows(row.kind):
        raise Refused([problem("job.unknown_effect", outbox=row.id or 0, kind=row.kind)])


def _note_failure(workspace: Workspace, outbox_id: int, text: str, given_up_at: datetime | None) -> None:
    in_transaction(workspace.database, lambda connection: outbox.failed(connection, outbox_id, text, given_up_at))


def _write(connection: sa.Connection, workspace: Workspace, row: OutboxRow | None, given: _Delivering) -> None:
    """What one row, which is locked, asks to be written, and that it is done; nothing when somebody was faster."""
    if row is None or row.id is None or _is_done(row):
        return
    if row.kind in WRITTEN_HERE:
        _write_here(connection, workspace, row, row.id, given)
    writer = given.performing.writers.get(row.kind)
    if writer is not None:
        writer(connection, workspace, row)
    outbox.mark_done(connection, row.id, given.clock())


def _write_here(
    connection: sa.Connection, workspace: Workspace, row: OutboxRow, outbox_id: int, given: _Delivering
) -> None:
    effect = effect_of(row)
    once_key = effect.once_key if isinstance(effect, CreateTask | CloseTask) else ""
    if once_key:
        for earlier in outbox.open_before(connection, outbox_id, IN_ORDER):
            if earlier.id is not None and earlier.payload.get("once_key") == once_key:
                _write(connection, workspace, outbox.get(connection, earlier.id, lock=True), given)
    match effect:
        case CreateTask():
            _create_tasks(connection, effect, given.clock)
        case CloseTask():
            workflow_runs.close_tasks(connection, at=given.clock(), by=None, outcome=RECOVERED, once_key=once_key)
        case Notify():
            _notify(connection, effect, row, given.clock)


def _create_tasks(connection: sa.Connection, effect: CreateTask, clock: Clock) -> None:
    open_ones = workflow_runs.open_tasks_once(connection, effect.once_key) if effect.once_key else ()
    have_it = {(one.user, one.role) for one in open_ones}
    addressees: list[tuple[int | None, str | None]] = [(user, None) for user in dict.fromkeys(effect.to.users)]
    addressees += [(None, role) for role in dict.fromkeys(effect.to.roles)]
    workflow_runs.create_tasks(
        connection,
        [
            Task(
                kind="todo",
                title=effect.title,
                created_at=clock(),
                user=user,
                role=role,
                form=effect.form,
                document=effect.document,
                once_key=effect.once_key,
                due_at=effect.due_at,
                rule=effect.rule,
            )
            for user, role in addressees
            if (user, role) not in have_it
        ],
    )


def _notify(connection: sa.Connection, effect: Notify, row: OutboxRow, clock: Clock) -> None:
    users = messages.recipients(connection, effect.to.users, effect.to.roles, row.snapshot)
    messages.add(
        connection,
        [
            messages.Message(
                user=user,
                title=effect.title,
                form=effect.form,
                document=effect.document,
                created_at=clock(),
                kind=effect.about,
                body=effect.body or messages.NO_BODY,
            )
            for user in users
        ],
    )


def _is_done(row: OutboxRow) -> bool:
    """A row that was given up carries its error; being asked again means somebody retries it."""
    return row.done_at is not None and row.error is None


def effect_of(row: OutboxRow) -> Effect:
    """The effect a row holds. Raises ``Refused`` (``job.unknown_effect``) when it is of a newer version."""
    try:
        return effect_from_json({**row.payload, "kind": row.kind})
    except (KeyError, TypeError) as error:
        raise Refused([problem("job.unknown_effect", outbox=row.id or 0, kind=row.kind)]) from error
