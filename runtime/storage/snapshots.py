"""Published snapshots: immutable, named by their hash, kept for ever; and which of them is current."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from runtime.storage.product_tables import current, snapshot
from runtime.storage.row_writing import Writer

CURRENT_WRITER = Writer(current, ("app", "hash"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSnapshot:
    """A snapshot: the source files it was published from."""

    hash: str
    app: str
    version: str
    files: Mapping[str, str]
    published_at: datetime
    publisher: str
    number: int


def load(connection: sa.Connection, hash: str) -> StoredSnapshot | None:
    """The snapshot with this hash, or None."""
    row = connection.execute(sa.select(snapshot).where(snapshot.c.hash == hash)).mappings().one_or_none()
    return None if row is None else StoredSnapshot(**row)


def history(connection: sa.Connection, app: str) -> tuple[StoredSnapshot, ...]:
    """All snapshots of an app, newest first."""
    query = sa.select(snapshot).where(snapshot.c.app == app).order_by(snapshot.c.number.desc())
    return tuple(StoredSnapshot(**row) for row in connection.execute(query).mappings())


def save(
    connection: sa.Connection,
    *,
    hash: str,
    app: str,
    version: str,
    files: Mapping[str, str],
    published_at: datetime,
    publisher: str,
) -> None:
    """Keep a snapshot; publishing the same content again keeps the first."""
    known = connection.execute(sa.select(snapshot.c.hash).where(snapshot.c.hash == hash)).one_or_none()
    if known is not None:
        return
    last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(snapshot.c.number), 0))).scalar_one()
    connection.execute(
        snapshot.insert().values(
            hash=hash,
            app=app,
            version=version,
            files=dict(files),
            published_at=published_at,
            publisher=publisher,
            number=last + 1,
        )
    )


def set_current(connection: sa.Connection, app: str, hash: str) -> None:
    """Make a kept snapshot the one that is in force."""
    CURRENT_WRITER.upsert(connection, [(app, hash)], ("hash",))


def current_hash(connection: sa.Connection) -> str | None:
    """Hash of what is in force in this workspace, or None before the first publish."""
    return connection.execute(sa.select(current.c.hash).limit(1)).scalar_one_or_none()
