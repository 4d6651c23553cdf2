"""异常: whatever ended without success and waits for somebody: rules, effects, messages. Administrators only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.permissions import is_administrator
from engine.problems import Refused, problem
from runtime.facade.door import Door
from runtime.facade.endpoints import administrator
from runtime.facade.rule_log import RunRow, run_rows
from runtime.jobs.relay import DELIVER, delivery_id
from runtime.storage import audit, deliveries, outbox, rule_figures
from runtime.storage.database import Connection, in_transaction, read

LOOK_BACK = timedelta(days=30)
MOST = 50
COUNTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LostEffect:
    """An effect that was given up after its last attempt; ``record`` is the document it is about, 0 for none."""

    id: int
    kind: str
    form: str
    form_label: str
    document: int
    at: datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many of each there are; runs and effects are counted no further than ``COUNTED``."""

    runs: int = 0
    effects: int = 0
    deliveries: int = 0

    @property
    def all(self) -> int:
        """All together."""
        return self.runs + self.effects + self.deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadEnds:
    """What there is, newest first; at most ``MOST`` of each. Messages are listed on their own page."""

    counts: Counts
    runs: tuple[RunRow, ...]
    effects: tuple[LostEffect, ...]


NOTHING = Counts()


def dead_ends(door: Door) -> DeadEnds:
    """Everything that waits. Administrators only."""
    administrator(door)
    since = door.house.now() - LOOK_BACK
    with door.reading() as unit:
        runs = run_rows(door, unit, rule_figures.unsolved(unit.connection, since, limit=MOST))
        lost = outbox.given_up(unit.connection, limit=MOST)
        counts = _counts(unit.connection, since)
    forms = door.bundle.forms
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
                at=row.done_at or row.created_at,
                attempts=row.attempts,
                error=row.error or "",
            )
            for row in lost
        ),
    )


def waiting(door: Door) -> Counts:
    """How many there are, for the home page; nothing for anybody but administrators."""
    if not is_administrator(door.actor):
        return NOTHING
    with read(door.workspace.database) as connection:
        return _counts(connection, door.house.now() - LOOK_BACK)


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


def _counts(connection: Connection, since: datetime) -> Counts:
    dead: Mapping[str, int] = deliveries.counts(connection)
    return Counts(
        runs=rule_figures.count_unsolved(connection, since, COUNTED),
        effects=rule_figures.count_given_up(connection, COUNTED),
        deliveries=dead.get("dead", 0),
    )


def _kind(door: Door, kind: str) -> str:
    catalogue = door.house.catalogue
    key = f"rules.effect_{kind}"
    return catalogue.ui(key, door.language) if catalogue.has(key) else kind
