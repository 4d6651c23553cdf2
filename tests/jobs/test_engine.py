"""What only the durable engine can do: come up late, outlive its process, keep its rows readable and few."""

from __future__ import annotations

import json
import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import MappingProxyType

import psycopg
import pytest
import sqlalchemy as sa

from engine.problems import Refused
from runtime.jobs.assembly import JobParts, engine_handlers, job_engine
from runtime.jobs.contract import JobContext, JobState, Payload, Workspace
from runtime.jobs.engine import EngineOptions, JobEngine, LateWorker, engine_options
from runtime.jobs.server_slots import ServerSlot, if_dead
from runtime.jobs.slots import FileSlot, Slot
from runtime.jobs.system_database import sqlite_path
from runtime.settings import Settings
from tests.jobs import worker_process
from tests.jobs.company import company
from tests.jobs.test_delivery import NEWS, FollowUps, titles_of

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30


def no_workspace(key: str) -> Workspace:
    raise LookupError(key)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'jobs.db'}"


@contextmanager
def open_engine(url: str) -> Iterator[JobEngine]:
    engine = JobEngine(EngineOptions(url=url, poll_s=0.05), no_workspace)
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Starts processes that need not import anything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.jobs.worker_process", "runtime.jobs.execution", "runtime.jobs.takeover"])
    return context


@contextmanager
def worker_processes(forks: ForkServerContext, url: str, folder: Path) -> Iterator[Callable[[], BaseProcess]]:
    """Starts worker processes, and ends those the test left running."""
    started: list[BaseProcess] = []

    def start() -> BaseProcess:
        process = forks.Process(target=worker_process.main, args=(url, folder))
        process.start()
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.join()


def exit_code(process: BaseProcess) -> int | None:
    process.join(PATIENCE_S)
    return process.exitcode


def marks(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


def test_importing_the_engine_does_not_import_dbos() -> None:
    code = "import sys, runtime.jobs.assembly; sys.exit('dbos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_engine_comes_up_in_the_background(sqlite_url: str) -> None:
    called = threading.Event()
    with open_engine(sqlite_url) as engine:
        late = engine.start_later(MappingProxyType({"note": lambda context, payload: called.set()}), after_s=0)
        engine.enqueue("note", {})
        assert late.ready(PATIENCE_S)
        assert called.wait(PATIENCE_S)
        late.close()


def test_a_worker_closed_while_it_comes_up_is_closed_when_it_is_up() -> None:
    class Slow:
        closed = False

        def close(self) -> None:
            self.closed = True

    began, worker = threading.Event(), Slow()

    def start() -> Slow:
        began.wait(PATIENCE_S)
        return worker

    late = LateWorker(start)
    assert not late.ready(0.01)
    closing = threading.Thread(target=late.close)
    closing.start()
    began.set()
    closing.join(PATIENCE_S)
    assert worker.closed


def test_a_worker_closed_before_its_turn_never_starts() -> None:
    started: list[str] = []
    late = LateWorker(lambda: started.append("started"), after_s=PATIENCE_S)  # type: ignore[arg-type,func-returns-value]
    late.close()
    assert not late.ready(0)
    assert started == []


def test_a_worker_that_cannot_start_says_so_and_serving_goes_on() -> None:
    def start() -> Slot:
        raise ConnectionError("no database")

    late = LateWorker(start)  # type: ignore[arg-type]
    assert not late.ready(PATIENCE_S)
    late.close()


def test_jobs_outlive_the_process_and_its_version(sqlite_url: str) -> None:
    ran: list[Payload] = []
    with open_engine(sqlite_url) as engine:
        job_id = engine.enqueue("note", {"document": 1, "amount": "12.50"})
    with open_engine(sqlite_url) as engine:
        worker = engine.worker(MappingProxyType({"note": lambda context, payload: ran.append(payload)}))
        until(lambda: engine.status(job_id).state is JobState.DONE, "the job")
        worker.close()
    assert ran == [{"document": 1, "amount": "12.50"}]
    with sqlite3.connect(sqlite_path(sqlite_url)) as connection:
        [[version]] = connection.execute("SELECT DISTINCT application_version FROM workflow_status").fetchall()
        [[inputs]] = connection.execute("SELECT inputs FROM workflow_input").fetchall()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert version == "stockloom-jobs-1"
    assert json.loads(inputs)["positionalArgs"] == ["note", {"document": 1, "amount": "12.50"}], "readable, not pickled"


def test_retention_deletes_finished_jobs_and_keeps_parked_ones(sqlite_url: str) -> None:
    def refuse(context: JobContext, payload: Payload) -> None:
        raise Refused([])

    with open_engine(sqlite_url) as engine:
        worker = engine.worker(MappingProxyType({"note": lambda context, payload: None, "refuse": refuse}))
        done, parked = engine.enqueue("note", {}), engine.enqueue("from_the_future", {})
        waiting = engine.delay("note", {}, 3600, "later")
        until(lambda: engine.status(done).state.finished and engine.status(parked).state.finished, "both")
        assert engine.delete_finished(datetime.now(UTC) - timedelta(days=30)) == 0
        assert engine.delete_finished(datetime.now(UTC) + timedelta(minutes=1)) == 1
        assert engine.status(parked).state is JobState.PARKED
        assert engine.status(waiting).state is JobState.DELAYED
        with pytest.raises(Refused):
            engine.status(done)
        worker.close()


def test_a_second_process_on_one_sqlite_file_is_refused(tmp_path: Path) -> None:
    slot = FileSlot(tmp_path / "jobs.db")
    with pytest.raises(Refused) as refused:
        FileSlot(tmp_path / "jobs.db")
    assert [each.code for each in refused.value.problems] == ["job.worker_elsewhere"]
    slot.release()
    FileSlot(tmp_path / "jobs.db").release()


def test_an_installation_delivers_what_was_committed_before_it_started(tmp_path: Path) -> None:
    """The whole path: a committed effect nobody handed over, an installation that starts, a message in the inbox."""
    settings = Settings(data_dir=tmp_path)
    assert engine_options(settings).url == f"sqlite:///{tmp_path / 'jobs.db'}"
    with company(f"sqlite:///{tmp_path / 'acme.sqlite'}") as acme:
        parts = JobParts(
            open_workspace=lambda key: acme, workspaces=lambda: ["acme"], start_document=FollowUps(), clock=acme.clock
        )
        [row_id] = acme.commit(NEWS)
        acme.wait(seconds=10)
        engine = job_engine(settings, parts)
        late = engine.start_later(engine_handlers(engine, parts), after_s=0)
        until(lambda: acme.row(row_id).done_at, "the delivery")
        until(lambda: engine.status(f"acme:{row_id}").state is JobState.DONE, "the job")
        late.close()
        engine.close()
        assert titles_of(acme, 2) == []


def test_a_killed_process_finishes_its_job_when_it_is_back(
    sqlite_url: str, tmp_path: Path, forks: ForkServerContext
) -> None:
    with worker_processes(forks, sqlite_url, tmp_path) as start, open_engine(sqlite_url) as engine:
        first = start()
        job_id = engine.enqueue("slow", {"mark": "a"})
        until(lambda: marks(tmp_path, "began-a-*"), "the first attempt")
        first.kill()
        assert exit_code(first) == -signal.SIGKILL
        assert engine.status(job_id).state is JobState.RUNNING
        ended: list[Payload] = []
        worker = engine.worker(MappingProxyType({"slow": lambda context, payload: ended.append(payload)}))
        until(lambda: engine.status(job_id).state is JobState.DONE, "the second attempt")
        assert ended == [{"mark": "a"}]
        worker.close()


def test_a_job_that_kills_its_worker_is_parked(sqlite_url: str, tmp_path: Path, forks: ForkServerContext) -> None:
    with worker_processes(forks, sqlite_url, tmp_path) as start, open_engine(sqlite_url) as engine:
        job_id = engine.enqueue("deadly", {})
        for _ in range(3):
            assert exit_code(start()) == -signal.SIGKILL
        worker = engine.worker(MappingProxyType({}))
        until(lambda: engine.status(job_id).state is JobState.PARKED, "parking")
        [parked] = engine.parked()
        assert [each.code for each in parked.error] == ["job.killed_worker"]
        assert len(marks(tmp_path, "died-*")) == 3
        worker.close()


@pytest.mark.postgres
def test_a_living_worker_takes_over_from_a_killed_one(
    jobs_postgres_url: str, tmp_path: Path, forks: ForkServerContext
) -> None:
    with worker_processes(forks, jobs_postgres_url, tmp_path) as start, open_engine(jobs_postgres_url) as engine:
        first = start()
        ids = [engine.enqueue("slow", {"mark": mark}) for mark in "abc"]
        until(lambda: len(marks(tmp_path, f"began-*-{first.pid}")) == 3, "the first attempts")
        second = start()
        until(lambda: (tmp_path / f"ready-{second.pid}").exists(), "the second worker")
        assert (tmp_path / f"ready-{first.pid}").read_text() == "worker-1"
        assert (tmp_path / f"ready-{second.pid}").read_text() == "worker-2"
        time.sleep(1.0)
        assert marks(tmp_path, f"began-*-{second.pid}") == [], "the first one is alive"
        first.kill()
        until(lambda: len(marks(tmp_path, f"began-*-{second.pid}")) == 3, "the take-over")
        (tmp_path / "go").touch()
        until(lambda: all(engine.status(each).state is JobState.DONE for each in ids), "the jobs")
        assert marks(tmp_path, "ended-*") == [f"ended-{mark}-{second.pid}" for mark in "abc"]
        second.terminate()
        assert exit_code(second) == 0


@pytest.mark.postgres
def test_a_worker_that_lost_its_slot_is_told(jobs_postgres_url: str) -> None:
    lost = threading.Event()
    slot, other = ServerSlot(jobs_postgres_url, lost.set), ServerSlot(jobs_postgres_url, lambda: None)
    engine = sa.create_engine(jobs_postgres_url)
    assert slot.executor != other.executor
    with if_dead(engine, slot.executor) as dead:
        assert not dead
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": slot._connection.info.backend_pid})
    assert lost.wait(PATIENCE_S)
    with if_dead(engine, slot.executor) as dead, pytest.raises(psycopg.Error):
        assert dead
        slot._connection.execute("SELECT 1")
    slot.release()
    other.release()
    engine.dispose()
