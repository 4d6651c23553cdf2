"""One workspace, one database: how it is opened and what a transaction is.

A reading unit sees one state; a writing unit on SQLite takes the write lock at its first statement (BEGIN IMMEDIATE),
so that nothing it read can change before it writes. DDL is part of the transaction on both databases. `in_transaction`
is the only place that retries, and it retries the whole unit with its decisions.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
import sqlalchemy.orm  # the job engine needs it; imported first in its thread, it breaks statements made meanwhile
from sqlalchemy import Connection as Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from engine.problems import Refused, problem
from runtime.storage import named_locks
from runtime.storage.driver import begun

T = TypeVar("T")

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    # Per connection, of which a busy server has a dozen; behind it stands the cache of the operating system. Scans of a
    # hundred thousand rows are no slower than with sixteen times as much.
    "PRAGMA cache_size=-2048",
)
POSTGRES_OPTIONS = (
    "-c lock_timeout=10s -c statement_timeout=120s -c idle_in_transaction_session_timeout=120s"
    " -c timezone=UTC -c default_transaction_isolation=read\\ committed"
)
SQLITE_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
# serialisation failure, deadlock, lock timeout
POSTGRES_BUSY = frozenset({"40001", "40P01", "55P03"})
UNIQUE_VIOLATION = "23505"
# Two first uses of one key at the same moment; the second attempt finds the row of the first.
RACES = ("sys_idempotency", "sys_counter", "sys_balance", "sys_alert")
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.6


@dataclass(frozen=True, slots=True)
class Database:
    """An open database with its pool of connections."""

    engine: sa.Engine
    url: str
    is_sqlite: bool

    def close(self) -> None:
        """Give all idle connections back."""
        self.engine.dispose()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def open_database(url: str, *, pool_size: int = 5, busy_timeout_ms: int = 15_000) -> Database:
    """Open ``sqlite:///path`` or ``postgresql+psycopg://…`` (schema: ``?options=-csearch_path=w_key``).

    Nothing is connected yet; the first transaction is.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(parsed, busy_timeout_ms), url, True)
    given = parsed.query.get("options", "")
    options = f"{POSTGRES_OPTIONS} {given if isinstance(given, str) else ' '.join(given)}"
    engine = sa.create_engine(
        parsed.update_query_dict({"options": options}),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        pool_recycle=1800,
        connect_args={"prepare_threshold": 2},
    )
    return Database(engine, url, False)


def _sqlite(url: sa.URL, busy_timeout_ms: int) -> sa.Engine:
    engine = sa.create_engine(
        url, pool_size=5, max_overflow=20, connect_args={"isolation_level": None, "timeout": busy_timeout_ms / 1000}
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
        for pragma in (f"PRAGMA busy_timeout={busy_timeout_ms}", *SQLITE_PRAGMAS):
            connection.execute(pragma)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # The driver's own transactions would commit before DDL and start too late; they are switched off above.
        begun(connection, "BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


@contextmanager
def read(database: Database) -> Iterator[sa.Connection]:
    """A reading unit; whatever it wrote is rolled back."""
    with database.engine.connect() as connection:
        connection.begin()
        try:
            yield connection
        finally:
            connection.rollback()


@contextmanager
def asking(database: Database) -> Iterator[sa.Connection]:
    """For single questions that need not agree with each other: each statement is a transaction of its own, which on a
    server saves the two trips around it. Not for writing: nothing is rolled back."""
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


@contextmanager
def read_still(database: Database) -> Iterator[sa.Connection]:
    """As `read`, and every statement sees the state of the first one, whatever others commit meanwhile."""
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            connection.execution_options(isolation_level="REPEATABLE READ")
        connection.begin()
        try:
            yield connection
        finally:
            connection.rollback()


@contextmanager
def write(database: Database) -> Iterator[sa.Connection]:
    """A writing unit: committed at the end, rolled back when an exception leaves it."""
    with database.engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            yield connection


def in_transaction(database: Database, work: Callable[[sa.Connection], T], attempts: int = 6) -> T:
    """Run ``work`` in a writing unit; on a conflict with another writer run all of it again.

    Raises ``Refused`` (``storage.busy``, kind ``busy``) when the last attempt met a conflict too.
    """
    for attempt in range(attempts):
        try:
            with write(database) as connection:
                return work(connection)
        except DBAPIError as error:
            if not is_conflict(error):
                raise
        longest = min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
        time.sleep(random.uniform(longest / 4, longest))
    raise Refused([problem("storage.busy")], kind="busy")


def lock_publishing(connection: sa.Connection) -> None:
    """Wait until nobody else publishes in this workspace; held until the end of the transaction."""
    named_locks.hold(connection, "publish")


def conflict(kind: str) -> DBAPIError:
    """What the database says when another writer is in the way: ``busy`` on SQLite, else ``deadlock``, ``conflict``."""
    original: Exception
    if kind == "busy":
        original = sqlite3.OperationalError("database is locked")
        original.sqlite_errorcode = sqlite3.SQLITE_BUSY
    else:
        from psycopg import errors  # deferred: takes a while, and a server on SQLite has no need of it

        original = errors.DeadlockDetected() if kind == "deadlock" else errors.SerializationFailure()
    return sa.exc.OperationalError("", {}, original)


def is_conflict(error: DBAPIError) -> bool:
    """Whether another writer was in the way, so that trying again can help."""
    original: Any = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return original.sqlite_errorcode & 0xFF in SQLITE_BUSY
    state = server_state(error)
    return state in POSTGRES_BUSY or (state == UNIQUE_VIOLATION and original.diag.table_name in RACES)


def server_state(error: DBAPIError) -> str | None:
    """The SQLSTATE PostgreSQL gave; None for an error of SQLite. Asked without importing PostgreSQL's driver."""
    return getattr(error.orig, "sqlstate", None)
