"""Published states of apps, by content hash: kept for ever, never changed; one per app is current."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from runtime.storage.product_tables import current, snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotInfo:
    """What is known of a snapshot without its files; ``number`` counts the snapshots of the workspace."""

    hash: str
    app: str
    version: str
    published_at: datetime
    publisher: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A snapshot with its sources, relative path → text."""

    info: SnapshotInfo
    files: Mapping[str, str]


CURRENT = sa.select(current.c.hash).order_by(current.c.since.desc(), current.c.app).limit(1)
INFO = sa.select(*(snapshot.c[name] for name in SnapshotInfo.__slots__))


def save(
    connection: sa.Connection,
    *,
    snapshot_hash: str,
    app: str,
    version: str,
    files: Mapping[str, str],
    publisher: str,
    at: datetime,
) -> int:
    """Keep a snapshot; returns its number. One that is there already (a return to an earlier state) stays as it is."""
    known = connection.execute(
        sa.select(snapshot.c.number).where(snapshot.c.hash == snapshot_hash)
    ).scalar_one_or_none()
    if known is not None:
        return int(known)
    last = connection.execute(sa.select(sa.func.max(snapshot.c.number))).scalar_one_or_none()
    number = int(last or 0) + 1
    connection.execute(
        snapshot.insert(),
        {
            "hash": snapshot_hash,
            "app": app,
            "version": version,
            "files": dict(files),
            "published_at": at,
            "publisher": publisher,
            "number": number,
        },
    )
    return number


def load(connection: sa.Connection, snapshot_hash: str) -> Snapshot | None:
    """The snapshot, or None."""
    row = connection.execute(sa.select(snapshot).where(snapshot.c.hash == snapshot_hash)).mappings().one_or_none()
    if row is None:
        return None
    values = dict(row)
    files = values.pop("files")
    return Snapshot(info=SnapshotInfo(**values), files=files)


def publisher_of(connection: sa.Connection, snapshot_hash: str) -> str:
    """Who published it, as it was given then: a login, or the name of an account of the machine; empty if unknown."""
    query = sa.select(snapshot.c.publisher).where(snapshot.c.hash == snapshot_hash)
    return str(connection.execute(query).scalar_one_or_none() or "")


def current_hash(connection: sa.Connection, app: str | None = None) -> str | None:
    """Hash of what is current for ``app``; without it of the app published last. None before the first publish."""
    found = connection.execute(CURRENT if app is None else CURRENT.where(current.c.app == app)).scalar_one_or_none()
    return None if found is None else str(found)


def current_since(connection: sa.Connection, app: str) -> datetime | None:
    """Since when what is current of the app is; None before the first publish."""
    return connection.execute(sa.select(current.c.since).where(current.c.app == app)).scalar_one_or_none()


def set_current(connection: sa.Connection, app: str, snapshot_hash: str, at: datetime) -> None:
    """Make a kept snapshot the current one of its app."""
    values = {"hash": snapshot_hash, "since": at}
    if connection.execute(current.update().where(current.c.app == app).values(values)).rowcount == 0:
        connection.execute(current.insert(), {"app": app, **values})


def list_of(connection: sa.Connection, app: str | None = None) -> tuple[SnapshotInfo, ...]:
    """Snapshots, newest first."""
    query = INFO.order_by(snapshot.c.number.desc())
    if app is not None:
        query = query.where(snapshot.c.app == app)
    return tuple(SnapshotInfo(**row) for row in connection.execute(query).mappings())
