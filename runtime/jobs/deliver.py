"""Performing the effects a decision asked for: tasks, messages, follow-up documents.

Exactly once as far as the database goes: tasks and messages are written in the transaction that marks the row done, and
a follow-up document is submitted under the idempotency key of the row. Tasks opened and closed under one ``once_key``
keep the order in which they were decided, whatever order workers take them in. What finally fails is written beside the
row, so it is seen both there and among the parked jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import sqlalchemy as sa

from engine.effects import CloseTask, CreateTask, Effect, Notify, StartDocument, effect_from_json
from engine.problems import Refused, problem
from runtime.faults import NO_FAULTS, Faults
from runtime.jobs.attempt import is_final, reason
from runtime.jobs.contract import Clock, Handler, JobContext, Payload, Workspace
from runtime.storage import messages, outbox, workflow_runs
from runtime.storage.database import in_transaction, read
from runtime.storage.outbox import OutboxRow
from runtime.storage.workflow_runs import Task

IN_ORDER = (CreateTask.kind, CloseTask.kind)
RECOVERED = "recovered"

StartFollowUp: TypeAlias = Callable[[str, StartDocument, int], None]


def delivery_handler(start_document: StartFollowUp, clock: Clock, faults: Faults = NO_FAULTS) -> Handler:
    """The handler of the kind ``deliver``; its payload names a workspace and an outbox row.

    Args:
        start_document: ``(workspace key, effect, outbox id)``; submits under the idempotency key ``outbox:<id>``.
        clock: dates tasks and messages. faults: what tests make go wrong.
    """

    def deliver(context: JobContext, payload: Payload) -> None:
        workspace = context.open_workspace(str(payload["workspace"]))
        outbox_id = int(payload["outbox"])
        try:
            faults.reach("delivering")
            _perform(workspace, outbox_id, start_document, clock, faults)
        except Exception as error:
            _note_failure(workspace, outbox_id, reason(error), clock() if is_final(context, error) else None)
            raise

    return deliver


def _perform(workspace: Workspace, outbox_id: int, start_document: StartFollowUp, clock: Clock, faults: Faults) -> None:
    with read(workspace.database) as connection:
        row = outbox.get(connection, outbox_id)
    if row is None or _is_done(row):
        return
    effect = _effect(row)
    if isinstance(effect, StartDocument):
        start_document(workspace.key, effect, outbox_id)
        in_transaction(workspace.database, lambda connection: outbox.mark_done(connection, outbox_id, clock()))
        return

    def work(connection: sa.Connection) -> None:
        _write(connection, outbox_id, clock)
        faults.reach("delivered")

    in_transaction(workspace.database, work)


def _note_failure(workspace: Workspace, outbox_id: int, text: str, given_up_at: datetime | None) -> None:
    in_transaction(workspace.database, lambda connection: outbox.failed(connection, outbox_id, text, given_up_at))


def _write(connection: sa.Connection, outbox_id: int, clock: Clock) -> None:
    """Tasks and messages of one row, and that it is done; nothing when somebody was faster."""
    row = outbox.get(connection, outbox_id, lock=True)
    if row is None or _is_done(row):
        return
    effect = _effect(row)
    once_key = effect.once_key if isinstance(effect, CreateTask | CloseTask) else ""
    if once_key:
        for earlier in outbox.open_before(connection, outbox_id, IN_ORDER):
            if earlier.id is not None and earlier.payload.get("once_key") == once_key:
                _write(connection, earlier.id, clock)
    match effect:
        case CreateTask():
            _create_tasks(connection, effect, clock)
        case CloseTask():
            workflow_runs.close_tasks(connection, at=clock(), by=None, outcome=RECOVERED, once_key=once_key)
        case Notify():
            _notify(connection, effect, row, clock)
        case StartDocument():
            return
    outbox.mark_done(connection, outbox_id, clock())


def _create_tasks(connection: sa.Connection, effect: CreateTask, clock: Clock) -> None:
    if effect.once_key and workflow_runs.open_tasks_once(connection, effect.once_key):
        return
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
            )
            for user, role in addressees
        ],
    )


def _notify(connection: sa.Connection, effect: Notify, row: OutboxRow, clock: Clock) -> None:
    users = messages.recipients(connection, effect.to.users, effect.to.roles, row.snapshot)
    messages.add(
        connection,
        [
            messages.Message(
                user=user, title=effect.title, form=effect.form, document=effect.document, created_at=clock()
            )
            for user in users
        ],
    )


def _is_done(row: OutboxRow) -> bool:
    """A row that was given up carries its error; being asked again means somebody retries it."""
    return row.done_at is not None and row.error is None


def _effect(row: OutboxRow) -> Effect:
    try:
        return effect_from_json({**row.payload, "kind": row.kind})
    except (KeyError, TypeError) as error:
        raise Refused([problem("job.unknown_effect", outbox=row.id or 0, kind=row.kind)]) from error
