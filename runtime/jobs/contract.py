"""What the product asks of a job engine: six verbs, and what a handler is given.

A job is a kind and a small JSON payload (ids, never documents). It runs at least once, so a handler must be idempotent.
Two engines keep this contract, `runtime.jobs.engine.JobEngine` (durable) and `runtime.jobs.inline.InlineJobs` (in this
process, by a given clock); `tests/contracts/jobs_contract.py` runs against both. Nothing here knows a database engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from engine.problems import Problem

if TYPE_CHECKING:
    from runtime.storage.database import Database

QUICK = "quick"
LONG = "long"
QUEUES: tuple[str, ...] = (QUICK, LONG)

Payload: TypeAlias = Mapping[str, Any]


class Workspace(Protocol):
    """The part of a workspace jobs need."""

    @property
    def key(self) -> str:
        """Names the workspace in payloads and job ids."""
        ...

    @property
    def database(self) -> Database:
        """Where its rows are."""
        ...


OpenWorkspace: TypeAlias = Callable[[str], Workspace]
Clock: TypeAlias = Callable[[], datetime]


class JobState(StrEnum):
    """Where a job stands. ``parked``: it failed for good and is kept until somebody retries or drops it."""

    DELAYED = "delayed"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    PARKED = "parked"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Whether nothing will happen any more without somebody's doing."""
        return self in (JobState.DONE, JobState.PARKED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running job is, in units of its own choice (rows, documents)."""

    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """What is known about one job. ``error`` is empty unless it is parked.

    ``payload`` is what it was given, ``at`` (in the product's zone) when it came to stand there; neither is compared.
    """

    job_id: str
    kind: str
    state: JobState
    progress: Progress | None = None
    error: tuple[Problem, ...] = ()
    payload: Payload = field(default_factory=lambda: MappingProxyType({}), compare=False)
    at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a failing handler is called again, and after how many seconds: ``first_s``, then times ``factor``."""

    attempts: int = 5
    first_s: float = 1.0
    factor: float = 2.0


STANDARD_RETRY = Retry()


class JobCancelled(Exception):
    """Raised by ``JobContext.progress`` when somebody cancelled the job; a handler lets it pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """What a handler is given beside its payload.

    Attributes:
        job_id: the id of this run.
        kind: the kind it was enqueued under.
        attempt: 1 for the first call, counting the retries of this run.
        last_attempt: whether the job is parked if this call raises.
        scheduled_for: the moment a schedule meant, naive in the product's zone; None for other jobs.
        open_workspace: workspace key → workspace.
        progress: ``progress(done, total)``; cheap, may be called for every row. Raises `JobCancelled`.
    """

    job_id: str
    kind: str
    attempt: int = 1
    last_attempt: bool = True
    scheduled_for: datetime | None = None
    open_workspace: OpenWorkspace
    progress: Callable[[int, int], None]


Handler: TypeAlias = Callable[[JobContext, Payload], None]
Handlers: TypeAlias = Mapping[str, Handler]


class Closable(Protocol):
    """A running worker."""

    def close(self) -> None:
        """Stop taking jobs, let the running ones end, and return."""
        ...


class Jobs(Protocol):
    """The six verbs. Ids are used once: a verb that names an id in use changes nothing and returns it."""

    def enqueue(self, kind: str, payload: Payload, *, job_id: str | None = None, queue: str = QUICK) -> str:
        """Run a job as soon as a worker is free. ``LONG`` is the queue of jobs that take minutes."""
        ...

    def schedule(self, kind: str, cron: str, payload: Payload, name: str) -> None:
        """Run a job at every moment ``cron`` names (5 fields, or 6 with seconds first). Replaces schedule ``name``."""
        ...

    def delay(self, kind: str, payload: Payload, seconds: float, job_id: str) -> str:
        """Run a job once, ``seconds`` from now."""
        ...

    def cancel(self, job_id: str) -> None:
        """Take back a job that has not ended. A running handler stops at its next ``progress``."""
        ...

    def status(self, job_id: str) -> JobStatus:
        """Where the job stands. Raises ``Refused`` (``missing``, code ``job.unknown``)."""
        ...

    def worker(self, handlers: Handlers) -> Closable:
        """Start executing in this process."""
        ...


class ParkedJobs(Protocol):
    """For the person who looks after failed jobs."""

    def up(self) -> bool:
        """Whether asking is cheap: the engine has been brought up already."""
        ...

    def parked(self, limit: int = 100, workspace: str | None = None) -> tuple[JobStatus, ...]:
        """Failed jobs, newest first; with ``workspace`` those whose payload names it, ``""`` those that name none."""
        ...

    def retry(self, job_id: str) -> None:
        """Run a parked job again under its id. Raises ``Refused`` (``job.unknown`` or ``job.not_parked``)."""
        ...


class JobDesk(Jobs, ParkedJobs, Protocol):
    """Both halves of an engine."""


def in_workspace(status: JobStatus, workspace: str | None) -> bool:
    """Whether `ParkedJobs.parked` means this job."""
    return workspace is None or str(status.payload.get("workspace", "")) == workspace
