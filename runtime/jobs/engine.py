"""The durable job engine behind six verbs. DBOS does the work; this is all the product knows of it.

The engine comes up late on purpose: importing DBOS takes over a second, so nothing of it is touched before the first
verb, and `JobEngine.start_later` brings the worker up in a thread of its own while pages are already being served.
A process that only hands over jobs (a web process on PostgreSQL) never starts a worker.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from engine.problems import Refused
from runtime.jobs.attempt import reason
from runtime.jobs.contract import (
    QUICK,
    STANDARD_RETRY,
    Closable,
    Handlers,
    JobStatus,
    OpenWorkspace,
    Payload,
    Retry,
)
from runtime.jobs.housekeeping import Chore, Housekeeping
from runtime.jobs.request import check_cron, check_request
from runtime.jobs.slots import WATCH_EVERY_S, FileSlot, Slot
from runtime.jobs.system_database import is_sqlite, sqlite_path, system_url
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.jobs.execution import Execution
    from runtime.jobs.system import System

TAKE_OVER_EVERY_S = 3.0
DEAD_AFTER_S = 2 * WATCH_EVERY_S
START_AFTER_S = 1.0
EXIT_SLOT_LOST = 70

_log = structlog.get_logger("stockloom.jobs")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """Where the job database is and how this process works on it.

    Attributes:
        url: SQLAlchemy address of the job database.
        concurrency: long jobs run at once by a worker (four times as many quick ones).
        poll_s: seconds between two looks at the quick queue; the long one is looked at four times more seldom.
        retry: when a failing handler is called again.
        zone: the zone the moments of schedules are meant in.
        take_over_every_s: seconds between two looks for dead workers (PostgreSQL).
        dead_after_s: for how long nobody must have held a worker's slot before its jobs are handed on.
    """

    url: str
    concurrency: int = 4
    poll_s: float = 0.2
    retry: Retry = STANDARD_RETRY
    zone: str = "Asia/Shanghai"
    take_over_every_s: float = TAKE_OVER_EVERY_S
    dead_after_s: float = DEAD_AFTER_S


def engine_options(settings: Settings) -> EngineOptions:
    """The options an installation's settings ask for."""
    return EngineOptions(url=system_url(settings), concurrency=settings.worker_concurrency)


def end_process() -> None:
    """What a worker does when it lost its slot: end at once, before it does what somebody else is doing already."""
    _log.error("worker lost its slot, ending")
    os._exit(EXIT_SLOT_LOST)


def no_chores(engine: JobEngine) -> tuple[Chore, ...]:
    """A worker that only executes jobs."""
    return ()


class JobEngine:
    """Keeps the contracts `Jobs` and `ParkedJobs` on SQLite and PostgreSQL. Thread-safe; close it at the end."""

    def __init__(
        self,
        options: EngineOptions,
        open_workspace: OpenWorkspace,
        chores: Callable[[JobEngine], Sequence[Chore]] = no_chores,
        on_lost: Callable[[], None] = end_process,
    ) -> None:
        """``chores`` are done by this process while it is a worker; ``on_lost`` must not return to normal work."""
        self._options = options
        self._open_workspace = open_workspace
        self._chores = chores
        self._on_lost = on_lost
        self._opening = threading.Lock()
        self._opened: System | None = None

    def enqueue(self, kind: str, payload: Payload, *, job_id: str | None = None, queue: str = QUICK) -> str:
        """See `Jobs.enqueue`."""
        check_request(job_id, queue)
        return self._system().enqueue(kind, payload, job_id=job_id, queue=queue, seconds=None)

    def schedule(self, kind: str, cron: str, payload: Payload, name: str) -> None:
        """See `Jobs.schedule`. Moments that pass while no worker runs are not made up for."""
        check_cron(cron)
        self._system().schedule(kind, cron, payload, name, QUICK)

    def delay(self, kind: str, payload: Payload, seconds: float, job_id: str) -> str:
        """See `Jobs.delay`."""
        check_request(job_id, QUICK)
        return self._system().enqueue(kind, payload, job_id=job_id, queue=QUICK, seconds=seconds)

    def cancel(self, job_id: str) -> None:
        """See `Jobs.cancel`; a parked job is dropped."""
        self._system().cancel(job_id)

    def status(self, job_id: str) -> JobStatus:
        """See `Jobs.status`."""
        return self._system().status(job_id)

    def up(self) -> bool:
        """See `ParkedJobs.up`."""
        return self._opened is not None

    def parked(self, limit: int = 100, workspace: str | None = None) -> tuple[JobStatus, ...]:
        """See `ParkedJobs.parked`."""
        return self._system().parked(limit, workspace)

    def retry(self, job_id: str) -> None:
        """See `ParkedJobs.retry`."""
        self._system().retry(job_id, QUICK)

    def worker(self, handlers: Handlers) -> Worker:
        """Start executing; returns once jobs are being taken. One worker per process.

        Raises ``Refused`` (code ``job.worker_elsewhere``) when another process works on the same SQLite file.
        """
        chores = self._chores(self)
        return Worker(self._system(), self._options, handlers, self._open_workspace, chores, self._on_lost)

    def start_later(self, handlers: Handlers, after_s: float = START_AFTER_S) -> LateWorker:
        """Start executing in a thread of its own; returns at once. The pause leaves the processor to the first page."""
        return LateWorker(lambda: self.worker(handlers), after_s)

    def delete_finished(self, before: datetime) -> int:
        """Forget jobs that ended before ``before``; parked ones are kept. Returns how many."""
        return self._system().delete_finished(before)

    def close(self) -> None:
        """Give the connections back. Close the worker first."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _system(self) -> System:
        with self._opening:
            if self._opened is None:
                from runtime.jobs.system import System  # deferred: imports dbos, which takes over a second

                self._opened = System(self._options.url, self._options.concurrency, self._options.zone)
            return self._opened


class Worker:
    """A process that executes jobs: its slot, its execution and its chores."""

    def __init__(
        self,
        system: System,
        options: EngineOptions,
        handlers: Handlers,
        open_workspace: OpenWorkspace,
        chores: Sequence[Chore],
        on_lost: Callable[[], None],
    ) -> None:
        from runtime.jobs.execution import Execution, Pace  # deferred: imports dbos
        from runtime.jobs.takeover import Takeover  # deferred: imports dbos

        sqlite = is_sqlite(options.url)
        self._slot: Slot = FileSlot(sqlite_path(options.url)) if sqlite else _server_slot(options.url, on_lost)
        executor = self._slot.executor
        pace = Pace(concurrency=options.concurrency, poll_s=options.poll_s, retry=options.retry, zone=options.zone)
        try:
            self._execution: Execution = Execution(system, executor, handlers, open_workspace, pace)
        except BaseException:
            self._slot.release()
            raise
        takeover = Takeover(system, executor, options.dead_after_s)
        look = Chore(name="take over", every_s=options.take_over_every_s, run=takeover.look)
        self._housekeeping = Housekeeping(chores if sqlite else (*chores, look))
        _log.info("worker started", worker=executor)

    @property
    def executor(self) -> str:
        """The slot this worker holds."""
        return self._slot.executor

    def close(self) -> None:
        """End the chores and the jobs, then free the slot, in this order: nobody may take over a job still running."""
        self._housekeeping.close()
        self._execution.close()
        self._slot.release()
        _log.info("worker stopped", worker=self.executor)


def _server_slot(url: str, on_lost: Callable[[], None]) -> Slot:
    from runtime.jobs.server_slots import ServerSlot  # deferred: imports PostgreSQL's driver

    return ServerSlot(url, on_lost)


class LateWorker:
    """A worker that is coming up in the background."""

    def __init__(self, start: Callable[[], Closable], after_s: float = 0.0) -> None:
        self._start = start
        self._after_s = after_s
        self._worker: Closable | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs-start", daemon=True)
        self._thread.start()

    def ready(self, timeout_s: float) -> bool:
        """Wait until it executes jobs. False when it does not come up in time, or failed (see the log)."""
        self._thread.join(timeout_s)
        return self._worker is not None

    def close(self) -> None:
        """Stop it, or keep it from starting."""
        self._closing.set()
        self._thread.join()
        if self._worker is not None:
            self._worker.close()

    def _run(self) -> None:
        if self._closing.wait(self._after_s):
            return
        try:
            self._worker = self._start()
        except Exception as error:  # pages are served without it; the reason must be seen
            problems = [each.code for each in error.problems] if isinstance(error, Refused) else []
            _log.error("worker did not start", reason=reason(error), problems=problems)
