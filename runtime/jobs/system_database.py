"""The database of the job engine: ``jobs.db`` in the data folder, or the schema ``dbos`` of the PostgreSQL deployment.

One per deployment, shared by all workspaces and never holding business rows; a lost one loses no effect, because the
outbox of each workspace can hand everything over again. The settings of SQLite here are what makes the engine usable
on it (WAL, ``synchronous=NORMAL``, ``BEGIN IMMEDIATE``); the engine's defaults are seven times slower.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from runtime.settings import Settings

FILE_NAME = "jobs.db"
BUSY_TIMEOUT_MS = 30_000
SPARE_CONNECTIONS = 6
KEEPALIVE = MappingProxyType({"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3})


def system_url(settings: Settings) -> str:
    """SQLAlchemy address of the job database of this installation."""
    return settings.database_url or f"sqlite:///{settings.data_dir / FILE_NAME}"


def is_sqlite(url: str) -> bool:
    """Whether ``url`` is a file, which only one process may work on."""
    return url.startswith("sqlite")


def sqlite_path(url: str) -> Path:
    """The file behind a SQLite address."""
    return Path(str(sa.make_url(url).database))


def system_engine(url: str, concurrency: int) -> sa.Engine:
    """An engine for the job engine and its client. The caller disposes of it."""
    if not is_sqlite(url):
        return sa.create_engine(
            url,
            pool_size=concurrency + SPARE_CONNECTIONS,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "application_name": "stockloom-jobs", **KEEPALIVE},
        )
    sqlite_path(url).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, pool_size=concurrency + SPARE_CONNECTIONS)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
