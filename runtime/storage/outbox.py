"""The outbox: effects a decision asked for, written in its transaction and performed after it, at least once.

A row is open until it is done. The relay hands open rows to the job engine under their id; a sweep hands over again
what a crash left behind, so performing must be idempotent under that id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runtime.storage.ids import allocate
from runtime.storage.product_tables import outbox
from runtime.storage.row_reading import Reader
from runtime.storage.row_writing import Writer

READER = Reader(outbox)
COLUMNS = ("id", "kind", "payload", "form", "document", "created_at", "snapshot", "user", "attempts")
WRITER = Writer(outbox, COLUMNS)
PENDING = (
    sa.select(outbox)
    .where(outbox.c.done_at.is_(None), outbox.c.handed_at.is_(None))
    .order_by(outbox.c.id)
    .limit(sa.bindparam("limit"))
)
BY_ID = sa.select(outbox).where(outbox.c.id == sa.bindparam("row_id"))
LOCKED = BY_ID.with_for_update()
LOCKED_ROWS = (
    sa.select(outbox)
    .where(outbox.c.id.in_(sa.bindparam("row_ids", expanding=True)))
    .order_by(outbox.c.id)
    .with_for_update()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """An effect waiting to be performed, or performed; ``user`` is who caused it, ``snapshot`` the bundle it speaks."""

    kind: str
    payload: Mapping[str, Any]
    form: str = ""
    document: int | None = None
    created_at: datetime
    snapshot: str = ""
    user: int = 0
    id: int | None = None
    handed_at: datetime | None = None
    done_at: datetime | None = None
    attempts: int = 0
    error: str | None = None


def add(connection: sa.Connection, rows: Sequence[OutboxRow]) -> Sequence[int]:
    """Add effects; returns their ids in order."""
    if not rows:
        return ()
    ids = allocate(connection, len(rows))
    names = COLUMNS[1:]
    WRITER.insert(
        connection, [(number, *(getattr(row, name) for name in names)) for number, row in zip(ids, rows, strict=True)]
    )
    return ids


def get(connection: sa.Connection, row_id: int, *, lock: bool = False) -> OutboxRow | None:
    """One row, or None. With ``lock`` nobody else performs it before this transaction ends."""
    row = connection.execute(LOCKED if lock else BY_ID, {"row_id": row_id}).mappings().one_or_none()
    return None if row is None else OutboxRow(**row)


def get_locked(connection: sa.Connection, ids: Sequence[int]) -> tuple[OutboxRow, ...]:
    """These rows in order; nobody else performs them before this transaction ends."""
    found = connection.execute(LOCKED_ROWS, {"row_ids": list(ids)}).mappings()
    return tuple(OutboxRow(**row) for row in found)


def of_kinds(connection: sa.Connection, ids: Sequence[int], kinds: Collection[str]) -> list[int]:
    """Those of these rows that are of one of the kinds, in order."""
    return sorted(row[0] for row in READER.rows(connection, ("id", "kind"), "id", ids) if row[1] in kinds)


def open_before(connection: sa.Connection, row_id: int, kinds: Sequence[str]) -> tuple[OutboxRow, ...]:
    """Older rows of these kinds that are not done, oldest first."""
    query = sa.select(outbox).where(outbox.c.done_at.is_(None), outbox.c.id < row_id, outbox.c.kind.in_(kinds))
    return tuple(OutboxRow(**row) for row in connection.execute(query.order_by(outbox.c.id)).mappings())


def open_among(connection: sa.Connection, ids: Sequence[int]) -> frozenset[int]:
    """Those of these rows that are neither done nor given up."""
    if not ids:
        return frozenset()
    query = sa.select(outbox.c.id).where(outbox.c.id.in_(ids), outbox.c.done_at.is_(None))
    return frozenset(connection.execute(query).scalars())


def pending(
    connection: sa.Connection, limit: int = 100, handed_before: datetime | None = None
) -> tuple[OutboxRow, ...]:
    """Rows nobody has handed over yet; with ``handed_before`` also those handed over before then and still not done."""
    query = PENDING
    if handed_before is not None:
        query = (
            sa.select(outbox)
            .where(
                outbox.c.done_at.is_(None),
                sa.or_(outbox.c.handed_at.is_(None), outbox.c.handed_at < handed_before),
            )
            .order_by(outbox.c.id)
            .limit(sa.bindparam("limit"))
        )
    return tuple(OutboxRow(**row) for row in connection.execute(query, {"limit": limit}).mappings())


def mark_handed(connection: sa.Connection, ids: Sequence[int], at: datetime) -> None:
    """The job engine has them."""
    connection.execute(outbox.update().where(outbox.c.id.in_(ids)).values(handed_at=at))


def mark_done(connection: sa.Connection, row_id: int, at: datetime) -> None:
    """Performed; to be called in the transaction that performed it."""
    WRITER.update(connection, ("done_at", "error"), ("id",), [(at, None, row_id)])


def failed(connection: sa.Connection, row_id: int, error: str, given_up_at: datetime | None = None) -> None:
    """An attempt failed. ``given_up_at`` closes the row for good; its error stays to be read."""
    connection.execute(
        outbox.update()
        .where(outbox.c.id == row_id)
        .values(attempts=outbox.c.attempts + 1, error=error[:2000], done_at=given_up_at)
    )


def given_up(connection: sa.Connection, after: int | None = None, limit: int = 50) -> tuple[OutboxRow, ...]:
    """Rows that finally failed, newest first; ``after``: id of the last one of the page before."""
    query = sa.select(outbox).where(outbox.c.done_at.is_not(None), outbox.c.error.is_not(None))
    if after is not None:
        query = query.where(outbox.c.id < after)
    rows = connection.execute(query.order_by(outbox.c.id.desc()).limit(limit)).mappings()
    return tuple(OutboxRow(**row) for row in rows)


def reopen(connection: sa.Connection, row_id: int) -> bool:
    """Somebody wants it tried again; False when it had not been given up."""
    statement = outbox.update().where(outbox.c.id == row_id, outbox.c.done_at.is_not(None), outbox.c.error.is_not(None))
    return connection.execute(statement.values(done_at=None, handed_at=None)).rowcount == 1


def remove_done(connection: sa.Connection, before: datetime) -> int:
    """Forget what was performed without error before then; returns how many rows."""
    return connection.execute(outbox.delete().where(outbox.c.done_at < before, outbox.c.error.is_(None))).rowcount
