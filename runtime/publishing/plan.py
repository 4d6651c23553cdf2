"""What publishing a bundle would change, before anything is done: shown to the person who publishes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.definitions.app import LedgerDef
from engine.definitions.bundle import reopened
from engine.definitions.compiled import AppBundle
from engine.evolution import Change, changes
from engine.problems import Problem, problem
from runtime.storage import ledgers, snapshots
from runtime.storage.database import Connection, Database, read

COST_SETTINGS = ("cost_method", "cost_scope", "cost_by_lot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The way from what is current to a bundle.

    Attributes:
        current: hash of the current snapshot, None before the first publish.
        before: the current bundle; None too when it no longer compiles.
        changes: to tables, in the order they are performed.
        problems: what forbids publishing.
    """

    current: str | None
    before: AppBundle | None
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]

    @property
    def loses_data(self) -> bool:
        """Whether something a person entered leaves the forms; it is archived, not destroyed."""
        return any(change.loses_data for change in self.changes)


def plan(database: Database, bundle: AppBundle) -> Plan:
    """The plan for publishing ``bundle``."""
    with read(database) as connection:
        return plan_in(connection, bundle)


def plan_in(connection: Connection, bundle: AppBundle) -> Plan:
    """As `plan`, in the caller's transaction."""
    current = snapshots.current_hash(connection, bundle.app.app)
    before = _bundle(connection, current, bundle)
    return Plan(
        current=current,
        before=before,
        changes=tuple(changes(before, bundle)),
        problems=_problems(connection, before, bundle),
    )


def _bundle(connection: Connection, snapshot: str | None, like: AppBundle) -> AppBundle | None:
    if snapshot is None:
        return None
    if snapshot == like.hash:
        return like
    stored = snapshots.load(connection, snapshot)
    if stored is None:
        return None
    compiled = reopened(stored.files, like.kinds, snapshot)
    return compiled if isinstance(compiled, AppBundle) else None


def _problems(connection: Connection, before: AppBundle | None, after: AppBundle) -> tuple[Problem, ...]:
    """What was posted cannot come to mean something else: neither what it cost, nor which balances it counts in."""
    if before is None:
        return ()
    old, new = before.app.settings, after.app.settings
    same = all(getattr(old, name) == getattr(new, name) for name in COST_SETTINGS)
    posted = ledgers.has_entries(connection)
    found = [] if same or not posted else [problem("storage.cost_locked", "app.yaml")]
    if posted and old.money_decimals != new.money_decimals:
        # Every value was rounded to the old number of places, and `verify` finds it again by rounding.
        places = {"old": old.money_decimals, "new": new.money_decimals}
        found.append(problem("storage.decimals_locked", "app.yaml", **places))
    return (*found, *_ledgers_in_use(connection, before, after))


def _ledgers_in_use(connection: Connection, before: AppBundle, after: AppBundle) -> Iterator[Problem]:
    """Own ledgers that have entries and would go, or keep their balances by something else."""
    kept = {each.ledger: each for each in after.app.ledgers}
    for own in before.app.ledgers:
        there = kept.get(own.ledger)
        if there is not None and _shape(there) == _shape(own):
            continue
        if ledgers.has_entries(connection, own.ledger):
            code = "storage.ledger_in_use" if there is None else "storage.ledger_shape_locked"
            yield problem(code, "app.yaml", ledger=own.label, key=own.ledger)


def _shape(own: LedgerDef) -> tuple[object, ...]:
    grains = {each.grain: frozenset(each.dimensions) for each in own.grains}
    return frozenset(own.dimensions), grains, own.subject
