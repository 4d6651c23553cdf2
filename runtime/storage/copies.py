"""抄送: who was told of a document by a workflow, and whether they have looked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from runtime.storage.process_tables import copied
from runtime.storage.row_writing import Writer

COLUMNS = ("run", "form", "document", "node", "user", "at")
WRITER = Writer(copied, COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRow:
    """One person told of one document at one node."""

    run: int
    form: str
    document: int
    node: str
    user: int
    at: datetime
    id: int | None = None
    read_at: datetime | None = None


def add(connection: sa.Connection, rows: Iterable[CopyRow]) -> None:
    """Tell people."""
    WRITER.insert(connection, [tuple(getattr(row, name) for name in COLUMNS) for row in rows])


def unread(connection: sa.Connection, user: int, form: str, document: int) -> tuple[int, ...]:
    """Ids of what the user was told of this document and has not looked at."""
    mine = copied.c.user == user, copied.c.form == form, copied.c.document == document
    return tuple(connection.execute(sa.select(copied.c.id).where(*mine, copied.c.read_at.is_(None))).scalars())


def was_told(connection: sa.Connection, form: str, document: int, user: int) -> bool:
    """Whether the user was told of the document."""
    query = sa.select(copied.c.id).where(
        copied.c.form == form, copied.c.document == document, copied.c.user == user
    )  # fmt: skip
    return connection.execute(query.limit(1)).scalar_one_or_none() is not None


def mark_read(connection: sa.Connection, user: int, at: datetime, ids: Sequence[int]) -> int:
    """The user has looked at these; returns how many were unread."""
    statement = copied.update().where(copied.c.user == user, copied.c.id.in_(ids), copied.c.read_at.is_(None))
    return connection.execute(statement.values(read_at=at)).rowcount


def count_unread(connection: sa.Connection, user: int, limit: int = 1000) -> int:
    """How many the user has not looked at, counted up to ``limit``."""
    some = sa.select(copied.c.id).where(copied.c.user == user, copied.c.read_at.is_(None)).limit(limit).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())
