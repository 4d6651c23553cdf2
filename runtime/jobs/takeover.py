"""Jobs of a dead worker go to a living one. PostgreSQL only: on SQLite the restarted process finds its own jobs.

A worker is dead when nobody has held its slot (`runtime.jobs.server_slots`) for longer than a worker needs to notice
that it lost its slot and to end. Its jobs are listed and handed on while the lock of the slot is held, so two living
workers cannot hand on the same job, and the dead one cannot come back in between. A job that was handed on
`MOST_TAKEOVERS` times has probably killed its workers; it is parked instead.
"""

from __future__ import annotations

import time

import structlog

from runtime.jobs.contract import QUICK
from runtime.jobs.server_slots import if_dead
from runtime.jobs.system import System

MOST_TAKEOVERS = 3

_log = structlog.get_logger("stockloom.jobs")


class Takeover:
    """Looks for dead workers on behalf of the worker ``own``; ``dead_after_s``: how long a slot must have been free."""

    def __init__(self, system: System, own: str, dead_after_s: float) -> None:
        self._system = system
        self._own = own
        self._dead_after_s = dead_after_s
        self._dead_since: dict[str, float] = {}

    def look(self) -> int:
        """Hand on what dead workers had begun. Returns how many jobs were handed on."""
        owners = {job.executor_id for job in self._system.running() if job.executor_id}
        now = time.monotonic()
        dead_since: dict[str, float] = {}
        given = 0
        for executor in sorted(owners - {self._own}):
            with if_dead(self._system.engine, executor) as dead:
                if not dead:
                    continue
                dead_since[executor] = self._dead_since.get(executor, now)
                if now - dead_since[executor] >= self._dead_after_s:
                    given += self._hand_on_jobs_of(executor)
        self._dead_since = dead_since
        return given

    def _hand_on_jobs_of(self, executor: str) -> int:
        given = 0
        for job in self._system.running():
            if job.executor_id == executor:
                handed_on = self._system.hand_on(job, MOST_TAKEOVERS, QUICK)
                given += handed_on
                _log.warning("job of a dead worker", job=job.workflow_id, worker=executor, handed_on=handed_on)
        return given
