"""Founds the demo company: a workspace, the general template published in it, departments and people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.problems import Refused
from runtime.definition_files import read_definition_files
from runtime.demo.people import DEPARTMENTS, PASSWORD, PEOPLE
from runtime.facade import accounts, organisation
from runtime.facade.door import Door
from runtime.house import House
from runtime.publishing.publish import publish
from runtime.workspaces import create_workspace

WORKSPACE = "demo"
TEMPLATE = Path(__file__).parent.parent.parent / "templates_catalog" / "general"
PUBLISHER = "管理员"
COST_LINE = re.compile(r"^  cost_method: \w+$", re.MULTILINE)


def found(house: House, cost: str = "") -> Mapping[str, Door]:
    """Create the workspace and everybody in it; returns their doors by login.

    Args:
        cost: the costing method, if it is not the template's own.

    Raises:
        Refused: the workspace exists already, or the template does not compile.
    """
    bundle = template(house, cost)
    workspace = house.keep(create_workspace(house.settings, WORKSPACE))
    publish(workspace.database, bundle, PUBLISHER, house.now())
    departments = {name: organisation.add_department(house, WORKSPACE, name) for name in DEPARTMENTS}
    for person in PEOPLE:
        user = accounts.add_user(
            house,
            WORKSPACE,
            login=person.login,
            name=person.name,
            password=PASSWORD,
            roles=person.roles,
            department=departments[person.department],
        )
        if person.head:
            organisation.put_in_charge(house, WORKSPACE, departments[person.department], user)
    return {person.login: accounts.user_door(house, WORKSPACE, person.login) for person in PEOPLE}


def template(house: House, cost: str = "") -> AppBundle:
    """The general template, compiled; with ``cost``, for a company that costs by that method."""
    read, problems = read_definition_files(TEMPLATE)
    files = dict(read)
    if cost:
        files["app.yaml"] = COST_LINE.sub(f"  cost_method: {cost}", files["app.yaml"])
    if problems:
        raise Refused(problems)
    bundle = bundle_of(files, house.kinds)
    if not isinstance(bundle, AppBundle):
        raise Refused(bundle)
    return bundle
