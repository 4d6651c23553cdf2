"""Closed days and places frozen for counting, and the lock that keeps them apart from postings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from runtime.storage.driver import fetched
from runtime.storage.ledger_tables import closing
from runtime.storage.named_locks import hold

# Every posting asks both, hence one question: closed days have a date, what is being counted has none.
FORBIDDEN = (
    "SELECT 0, warehouse, max(through) FROM sys_closing WHERE reopened_at IS NULL GROUP BY warehouse"
    " UNION ALL SELECT product, warehouse, NULL FROM sys_balance"
    " WHERE grain = 'scope' AND ledger = 'freeze' AND quantity > 0"
)
CALENDAR = "calendar"


def hold_shared(connection: sa.Connection) -> None:
    """Keep the calendar as it is until the end of the transaction; any number of postings may."""
    hold(connection, CALENDAR, shared=True)


def hold_alone(connection: sa.Connection) -> None:
    """Wait for every posting under way; none begins until the end of the transaction."""
    hold(connection, CALENDAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """Where nothing may be posted.

    Attributes:
        closed: last closed day by warehouse; 0: the company. Empty when nothing was ever closed.
        frozen: (product, warehouse) of what is being counted; product 0: everything in the warehouse.
    """

    closed: Mapping[int, date]
    frozen: frozenset[tuple[int, int]]


def forbidden(connection: sa.Connection) -> Forbidden:
    """Closed days and places being counted, as they are."""
    rows = fetched(connection, FORBIDDEN, ())
    closed = {row[1]: date.fromisoformat(str(row[2])) for row in rows if row[2] is not None}
    return Forbidden(closed=closed, frozen=frozenset((row[0], row[1]) for row in rows if row[2] is None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """One closing, reopened or not. ``kind`` is ``day`` or ``month``; ``warehouse`` 0 means the company."""

    id: int
    kind: str
    warehouse: int
    through: date
    closed_at: datetime
    closed_by: int
    report: Mapping[str, Any]
    reopened_at: datetime | None = None
    reopened_by: int | None = None
    reason: str = ""


def add_closing(
    connection: sa.Connection,
    kind: str,
    warehouse: int,
    through: date,
    at: datetime,
    user: int,
    report: Mapping[str, Any],
) -> int:
    """Close every day up to ``through``; the caller holds the calendar alone."""
    done = connection.execute(
        closing.insert().values(
            kind=kind, warehouse=warehouse, through=through, closed_at=at, closed_by=user, report=dict(report),
            reason="",
        )
    )  # fmt: skip
    return int((done.inserted_primary_key or (0,))[0])


def mark_reopened(connection: sa.Connection, identity: int, at: datetime, user: int, reason: str) -> None:
    """Open the days of one closing again; the caller holds the calendar alone."""
    connection.execute(
        closing.update().where(closing.c.id == identity).values(reopened_at=at, reopened_by=user, reason=reason)
    )


def closings_of(connection: sa.Connection, limit: int) -> tuple[Closing, ...]:
    """The newest closings, reopened ones included."""
    query = sa.select(closing).order_by(closing.c.through.desc(), closing.c.id.desc()).limit(limit)
    return tuple(Closing(**row) for row in connection.execute(query).mappings())


def closing_of(connection: sa.Connection, identity: int) -> Closing | None:
    """One closing, reopened or not."""
    row = connection.execute(sa.select(closing).where(closing.c.id == identity)).mappings().first()
    return Closing(**row) if row else None


def latest_closing(connection: sa.Connection, kind: str, warehouse: int) -> Closing | None:
    """The closing of that kind and place that would have to be reopened first."""
    query = (
        sa.select(closing)
        .where(closing.c.kind == kind, closing.c.warehouse == warehouse, closing.c.reopened_at.is_(None))
        .order_by(closing.c.through.desc(), closing.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return Closing(**row) if row else None
