"""Timers that are due: one job each, under an id of its own, so that any number of workers fire each of them once.

The timers are rows of the workspaces, due at moments of the wall clock. Handing one over twice changes nothing, for the
id is fixed; a process remembers for an hour what it has handed over, and then does so again, should a job be lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from runtime.jobs.attempt import reason
from runtime.jobs.contract import Clock, Handler, JobContext, Jobs, OpenWorkspace, Payload, Workspace
from runtime.jobs.housekeeping import Chore
from runtime.storage import timers
from runtime.storage.database import read

TIMER = "timer"
TIMERS_EVERY_S = 5.0
MOST_AT_ONCE = 500
MOST_PER_TURN = 20_000
LOST_AFTER = timedelta(hours=1)

_log = structlog.get_logger("stockloom.jobs")


def timer_id(workspace: str, timer: int) -> str:
    """The id of the job that fires a timer."""
    return f"timer:{workspace}:{timer}"


def due_timers(jobs: Jobs, workspace: Workspace, now: datetime, known: set[int]) -> int:
    """Hand over what is due in one workspace, the oldest moment first. Returns how many rows.

    Args:
        known: timers this process has handed over; those no longer due are forgotten.
    """
    handed, seen, after = 0, set[int](), None
    while handed < MOST_PER_TURN:
        with read(workspace.database) as connection:
            rows = timers.due(connection, now, MOST_AT_ONCE, after)
        for row in rows:
            number = row.id or 0
            seen.add(number)
            if number in known:
                continue
            payload = {"workspace": workspace.key, "timer": number}
            jobs.enqueue(TIMER, payload, job_id=timer_id(workspace.key, number))
            handed += 1
        if len(rows) < MOST_AT_ONCE:
            break
        after = (rows[-1].due_at, rows[-1].id or 0)
    known &= seen
    known |= seen
    return handed


def in_turn(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """The same handlers, on SQLite one call at a time.

    A file has one writer: a crowd of timers asking for it at once would only keep people's documents waiting.
    """
    turn = threading.Lock()

    def taking(handler: Handler) -> Handler:
        def call(context: JobContext, payload: Payload) -> None:
            if not context.open_workspace(str(payload["workspace"])).database.is_sqlite:
                return handler(context, payload)
            with turn:
                return handler(context, payload)

        return call

    return MappingProxyType({kind: taking(handler) for kind, handler in handlers.items()})


def timer_chore(
    workspaces: Callable[[], Iterable[str]], open_workspace: OpenWorkspace, clock: Clock
) -> Callable[[Jobs], Chore]:
    """What every worker does every few seconds: hand over the due timers of every workspace."""

    def chore(jobs: Jobs) -> Chore:
        known: dict[str, set[int]] = {}
        hour: list[datetime] = []

        def run() -> None:
            now = clock()
            if not hour or now - hour[0] > LOST_AFTER or now < hour[0]:
                known.clear()
                hour[:] = [now]
            for key in workspaces():
                try:
                    due_timers(jobs, open_workspace(key), now, known.setdefault(key, set()))
                except Exception as error:  # the next turn is the remedy
                    _log.warning("timers failed", workspace=key, reason=reason(error))

        return Chore(name="timers", every_s=TIMERS_EVERY_S, run=run)

    return chore
