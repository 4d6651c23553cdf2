"""What every way of waking rules outside a submission shares: a unit of work by the automation, and its effects kept.

Each is one transaction: what the rules decided, what they remember and the outbox rows of what follows stand or fall
together, under a key that makes doing it again harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from engine.actor import Actor, automation
from engine.effects import Effect, effect_json
from runtime.house import House
from runtime.stages.judge_rules import Decided, settle
from runtime.stages.steps import Unit
from runtime.storage import idempotency, outbox
from runtime.storage.database import Connection
from runtime.storage.outbox import OutboxRow
from runtime.submit import in_submission, unit_of
from runtime.workspaces import Workspace

AUTOMATION = 0
Rows: TypeAlias = list[int]
T = TypeVar("T")
NO_OUTCOME: Mapping[str, Any] = MappingProxyType({})


def in_unit(house: House, place: Workspace, work: Callable[[Unit, Rows], T], actor: Actor | None = None) -> T:
    """Do ``work`` in a transaction and hand over the outbox rows it adds; what it answers.

    Args:
        actor: instead of the automation.
    """
    context = house.context(place, house.published(place), actor or automation())
    rows: Rows = []

    def attempt(connection: Connection) -> T:
        rows.clear()  # an earlier attempt met another writer
        return work(unit_of(context, connection), rows)

    answer = in_submission(place.database, attempt)
    house.hand_over(place, rows)
    return answer


def follow(unit: Unit, rows: Rows, group: Sequence[Decided], *, rerun_of: int = 0) -> None:
    """Keep what the rules decided, and what follows in the outbox."""
    if group:
        rows += kept(unit, settle(unit, group, rerun_of=rerun_of))


def kept(unit: Unit, effects: Iterable[Effect]) -> Sequence[int]:
    """Put effects into the outbox."""
    return outbox.add(
        unit.connection,
        [
            OutboxRow(
                kind=effect.kind,
                payload=effect_json(effect),
                form=str(getattr(effect, "form", "")),
                document=getattr(effect, "document", None),
                created_at=unit.now,
                snapshot=unit.bundle.hash,
                user=unit.around.actor.user,
            )
            for effect in effects
        ],
    )


def done_before(connection: Connection, key: str) -> Mapping[str, Any] | None:
    """What was kept when this was done; None when it was not."""
    known = idempotency.find(connection, key, AUTOMATION)
    return None if known is None else known.outcome


def note_done(unit: Unit, key: str, outcome: Mapping[str, Any] = NO_OUTCOME) -> None:
    """Remember that this was done."""
    idempotency.save(unit.connection, key, AUTOMATION, key, dict(outcome), unit.now)
