"""Who is a living worker on PostgreSQL. One slot, one process: the database, not a clock, says when a worker is dead.

A worker holds a session advisory lock on the lowest free slot (``worker-1``, ``worker-2`` …) through a connection of
its own. When the process dies or is cut off, PostgreSQL ends the session and the slot is free. A worker that loses this
connection must stop at once, because somebody else may already be doing its jobs: the server is told to notice a silent
peer later (`SERVER_NOTICES_AFTER_S`) than the worker notices it (`WORKER_NOTICES_AFTER_S`).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa

from engine.problems import Refused, problem
from runtime.jobs.slots import WATCH_EVERY_S

MOST_SLOTS = 1000
WORKER_NOTICES_AFTER_S = 10
SERVER_NOTICES_AFTER_S = 25


class ServerSlot:
    """One of the slots of a PostgreSQL deployment. ``on_lost`` is called, once, when the connection drops."""

    def __init__(self, url: str, on_lost: Callable[[], None]) -> None:
        self._connection = _connect(url)
        self._on_lost = on_lost
        self._stopping = threading.Event()
        self.executor = self._take()
        self._watch = threading.Thread(target=self._keep_watch, name="jobs-slot", daemon=True)
        self._watch.start()

    def release(self) -> None:
        """Free the slot; what runs under it is then taken over."""
        self._stopping.set()
        self._watch.join(WORKER_NOTICES_AFTER_S)
        self._connection.close()

    def _take(self) -> str:
        for number in range(1, MOST_SLOTS + 1):
            executor = f"worker-{number}"
            row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", [lock_key(executor)]).fetchone()
            if row is not None and row[0]:
                return executor
        raise Refused([problem("job.no_slot", most=MOST_SLOTS)], kind="conflict")

    def _keep_watch(self) -> None:
        while not self._stopping.wait(WATCH_EVERY_S):
            try:
                self._connection.execute("SELECT 1")
            except psycopg.Error:
                if not self._stopping.is_set():
                    self._on_lost()
                return


def lock_key(executor: str) -> int:
    """The advisory lock of an executor: 64 bits of a hash, signed."""
    digest = hashlib.sha256(f"stockloom-worker:{executor}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


@contextmanager
def if_dead(engine: sa.Engine, executor: str) -> Iterator[bool]:
    """Whether nobody holds the slot. While inside with True, nobody can take it nor find it dead a second time."""
    with engine.begin() as connection:
        yield bool(connection.scalar(sa.text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": lock_key(executor)}))


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    address = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(
        address,
        autocommit=True,
        application_name="stockloom-worker-slot",
        connect_timeout=10,
        keepalives=1,
        keepalives_idle=4,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=WORKER_NOTICES_AFTER_S * 1000,
    )
    for name, value in (
        ("tcp_keepalives_idle", 10),
        ("tcp_keepalives_interval", 5),
        ("tcp_keepalives_count", 3),
        ("tcp_user_timeout", SERVER_NOTICES_AFTER_S * 1000),
        ("idle_session_timeout", 0),
    ):
        connection.execute("SELECT set_config(%s, %s, false)", [name, str(value)])
    return connection
