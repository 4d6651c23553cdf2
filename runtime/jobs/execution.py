"""Executing jobs: the two generic workflows of the product, registered with DBOS and run until closed.

A workflow here is deterministic because it does one thing: call the handler of a kind as a step. DBOS stores that the
step ended, repeats it after a failure, and starts the workflow again when its process died in between. Handlers are
given by a frozen mapping; nothing about forms, rules or flows is a workflow of DBOS, so changing them breaks no job.
DBOS is one per process, and so is an `Execution`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, PortableWorkflowError

from runtime.jobs.attempt import attempt, problems_json
from runtime.jobs.contract import (
    LONG,
    QUICK,
    STANDARD_RETRY,
    Handlers,
    JobCancelled,
    JobContext,
    OpenWorkspace,
    Progress,
    Retry,
)
from runtime.jobs.system import ABI, APPLICATION, RUN_JOB, RUN_SCHEDULED, SCHEMA, System

MOST_CRASHES = 3
QUICK_SHARE = 4
LONG_PATIENCE = 4
CLOSE_WAIT_S = 20
SCHEDULE_POLL_S = 10.0
PROGRESS_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a worker works: parallel long jobs (four times as many quick ones), and how often it looks for jobs."""

    concurrency: int = 4
    poll_s: float = 0.2
    retry: Retry = STANDARD_RETRY
    zone: str = "Asia/Shanghai"


class Execution:
    """The jobs of this process, from construction to `close`."""

    def __init__(
        self, system: System, executor: str, handlers: Handlers, open_workspace: OpenWorkspace, pace: Pace
    ) -> None:
        self._system = system
        self._handlers = handlers
        self._open_workspace = open_workspace
        self._pace = pace
        self._active = 0
        self._counting = threading.Lock()
        for queue, parallel, poll_s in (
            (QUICK, pace.concurrency * QUICK_SHARE, pace.poll_s),
            (LONG, pace.concurrency, pace.poll_s * LONG_PATIENCE),
        ):
            system.client.register_queue(queue, worker_concurrency=parallel, polling_interval_sec=poll_s)
        DBOS(config=self._config(executor))
        logging.getLogger("dbos").addFilter(_not_said_already)
        try:
            self._register()
            DBOS.launch()
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            raise

    def close(self) -> None:
        """Take no more jobs, wait for the running ones (`CLOSE_WAIT_S` at most), leave the rest to the next worker."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=CLOSE_WAIT_S if self._active else 0)

    def _config(self, executor: str) -> DBOSConfig:
        return DBOSConfig(
            name=APPLICATION,
            system_database_engine=self._system.engine,
            dbos_system_schema=SCHEMA,
            application_version=ABI,
            executor_id=executor,
            serializer=DBOSPortableJSONSerializer(),
            scheduler_polling_interval_sec=SCHEDULE_POLL_S,
            run_migrations=False,
            log_level="ERROR",
        )

    def _register(self) -> None:
        @DBOS.workflow(name=RUN_JOB, max_recovery_attempts=MOST_CRASHES - 1)
        def run_job(kind: str, payload: dict[str, Any]) -> None:
            self._as_step(kind, payload, None)

        @DBOS.workflow(name=RUN_SCHEDULED, max_recovery_attempts=MOST_CRASHES - 1)
        def run_scheduled(due: Any, schedule: dict[str, Any]) -> None:
            meant = due if isinstance(due, datetime) else datetime.fromisoformat(due)
            local = meant.astimezone(ZoneInfo(self._pace.zone)).replace(tzinfo=None)
            self._as_step(schedule["kind"], schedule["payload"], local)

    def _as_step(self, kind: str, payload: dict[str, Any], due: datetime | None) -> None:
        retry = self._pace.retry
        problems = DBOS.run_step(
            {
                "name": "handle",
                "retries_allowed": retry.attempts > 1,
                "max_attempts": retry.attempts,
                "interval_seconds": retry.first_s,
                "backoff_rate": retry.factor,
            },
            self._perform,
            kind,
            payload,
            due,
        )
        if problems:
            codes = ", ".join(each["code"] for each in problems)
            raise PortableWorkflowError(message=codes, name="Parked", code="parked", data={"problems": [*problems]})

    def _perform(self, kind: str, payload: dict[str, Any], due: datetime | None) -> list[dict[str, Any]]:
        status = DBOS.step_status
        number = 1 + (status.current_attempt or 0) if status is not None else 1
        job_id = DBOS.workflow_id or ""
        context = JobContext(
            job_id=job_id,
            kind=kind,
            attempt=number,
            last_attempt=number >= self._pace.retry.attempts,
            scheduled_for=due,
            open_workspace=self._open_workspace,
            progress=self._reporter(job_id),
        )
        with self._counting:
            self._active += 1
        try:
            return problems_json(attempt(self._handlers, context, payload))
        finally:
            with self._counting:
                self._active -= 1

    def _reporter(self, job_id: str) -> Callable[[int, int], None]:
        """Writes at most every `PROGRESS_EVERY_S`, and always the last one."""
        written = -PROGRESS_EVERY_S

        def report(done: int, total: int) -> None:
            nonlocal written
            now = time.monotonic()
            if now - written < PROGRESS_EVERY_S and done < total:
                return
            written = now
            if not self._system.report_progress(job_id, Progress(done=done, total=total)):
                raise JobCancelled

        return report


def _not_said_already(record: logging.LogRecord) -> bool:
    """How a job ended is in its status and in the product's own log line; DBOS would add a traceback of its insides."""
    return not record.getMessage().startswith("Exception encountered in background workflow")
