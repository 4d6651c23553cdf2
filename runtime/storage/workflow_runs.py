"""The tasks (待办) workflows and rules leave with people, and the log of decisions.

A task is addressed to a user or to a role; those of a workflow are the open seats of a run. The log is append-only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from engine.labels import Label
from runtime.storage.process_tables import approval_log, run, task
from runtime.storage.row_reading import Reader
from runtime.storage.row_writing import Writer

TASK_COLUMNS = (
    "kind", "user", "role", "form", "document", "run", "node", "title_zh", "title_en", "once_key", "created_at",
    "due_at", "seat", "step", "rule", "behalf",
)  # fmt: skip
LOG_COLUMNS = (
    "run", "form", "document", "node", "label_zh", "label_en", "user", "user_name", "action", "reason", "at",
    "behalf", "arrived_at", "signature", "others", "files",
)  # fmt: skip
TASK_WRITER = Writer(task, TASK_COLUMNS)
TASK_READER = Reader(task)
TASK_READ = tuple(column.name for column in task.columns)
LOG_WRITER = Writer(approval_log, LOG_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to be done by ``user``, or by anybody holding ``role``; open while ``done_at`` is None.

    ``behalf``: whose say it is, the user's own included; empty where it is nobody else's.
    """

    kind: Literal["approval", "todo"]
    title: Label
    created_at: datetime
    user: int | None = None
    role: str | None = None
    form: str = ""
    document: int | None = None
    run: int | None = None
    node: str = ""
    once_key: str = ""
    due_at: datetime | None = None
    id: int | None = None
    done_at: datetime | None = None
    done_by: int | None = None
    outcome: str | None = None
    seat: int = 0
    step: str = ""
    rule: str = ""
    behalf: tuple[int, ...] = ()
    reminded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One decision, or one event of a run (submit, withdraw), as people read it; ``behalf`` as of a task."""

    run: int
    form: str
    document: int
    node: str
    label: Label
    user: int
    user_name: str
    action: str
    reason: str = ""
    at: datetime
    behalf: tuple[int, ...] = ()
    arrived_at: datetime | None = None
    signature: int | None = None
    others: str = ""
    files: tuple[str, ...] = ()


def open_tasks_of_runs(connection: sa.Connection, runs: Iterable[int]) -> tuple[Task, ...]:
    """Open tasks of these runs, oldest first."""
    rows = TASK_READER.rows(connection, TASK_READ, "run", set(runs), '"done_at" IS NULL')
    found = (_task(dict(zip(TASK_READ, row, strict=True))) for row in rows)
    return tuple(sorted(found, key=lambda each: each.id or 0))


def open_seats_of_user(connection: sa.Connection, user: int) -> tuple[Task, ...]:
    """Open approvals that wait for this user by name, oldest first."""
    query = (
        sa.select(task)
        .where(task.c.user == user, task.c.done_at.is_(None), task.c.kind == "approval", task.c.run.is_not(None))
        .order_by(task.c.id)
    )
    return _tasks(connection, query)


def open_of_ended_runs(connection: sa.Connection, limit: int = 1000) -> tuple[Task, ...]:
    """Open tasks of runs that have ended or are not there."""
    live = sa.exists().where(run.c.id == task.c.run, run.c.finished_at.is_(None))
    query = sa.select(task).where(task.c.run.is_not(None), task.c.done_at.is_(None), ~live)
    return _tasks(connection, query.order_by(task.c.id).limit(limit))


def remind(connection: sa.Connection, run_id: int, seats: Sequence[int], at: datetime) -> None:
    """Remember that those asked at these seats were reminded."""
    connection.execute(
        task.update()
        .where(task.c.run == run_id, task.c.seat.in_(seats), task.c.done_at.is_(None))
        .values(reminded_at=at)
    )


def create_tasks(connection: sa.Connection, tasks: Iterable[Task]) -> None:
    """Leave tasks with people."""
    TASK_WRITER.insert(
        connection,
        [
            (
                each.kind,
                each.user,
                each.role,
                each.form,
                each.document,
                each.run,
                each.node,
                each.title.zh,
                each.title.en,
                each.once_key,
                each.created_at,
                each.due_at,
                each.seat,
                each.step,
                each.rule,
                listed(each.behalf),
            )
            for each in tasks
        ],
    )


def open_tasks_of(
    connection: sa.Connection,
    user: int,
    roles: Iterable[str],
    after: int | None = None,
    limit: int = 100,
    *,
    form: str = "",
    kind: str = "",
) -> tuple[Task, ...]:
    """Open tasks of the user and of the roles they hold, newest first; ``after``: id of the last task before."""
    query = sa.select(task).where(_mine(user, roles)).order_by(task.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(task.c.id < after)
    if form:
        query = query.where(task.c.form == form)
    if kind:
        query = query.where(task.c.kind == kind)
    return _tasks(connection, query)


def count_open_tasks(connection: sa.Connection, user: int, roles: Iterable[str], limit: int = 1000) -> int:
    """How many open tasks the user has, counted up to ``limit``."""
    some = sa.select(task.c.id).where(_mine(user, roles)).limit(limit).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


def open_tasks_on(connection: sa.Connection, form: str, document: int) -> tuple[Task, ...]:
    """Open tasks on the document, oldest first."""
    return _tasks(
        connection,
        sa.select(task)
        .where(task.c.form == form, task.c.document == document, task.c.done_at.is_(None))
        .order_by(task.c.id),
    )


def open_tasks_once(connection: sa.Connection, once_key: str) -> tuple[Task, ...]:
    """Open tasks created under ``once_key``."""
    return _tasks(connection, sa.select(task).where(task.c.once_key == once_key, task.c.done_at.is_(None)))


def open_todos_of_rule(
    connection: sa.Connection, rule: str, form: str, document: int, once_key: str = ""
) -> tuple[Task, ...]:
    """Open to-dos a rule has left about a record, oldest first; with ``once_key`` those of its alert."""
    query = sa.select(task).where(task.c.kind == "todo", task.c.done_at.is_(None)).order_by(task.c.id)
    if once_key:
        return _tasks(connection, query.where(task.c.once_key == once_key))
    about = task.c.document == document if document else task.c.document.is_(None)
    return _tasks(connection, query.where(task.c.rule == rule, task.c.form == form, about))


def close_tasks(
    connection: sa.Connection,
    *,
    at: datetime,
    by: int | None,
    outcome: str,
    ids: Sequence[int] | None = None,
    run: int | None = None,
    node: str | None = None,
    once_key: str | None = None,
) -> int:
    """Close the open tasks that agree with every given condition; returns how many. At least one must be given."""
    if ids is not None and (run, node, once_key) == (None, None, None):
        rows = [(at, by, outcome, each) for each in ids]
        return TASK_WRITER.update(connection, ("done_at", "done_by", "outcome"), ("id",), rows, "done_at")
    conditions: list[sa.ColumnElement[bool]] = []
    if ids is not None:
        conditions.append(task.c.id.in_(ids))
    for column, value in ((task.c.run, run), (task.c.node, node), (task.c.once_key, once_key)):
        if value is not None:
            conditions.append(column == value)
    if not conditions:
        raise ValueError("closing all tasks of everybody is never meant")
    statement = task.update().where(task.c.done_at.is_(None), *conditions)
    return connection.execute(statement.values(done_at=at, done_by=by, outcome=outcome)).rowcount


def close_document_tasks(
    connection: sa.Connection, form: str, document: int, *, at: datetime, by: int | None, outcome: str
) -> None:
    """Close every open approval task on a document that has no run."""
    statement = task.update().where(
        task.c.done_at.is_(None), task.c.kind == "approval", task.c.form == form, task.c.document == document
    )
    connection.execute(statement.values(done_at=at, done_by=by, outcome=outcome))


def log(connection: sa.Connection, rows: Iterable[LogRow]) -> None:
    """Append decisions."""
    LOG_WRITER.insert(
        connection,
        [
            (
                row.run, row.form, row.document, row.node, row.label.zh, row.label.en, row.user, row.user_name,
                row.action, row.reason, row.at, listed(row.behalf), row.arrived_at, row.signature, row.others,
                listed(row.files),
            )
            for row in rows
        ],
    )  # fmt: skip


def log_of(connection: sa.Connection, form: str, document: int) -> tuple[LogRow, ...]:
    """All decisions on the document, oldest first."""
    query = (
        sa.select(approval_log)
        .where(approval_log.c.form == form, approval_log.c.document == document)
        .order_by(approval_log.c.id)
    )
    found: list[LogRow] = []
    for row in connection.execute(query).mappings():
        values = dict(row)
        del values["id"]
        label, named = Label(values.pop("label_zh"), values.pop("label_en")), tuple(values.pop("files").split())
        found.append(LogRow(label=label, files=named, behalf=people_in(values.pop("behalf")), **values))
    return tuple(found)


def attached(connection: sa.Connection) -> set[str]:
    """Ids of the files the approval log names; they are kept like those a record refers to."""
    lists = connection.execute(sa.select(approval_log.c.files).where(approval_log.c.files != "")).scalars()
    return {file_id for listed in lists for file_id in listed.split()}


def listed(ids: Iterable[object]) -> str:
    """Ids as they stand in one column."""
    return " ".join(map(str, ids))


def people_in(text: str) -> tuple[int, ...]:
    """Inverse of `listed`, of users."""
    return tuple(map(int, text.split()))


def _mine(user: int, roles: Iterable[str]) -> sa.ColumnElement[bool]:
    held = sa.and_(task.c.user.is_(None), task.c.role.in_(sorted(roles)))
    return sa.and_(task.c.done_at.is_(None), sa.or_(task.c.user == user, held))


def _tasks(connection: sa.Connection, query: sa.Select[Any]) -> tuple[Task, ...]:
    return tuple(_task(dict(row)) for row in connection.execute(query).mappings())


def _task(values: dict[str, Any]) -> Task:
    title = Label(values.pop("title_zh"), values.pop("title_en"))
    return Task(title=title, behalf=people_in(values.pop("behalf")), **values)
