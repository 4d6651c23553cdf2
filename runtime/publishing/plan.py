"""What publishing a bundle would change, before anything is done: shown to the person who publishes."""

from __future__ import annotations

from dataclasses import dataclass

from engine.definitions.bundle import reopened
from engine.definitions.compiled import AppBundle
from engine.evolution import Change, changes
from engine.problems import Problem, problem
from runtime.storage import ledgers, snapshots
from runtime.storage.database import Connection, Database, read


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
    """Balances are kept by the cost settings; once something was posted they cannot mean something else."""
    if before is None:
        return ()
    old, new = before.app.settings, after.app.settings
    same = (old.cost_method, old.cost_scope) == (new.cost_method, new.cost_scope)
    if same or not ledgers.has_entries(connection):
        return ()
    return (problem("storage.cost_locked", "app.yaml"),)
