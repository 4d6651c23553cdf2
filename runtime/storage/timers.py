"""Moments at which something must be told: deadlines and waits of runs, moments of rules.

A timer is written in the transaction that asks for it and is due at a wall-clock moment in the product's zone, so
neither a restart nor a corrected clock loses it. It ends once: ``fired``, or ``void`` because nobody needs it any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.workflow.answers import NEVER
from runtime.storage.process_tables import run, timer
from runtime.storage.row_reading import Reader
from runtime.storage.row_writing import Writer

FLOW = "flow"
ESCALATION = "escalation"
CHILD = "child"  # a document without a workflow of its own that a sub-flow waits for; by the clock it never comes
FIRED = "fired"
VOID = "void"
COLUMNS = (
    "kind", "run", "token", "number", "node", "rule", "form", "document", "key", "due_at", "created_at",
)  # fmt: skip
WRITER = Writer(timer, COLUMNS)
READER = Reader(timer)
READ = (*COLUMNS, "id", "done_at", "outcome")
DUE = (
    sa.select(timer)
    .where(timer.c.done_at.is_(None), timer.c.due_at <= sa.bindparam("now"))
    .order_by(timer.c.due_at, timer.c.id)
    .limit(sa.bindparam("limit"))
)
WAITING = sa.select(timer).where(
    timer.c.rule == CHILD, timer.c.key == sa.bindparam("key"), timer.c.kind == CHILD, timer.c.done_at.is_(None)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRow:
    """One timer; open while ``done_at`` is None.

    Attributes:
        kind: ``flow``, or a kind of the rules. run, token, number, node: what of a run is meant (kind ``flow``).
        rule, key: of a rule's timer. form, document: what it is about.
    """

    kind: str
    due_at: datetime
    created_at: datetime
    run: int = 0
    token: int = 0
    number: int = 0
    node: str = ""
    rule: str = ""
    form: str = ""
    document: int = 0
    key: str = ""
    id: int | None = None
    done_at: datetime | None = None
    outcome: str | None = None


def add(connection: sa.Connection, rows: Iterable[TimerRow]) -> None:
    """Set timers."""
    WRITER.insert(connection, [tuple(getattr(row, name) for name in COLUMNS) for row in rows])


def due(
    connection: sa.Connection, now: datetime, limit: int, after: tuple[datetime, int] | None = None
) -> tuple[TimerRow, ...]:
    """Open timers that are due, oldest moment first; ``after``: moment and id of the last one of the page before."""
    query = DUE
    if after is not None:
        query = query.where(
            sa.or_(timer.c.due_at > after[0], sa.and_(timer.c.due_at == after[0], timer.c.id > after[1]))
        )
    return tuple(TimerRow(**row) for row in connection.execute(query, {"now": now, "limit": limit}).mappings())


def by_id(connection: sa.Connection, timer_id: int) -> TimerRow | None:
    """One timer, or None."""
    return next(iter(by_ids(connection, [timer_id])), None)


def by_ids(connection: sa.Connection, ids: Iterable[int]) -> tuple[TimerRow, ...]:
    """These timers, in the order of their ids."""
    return _rows(connection, "id", ids)


def end(connection: sa.Connection, timer_id: int, at: datetime, outcome: str) -> bool:
    """End one timer; False when it had ended before."""
    return end_each(connection, [timer_id], at, outcome) == 1


def end_each(connection: sa.Connection, ids: Iterable[int], at: datetime, outcome: str) -> int:
    """End those of these timers that are open; returns how many."""
    return WRITER.update(connection, ("done_at", "outcome"), ("id",), [(at, outcome, each) for each in ids], "done_at")


def open_of_runs(connection: sa.Connection, runs: Iterable[int]) -> tuple[TimerRow, ...]:
    """Open timers of these runs, by run and moment."""
    found = _rows(connection, "run", set(runs), '"done_at" IS NULL')
    return tuple(sorted((row for row in found if row.kind == FLOW), key=lambda row: (row.run, row.due_at, row.id)))


def wait_for(connection: sa.Connection, form: str, document: int, run_id: int, token: int, at: datetime) -> None:
    """A place of a run waits for what people decide on a document no workflow decides on."""
    row = TimerRow(
        kind=CHILD, rule=CHILD, key=f"{form}:{document}", form=form, document=document, run=run_id, token=token,
        due_at=NEVER, created_at=at,
    )  # fmt: skip
    add(connection, [row])


def waiting_for(connection: sa.Connection, form: str, document: int) -> tuple[TimerRow, ...]:
    """Places that wait for the document (see ``wait_for``)."""
    return tuple(TimerRow(**row) for row in connection.execute(WAITING, {"key": f"{form}:{document}"}).mappings())


def open_without_run(connection: sa.Connection, limit: int = 1000) -> tuple[TimerRow, ...]:
    """Open timers of runs that have ended or are not there."""
    live = sa.exists().where(run.c.id == timer.c.run, run.c.finished_at.is_(None))
    query = sa.select(timer).where(timer.c.kind == FLOW, timer.c.done_at.is_(None), ~live).order_by(timer.c.id)
    return tuple(TimerRow(**row) for row in connection.execute(query.limit(limit)).mappings())


def _rows(connection: sa.Connection, by: str, values: Iterable[int], also: str = "") -> tuple[TimerRow, ...]:
    """In the order of their ids."""
    found = (TimerRow(**dict(zip(READ, row, strict=True))) for row in READER.rows(connection, READ, by, values, also))
    return tuple(sorted(found, key=lambda row: row.id or 0))
