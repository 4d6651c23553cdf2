"""Timers that are due: handed over as jobs, so that any number of workers fire each of them once.

A worker hands over a page of them, and the next when half of that has been told: the effects of what people do stand in
the same queue, and must not wait behind ten thousand deadlines. Where many are due, one job fires a bundle of them,
each in a transaction of its own; one that fails is handed over again alone, and hinders no other.

The timers are rows of the workspaces, due at moments of the wall clock. Firing one twice changes nothing, for its row
says that it has ended. The job of a single timer has a fixed id. A process remembers for an hour what it has handed
over; what is still due then is handed over alone, should a job be lost or have been given up for another timer in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
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
PAGE = 200
BUNDLE = 50
MOST_AT_ONCE = 500
MOST_PER_TURN = 20_000
LOST_AFTER = timedelta(hours=1)

_log = structlog.get_logger("stockloom.jobs")


def timer_id(workspace: str, timer: int) -> str:
    """The id of the job that fires a timer."""
    return f"timer:{workspace}:{timer}"


def bundle_id(workspace: str, numbers: Sequence[int]) -> str:
    """The id of the job that fires these; two workers that look at the same moment enqueue one job."""
    told = sha256(",".join(map(str, numbers)).encode()).hexdigest()[:16]
    return f"timers:{workspace}:{numbers[0]}:{told}"


def hand_over_alone(jobs: Jobs, workspace: str, number: int) -> str:
    """A job for this timer only; returns its id."""
    return jobs.enqueue(TIMER, {"workspace": workspace, "timer": number}, job_id=timer_id(workspace, number))


def due_timers(jobs: Jobs, workspace: Workspace, now: datetime, known: set[int]) -> int:
    """Hand over what is due in one workspace, the oldest moment first, each alone. Returns how many rows.

    Args:
        known: timers this process has handed over; those no longer due are forgotten.
    """
    found = _due(workspace, now, known, MOST_PER_TURN)
    for number in found:
        hand_over_alone(jobs, workspace.key, number)
    known.update(found)
    return len(found)


def _due(workspace: Workspace, now: datetime, known: set[int], most: int) -> Sequence[int]:
    """Timers that are due and not ``known``, ``most`` of them; what is known and no longer due is forgotten."""
    found, seen, after = list[int](), set[int](), None
    while len(found) < most:
        with read(workspace.database) as connection:
            rows = timers.due(connection, now, MOST_AT_ONCE, after)
        for row in rows:
            number = row.id or 0
            if number in known:
                seen.add(number)
            elif len(found) < most:
                found.append(number)
        if len(rows) < MOST_AT_ONCE:
            break
        after = (rows[-1].due_at, rows[-1].id or 0)
    known &= seen
    return found


def _bundled(jobs: Jobs, workspace: str, numbers: Sequence[int]) -> Sequence[str]:
    """Hand over in bundles; the ids of the jobs. The bundles of two workers that look one after the other overlap as
    little as can be, because they end at the same ids."""
    bundles: dict[int, list[int]] = {}
    for number in numbers:
        bundles.setdefault(number // BUNDLE, []).append(number)
    ids = []
    for each in bundles.values():
        if len(each) == 1:
            ids.append(hand_over_alone(jobs, workspace, each[0]))
            continue
        payload = {"workspace": workspace, "timers": each}
        ids.append(jobs.enqueue(TIMER, payload, job_id=bundle_id(workspace, each)))
    return ids


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
        late: dict[str, set[int]] = {}  # handed over an hour ago
        half: dict[str, str] = {}  # workspace → the job in the middle of the page handed over last
        hour: list[datetime] = []

        def look(key: str, now: datetime) -> None:
            mine = known.setdefault(key, set())
            page = _due(open_workspace(key), now, mine, PAGE)
            alone = [number for number in page if number in late.get(key, ())]
            ids = [hand_over_alone(jobs, key, number) for number in alone]
            ids += _bundled(jobs, key, [number for number in page if number not in alone])
            mine.update(page)
            half.pop(key, None)
            if ids:
                half[key] = ids[len(ids) // 2]

        def run() -> None:
            now = clock()
            if not hour or now - hour[0] > LOST_AFTER or now < hour[0]:
                late.clear()
                late.update(known)
                known.clear()
                half.clear()
                hour[:] = [now]
            for key in workspaces():
                try:
                    if key not in half or _ended(jobs, half[key]):
                        look(key, now)
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
