"""The job engine of an installation, put together: what always runs, and what the composition root adds.

The composition root gives `JobParts`; the import, export and other packages give handlers of their own kinds. This is
the one place that knows which chores and schedules belong to a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from runtime.faults import NO_FAULTS, Faults
from runtime.jobs.contract import Clock, Handler, Handlers, Jobs, OpenWorkspace
from runtime.jobs.deliver import NOBODY_ELSE, Performing, StartFollowUp, delivery_handler
from runtime.jobs.engine import JobEngine, engine_options
from runtime.jobs.housekeeping import Chore
from runtime.jobs.inline import InlineJobs
from runtime.jobs.relay import DELIVER
from runtime.jobs.retention import EVERY_NIGHT, RETENTION, retention_handler
from runtime.jobs.sweep import SWEEP_EVERY_S, sweep_all
from runtime.sealing import SEAL, sealing_handler
from runtime.settings import Settings

NO_HANDLERS: Handlers = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobParts:
    """What jobs need of the rest of the product.

    Attributes:
        open_workspace: workspace key → open workspace; called often, so it keeps them open.
        workspaces: the keys of all workspaces.
        start_document: performs a follow-up document; see `runtime.jobs.deliver.delivery_handler`.
        clock: now, naive, in the product's zone.
        handlers: further kinds, such as imports. schedules: when which of them runs by itself (kind → cron).
        chores: what every worker does besides, given the engine. performing: effects of further kinds.
        retention_days: how long traces of finished work are kept.
        seal_hours: hours between two seals of the ledgers.
        faults: what tests make go wrong.
    """

    open_workspace: OpenWorkspace
    workspaces: Callable[[], Iterable[str]]
    start_document: StartFollowUp
    clock: Clock
    handlers: Mapping[str, Handler] = field(default_factory=lambda: NO_HANDLERS)
    schedules: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    chores: Sequence[Callable[[Jobs], Chore]] = ()
    performing: Performing = NOBODY_ELSE
    retention_days: int = 30
    seal_hours: int = 1
    faults: Faults = NO_FAULTS


def job_engine(settings: Settings, parts: JobParts) -> JobEngine:
    """The durable engine of this installation. Nothing is opened or imported before its first verb."""
    return JobEngine(engine_options(settings), parts.open_workspace, lambda engine: standing_chores(engine, parts))


def inline_jobs(parts: JobParts) -> InlineJobs:
    """Jobs that run when somebody drains them, with the same handlers."""
    jobs = InlineJobs(parts.clock, parts.open_workspace)
    jobs.worker(inline_handlers(parts))
    return jobs


def engine_handlers(engine: JobEngine, parts: JobParts) -> Handlers:
    """What to give to ``engine.worker`` or ``engine.start_later``."""
    return all_handlers(parts, engine.delete_finished)


def inline_handlers(parts: JobParts) -> Handlers:
    """What to give to ``InlineJobs.worker``."""
    return all_handlers(parts, _nothing_to_forget)


def all_handlers(parts: JobParts, delete_finished: Callable[[datetime], int]) -> Handlers:
    """Every kind of job, frozen. Raises ``ValueError`` when an added kind has the name of a standing one."""
    standing = {
        DELIVER: delivery_handler(parts.start_document, parts.clock, parts.faults, parts.performing),
        RETENTION: retention_handler(parts.workspaces, delete_finished, parts.clock, parts.retention_days),
        SEAL: sealing_handler(parts.workspaces, parts.clock),
    }
    if doubled := standing.keys() & parts.handlers.keys():
        raise ValueError(f"job kinds given twice: {sorted(doubled)}")
    return MappingProxyType({**standing, **parts.handlers})


def standing_chores(jobs: Jobs, parts: JobParts) -> tuple[Chore, ...]:
    """What every worker does at short intervals, and once at its start."""

    def look_after_schedules() -> None:
        jobs.schedule(RETENTION, EVERY_NIGHT, {}, RETENTION)
        for kind, cron in parts.schedules.items():
            jobs.schedule(kind, cron, {}, kind)
        jobs.schedule(SEAL, f"7 */{parts.seal_hours} * * *", {}, SEAL)

    def look_after_outboxes() -> None:
        sweep_all(jobs, parts.workspaces, parts.open_workspace, parts.clock)

    return (
        Chore(name="schedules", every_s=3600.0, run=look_after_schedules),
        Chore(name="sweep", every_s=SWEEP_EVERY_S, run=look_after_outboxes),
        *(chore(jobs) for chore in parts.chores),
    )


def _nothing_to_forget(before: datetime) -> int:
    return 0
