"""Timers that are due: one job each, under an id of its own, so that any number of workers fire each of them once.

A worker hands over a page of them, and the next when half of that has been told: the effects of what people do stand in
the same queue, and must not wait behind ten thousand deadlines.

The timers are rows of the workspaces, due at moments of the wall clock. Handing one over twice changes nothing, for the
id is fixed; a process remembers for an hour what it has handed over, and then does so again, should a job be lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from engine.problems import Refused
from runtime.jobs.attempt import reason
from runtime.jobs.contract import Clock, Handler, JobContext, Jobs, OpenWorkspace, Payload, Workspace
from runtime.jobs.housekeeping import Chore
from runtime.storage import timers
from runtime.storage.database import read

TIMER = "timer"
TIMERS_EVERY_S = 1.0
PAGE = 100
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
    return len(_handed_over(jobs, workspace, now, known, MOST_PER_TURN))


def _handed_over(jobs: Jobs, workspace: Workspace, now: datetime, known: set[int], most: int) -> Sequence[int]:
    """`due_timers`, ``most`` of them; returns their ids."""
    handed, seen, after = list[int](), set[int](), None
    while len(handed) < most:
        with read(workspace.database) as connection:
            rows = timers.due(connection, now, MOST_AT_ONCE, after)
        for row in rows:
            number = row.id or 0
            if number in known:
                seen.add(number)
            elif len(handed) < most:
                payload = {"workspace": workspace.key, "timer": number}
                jobs.enqueue(TIMER, payload, job_id=timer_id(workspace.key, number))
                seen.add(number)
                handed.append(number)
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
    """What every worker does every second: hand over the next page of due timers of every workspace."""

    def chore(jobs: Jobs) -> Chore:
        known: dict[str, set[int]] = {}
        half: dict[str, str] = {}  # workspace → the job in the middle of the page handed over last
        hour: list[datetime] = []

        def run() -> None:
            now = clock()
            if not hour or now - hour[0] > LOST_AFTER or now < hour[0]:
                known.clear()
                half.clear()
                hour[:] = [now]
            for key in workspaces():
                try:
                    if key in half and not _ended(jobs, half[key]):
                        continue
                    page = _handed_over(jobs, open_workspace(key), now, known.setdefault(key, set()), PAGE)
                    half.pop(key, None)
                    if page:
                        half[key] = timer_id(key, page[len(page) // 2])
                except Exception as error:  # the next turn is the remedy
                    _log.warning("timers failed", workspace=key, reason=reason(error))

        return Chore(name="timers", every_s=TIMERS_EVERY_S, run=run)

    return chore


def _ended(jobs: Jobs, job_id: str) -> bool:
    """Whether nobody works on it any more; one that is parked, or forgotten, keeps nobody waiting."""
    try:
        return jobs.status(job_id).state.finished
    except Refused as refused:
        if refused.kind != "missing":
            raise
        return True
