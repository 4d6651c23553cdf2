"""The people of the workspace, loaded once for all submissions of a unit of work, and only when somebody asks."""

from __future__ import annotations

from engine.actor import ADMIN_ROLE
from engine.workflow.directory import Directory
from runtime.stages.steps import Unit
from runtime.storage.directory import load_directory


def directory_of(unit: Unit, admin_roles: frozenset[str] = frozenset({ADMIN_ROLE})) -> Directory:
    """Everybody; holders of ``admin_roles`` may administer runs."""
    known = unit.people.get(admin_roles)
    if known is None:
        others = next(iter(unit.people.values()), None)  # the same people, with other administrators
        if others is not None:
            known = others.administered_by(admin_roles)
        else:
            known = load_directory(unit.connection, unit.bundle.app.app, unit.now, admin_roles)
        unit.people[admin_roles] = known
    return known
