"""Whether a workflow finds the people it names, in the house it is published to. Warnings: people come and go."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definitions.approver_checks import ways_of
from engine.definitions.load import Loaded
from engine.definitions.people import Who
from engine.definitions.reading import Place
from engine.definitions.references import caution
from engine.definitions.workflow_checks import own_nodes
from engine.problems import Problem, suggestion
from engine.workflow.directory import Directory


def staffing(loaded: Loaded, directory: Directory) -> Iterator[Problem]:
    """Roles nobody holds, logins nobody has, heads no department has. A house without anybody is told nothing."""
    if not directory.people:
        return
    for workflow in loaded.workflows.values():
        for _, node, at in own_nodes(workflow):
            for who, place in ways_of(node, at):
                yield from _way(loaded, directory, who, place)


def _way(loaded: Loaded, directory: Directory, who: Who, place: Place) -> Iterator[Problem]:
    picked = who.chosen.role if who.chosen is not None else None
    for role, at in ((who.role, place / "role"), (picked, place / "chosen" / "role")):
        if role is not None and not directory.by_role.get(role):
            yield caution(loaded, at, "workflow.role_empty", role=role)
    logins = () if who.member is None else who.member if isinstance(who.member, tuple) else (who.member,)
    for index, login in enumerate(logins):
        at = place / "member" / index if isinstance(who.member, tuple) else place / "member"
        number = directory.by_login.get(login)
        if number is None:
            yield caution(
                loaded, at, "workflow.login_unknown", key=False, login=login, **suggestion(login, directory.by_login)
            )
        elif not directory.active(number):
            yield caution(loaded, at, "workflow.login_left", login=login)
    by_head = {
        "department_head": who.department_head,
        "supervisor": who.supervisor,
        "supervisors_up_to": who.supervisors_up_to,
    }
    heads = [unit.head for unit in directory.departments.values() if unit.head is not None]
    for name, asked in by_head.items():
        if asked and not any(directory.active(head) for head in heads):
            yield caution(loaded, place / name, "workflow.no_head", key=True)
