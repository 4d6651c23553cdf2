"""异常: whatever ended without success and waits for somebody: rules, effects, jobs, messages. Administrators only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.permissions import is_administrator
from engine.problems import Refused, problem
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.endpoints import administrator
from runtime.facade.rule_log import RunRow, failure_words, run_rows
from runtime.jobs.contract import JobStatus
from runtime.jobs.relay import DELIVER, delivery_id, rows_of
from runtime.storage import audit, deliveries, outbox, rule_figures
from runtime.storage.database import Connection, in_transaction, read
from runtime.workspaces import list_workspaces

LOOK_BACK = timedelta(days=30)
MOST = 50
COUNTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LostEffect:
    """An effect that was given up after its last attempt, about ``document`` (0: none), which is called ``title``."""

    id: int
    kind: str
    form: str
    form_label: str
    document: int
    title: str
    at: datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LostJob:
    """A job that was given up and has no outbox row that says so; ``at``: when, where it is known."""

    id: str
    kind: str
    at: datetime | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many of each there are; runs, effects and jobs are counted no further than ``COUNTED``."""

    runs: int = 0
    effects: int = 0
    jobs: int = 0
    deliveries: int = 0

    @property
    def all(self) -> int:
        """All together."""
        return self.runs + self.effects + self.jobs + self.deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadEnds:
    """What there is, newest first; at most ``MOST`` of each. Messages are listed on their own page."""

    counts: Counts
    runs: tuple[RunRow, ...]
    effects: tuple[LostEffect, ...]
    jobs: tuple[LostJob, ...]


NOTHING = Counts()


def dead_ends(door: Door) -> DeadEnds:
    """Everything that waits. Administrators only."""
    administrator(door)
    since = door.house.now() - LOOK_BACK
    with door.reading() as unit:
        runs = run_rows(door, unit, rule_figures.unsolved(unit.connection, since, limit=MOST))
        lost = outbox.given_up(unit.connection, limit=MOST)
        jobs = _parked(door, unit.connection)
        counts = _counts(unit.connection, since, len(jobs))
        names = Names(door.language)
        forms = door.bundle.forms
        for row in lost:
            if row.form in forms and row.document:
                names.want_id(row.form, row.document)
        names.load(unit)
    return DeadEnds(
        counts=counts,
        runs=runs,
        effects=tuple(
            LostEffect(
                id=row.id or 0,
                kind=_kind(door, row.kind),
                form=row.form if row.form in forms else "",
                form_label=forms[row.form].label.text(door.language) if row.form in forms else row.form,
                document=row.document or 0,
                title=names.name(row.form, row.document) if row.form in forms and row.document else "",
                at=row.done_at or row.created_at,
                attempts=row.attempts,
                error=failure_words(door, row.error),
            )
            for row in lost
        ),
        jobs=tuple(
            LostJob(
                id=job.job_id,
                kind=_job_kind(door, job.kind),
                at=job.at,
                reasons=tuple(door.say(each) for each in job.error),
            )
            for job in jobs[:MOST]
        ),
    )


def waiting(door: Door) -> Counts:
    """How many there are, for the home page; nothing for anybody but administrators.

    Jobs are left out until the job engine is up: bringing it up takes longer than a page may.
    """
    if not is_administrator(door.actor):
        return NOTHING
    with read(door.workspace.database) as connection:
        jobs = len(_parked(door, connection)) if door.house.jobs.up() else 0
        return _counts(connection, door.house.now() - LOOK_BACK, jobs)


def try_again(door: Door, effect: int) -> None:
    """Perform an effect that was given up once more, under its own id. Administrators only.

    Raises:
        Refused: ``missing`` when it was not given up.
    """
    administrator(door)
    now = door.house.now()

    def work(connection: Connection) -> None:
        if not outbox.reopen(connection, effect):
            raise Refused([problem("rule.not_dead")], "missing")
        audit.note(connection, now, door.actor.user, "effect_tried_again", {"outbox": effect})

    in_transaction(door.workspace.database, work)
    key = door.workspace.key
    # A new id: the job that was parked keeps its own. The row knows whether it has been performed meanwhile.
    job_id = f"{delivery_id(key, effect)}:{now:%Y%m%d%H%M%S}"
    door.house.jobs.enqueue(DELIVER, {"workspace": key, "outbox": effect}, job_id=job_id)


def try_job_again(door: Door, job: str) -> None:
    """Run a job that was given up once more, under its own id. Administrators only.

    Raises:
        Refused: ``missing`` when it is none of the jobs that wait.
    """
    _settle(door, job, "job_tried_again", door.house.jobs.retry)


def drop_job(door: Door, job: str) -> None:
    """Forget a job that was given up: what it was for has been done otherwise, or is not wanted. Administrators only.

    Raises:
        Refused: ``missing`` when it is none of the jobs that wait.
    """
    _settle(door, job, "job_dropped", door.house.jobs.cancel)


def _settle(door: Door, job: str, noted: str, settle: Callable[[str], None]) -> None:
    administrator(door)
    with read(door.workspace.database) as connection:
        found = next((one for one in _parked(door, connection) if one.job_id == job), None)
    if found is None:
        raise Refused([problem("rule.not_dead")], "missing")
    told = {"job": job, "kind": found.kind}
    now = door.house.now()
    in_transaction(
        door.workspace.database, lambda connection: audit.note(connection, now, door.actor.user, noted, told)
    )
    settle(job)


def _parked(door: Door, connection: Connection) -> tuple[JobStatus, ...]:
    """Jobs of the workspace that were given up, newest first, without those whose outbox row tells what became of it.

    Chores of the whole installation are shown where it has no other workspace, whose affairs their reasons could tell.
    """
    found = door.house.jobs.parked(COUNTED, door.workspace.key)
    if len(list_workspaces(door.house.settings)) == 1:
        found = (*found, *door.house.jobs.parked(COUNTED, ""))
    return _unseen(connection, sorted(found, key=lambda one: one.at or datetime.min, reverse=True))[:COUNTED]


def _unseen(connection: Connection, jobs: Sequence[JobStatus]) -> tuple[JobStatus, ...]:
    """Those that are not about outbox rows which are done, were given up (and are listed themselves) or are gone."""
    rows = [number for one in jobs if one.kind == DELIVER for number in rows_of(one.payload)]
    still_open = outbox.open_among(connection, rows)
    return tuple(one for one in jobs if one.kind != DELIVER or not still_open.isdisjoint(rows_of(one.payload)))


def _counts(connection: Connection, since: datetime, jobs: int) -> Counts:
    dead: Mapping[str, int] = deliveries.counts(connection)
    return Counts(
        runs=rule_figures.count_unsolved(connection, since, COUNTED),
        effects=rule_figures.count_given_up(connection, COUNTED),
        jobs=jobs,
        deliveries=dead.get("dead", 0),
    )


def _kind(door: Door, kind: str) -> str:
    catalogue = door.house.catalogue
    key = f"rules.effect_{kind}"
    return catalogue.ui(key, door.language) if catalogue.has(key) else kind


def _job_kind(door: Door, kind: str) -> str:
    catalogue = door.house.catalogue
    key = f"jobs.kind_{kind.replace('.', '_')}"
    return catalogue.ui(key, door.language) if catalogue.has(key) else kind
