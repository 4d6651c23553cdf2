"""The people of the workspace, loaded once for all submissions of a unit of work, and only when somebody asks."""

from __future__ import annotations

from engine.workflow.directory import Directory
from runtime.stages.steps import Unit
from runtime.storage.directory import load_directory


def directory_of(unit: Unit, admin_roles: frozenset[str]) -> Directory:
    """Everybody; holders of ``admin_roles`` may administer runs."""
    known = unit.people.get(admin_roles)
    if known is None:
        known = unit.people[admin_roles] = load_directory(unit.connection, unit.bundle.app.app, unit.now, admin_roles)
    return known
