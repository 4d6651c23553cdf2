"""Jobs in this process, on demand, by a given clock: for stories, demonstrations and tests.

Nothing runs until somebody calls `InlineJobs.drain`, which runs everything due, in the order of due time and then of
arrival, including what the jobs themselves enqueue. Nothing is kept on disk: the outbox is, and a sweep finds it again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from croniter import croniter

from engine.problems import Refused, problem
from runtime.jobs.attempt import attempt
from runtime.jobs.contract import (
    QUICK,
    STANDARD_RETRY,
    Clock,
    Handlers,
    JobCancelled,
    JobContext,
    JobState,
    JobStatus,
    OpenWorkspace,
    Payload,
    Progress,
    Retry,
    in_workspace,
)
from runtime.jobs.request import check_cron, check_request


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    due: datetime
    payload: Payload
    scheduled_for: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Schedule:
    kind: str
    cron: str
    payload: Payload
    due: datetime


class InlineJobs:
    """Keeps the contract of `runtime.jobs.contract.Jobs` and `ParkedJobs` without a thread or a database."""

    def __init__(self, clock: Clock, open_workspace: OpenWorkspace, retry: Retry = STANDARD_RETRY) -> None:
        self._clock = clock
        self._open_workspace = open_workspace
        self._retry = retry
        self._order = count(1)
        self._waiting: dict[str, _Entry] = {}
        self._due: list[tuple[datetime, int, str]] = []
        self._statuses: dict[str, JobStatus] = {}
        self._schedules: dict[str, _Schedule] = {}
        self._handlers: Handlers = {}

    def enqueue(self, kind: str, payload: Payload, *, job_id: str | None = None, queue: str = QUICK) -> str:
        """See the contract. The queue makes no difference here."""
        check_request(job_id, queue)
        return self._add(kind, payload, job_id or f"job-{next(self._order)}", self._clock())

    def schedule(self, kind: str, cron: str, payload: Payload, name: str) -> None:
        """See the contract. Several moments missed between two drains run once, for the latest of them."""
        check_cron(cron)
        kept = self._schedules.get(name)
        due = kept.due if kept is not None and kept.cron == cron else _next(cron, self._clock())
        self._schedules[name] = _Schedule(kind=kind, cron=cron, payload=payload, due=due)

    def delay(self, kind: str, payload: Payload, seconds: float, job_id: str) -> str:
        """See the contract."""
        check_request(job_id, QUICK)
        return self._add(kind, payload, job_id, self._clock() + timedelta(seconds=seconds))

    def cancel(self, job_id: str) -> None:
        """See the contract."""
        status = self.status(job_id)
        if status.state is JobState.PARKED:
            del self._statuses[job_id]
        elif status.state is not JobState.DONE:
            self._waiting.pop(job_id, None)
            self._statuses[job_id] = replace(status, state=JobState.CANCELLED)

    def status(self, job_id: str) -> JobStatus:
        """See the contract."""
        found = self._statuses.get(job_id)
        if found is None:
            raise Refused([problem("job.unknown", job=job_id)], kind="missing")
        entry = self._waiting.get(job_id)
        if entry is not None and found.state is JobState.DELAYED and entry.due <= self._clock():
            return replace(found, state=JobState.WAITING)
        return found

    def worker(self, handlers: Handlers) -> InlineJobs:
        """Use ``handlers`` from now on. Returns itself: closing forgets them."""
        self._handlers = handlers
        return self

    def close(self) -> None:
        """Forget the handlers; jobs stay."""
        self._handlers = {}

    def up(self) -> bool:
        """See the contract."""
        return True

    def parked(self, limit: int = 100, workspace: str | None = None) -> tuple[JobStatus, ...]:
        """See the contract."""
        found = [
            status
            for status in self._statuses.values()
            if status.state is JobState.PARKED and in_workspace(status, workspace)
        ]
        return tuple(reversed(found))[:limit]

    def retry(self, job_id: str) -> None:
        """See the contract."""
        status = self.status(job_id)
        if status.state is not JobState.PARKED:
            raise Refused([problem("job.not_parked", job=job_id)], kind="conflict")
        del self._statuses[job_id]
        self._add(status.kind, status.payload, job_id, self._clock())

    def drain(self) -> tuple[JobStatus, ...]:
        """Run everything due now. Returns how each run ended, in order of execution."""
        ended: list[JobStatus] = []
        self._fire_schedules()
        while self._due and self._due[0][0] <= self._clock():
            job_id = heapq.heappop(self._due)[2]
            if job_id in self._waiting:
                ended.append(self._run(job_id))
        return tuple(ended)

    def _add(
        self, kind: str, payload: Payload, job_id: str, due: datetime, scheduled_for: datetime | None = None
    ) -> str:
        if job_id not in self._statuses:
            state = JobState.DELAYED if due > self._clock() else JobState.WAITING
            self._statuses[job_id] = JobStatus(job_id=job_id, kind=kind, state=state, payload=payload)
            self._waiting[job_id] = _Entry(due=due, payload=payload, scheduled_for=scheduled_for)
            heapq.heappush(self._due, (due, next(self._order), job_id))
        return job_id

    def _fire_schedules(self) -> None:
        now = self._clock()
        for name, each in list(self._schedules.items()):
            if each.due > now:
                continue
            just_after = now.replace(microsecond=0) + timedelta(seconds=1)
            meant = croniter(each.cron, just_after, second_at_beginning=True).get_prev(datetime)
            self._add(each.kind, each.payload, f"sched-{name}-{meant.isoformat()}", meant, meant)
            self._schedules[name] = replace(each, due=_next(each.cron, now))

    def _run(self, job_id: str) -> JobStatus:
        entry = self._waiting.pop(job_id)
        self._statuses[job_id] = replace(self._statuses[job_id], state=JobState.RUNNING)
        for number in range(1, self._retry.attempts + 1):
            context = JobContext(
                job_id=job_id,
                kind=self._statuses[job_id].kind,
                attempt=number,
                last_attempt=number == self._retry.attempts,
                scheduled_for=entry.scheduled_for,
                open_workspace=self._open_workspace,
                progress=self._progress(job_id),
            )
            try:
                problems = attempt(self._handlers, context, entry.payload)
            except Exception:  # `attempt` says with an exception that another attempt is worth it
                continue
            status = self._statuses[job_id]
            if status.state is JobState.RUNNING:
                state = JobState.PARKED if problems else JobState.DONE
                self._statuses[job_id] = replace(status, state=state, error=problems, at=self._clock())
            break
        return self._statuses[job_id]

    def _progress(self, job_id: str) -> Callable[[int, int], None]:
        def report(done: int, total: int) -> None:
            status = self._statuses[job_id]
            if status.state is JobState.CANCELLED:
                raise JobCancelled
            self._statuses[job_id] = replace(status, progress=Progress(done=done, total=total))

        return report


def _next(cron: str, after: datetime) -> datetime:
    found: datetime = croniter(cron, after, second_at_beginning=True).get_next(datetime)
    return found
