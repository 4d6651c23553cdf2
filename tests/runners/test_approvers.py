"""Whom a definition means, as data: every case of tests/cases/approvers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.definitions.people import Who
from engine.expressions import Row
from engine.workflow.approvers import Context, merged, resolve, stands_for
from engine.workflow.directory import Department, Directory, Person, StandIn
from engine.workflow.state import Asked

CASES = Path(__file__).parent.parent / "cases" / "approvers"
NOW = datetime(2026, 1, 20, 9, 30)
FORM = "order"


def cases() -> list[Any]:
    return [
        pytest.param(content, case, id=f"{path.stem}: {case['name']}")
        for path in sorted(CASES.glob("*.yaml"))
        for content in [yaml.safe_load(path.read_text("utf-8"))]
        for case in content["cases"]
    ]


def numbers(content: dict[str, Any]) -> dict[str, int]:
    return {name: number for number, name in enumerate((*content["people"], *content.get("departments", ())), 1)}


def stand_in(written: Any, number: int, ids: dict[str, int]) -> StandIn:
    (pair, detail) = (written, "") if isinstance(written, str) else next(iter(written.items()))
    user, to_user = (ids[name] for name in pair.split(" to "))
    begins, ends = "01-01", "02-01"
    form = "" if " .. " in detail else detail
    if " .. " in detail:
        begins, ends = detail.split(" .. ")
    period = [datetime.fromisoformat(f"2026-{text}") for text in (begins, ends)]
    return StandIn(id=number, user=user, to_user=to_user, form=form, from_at=period[0], until_at=period[1])


def directory(content: dict[str, Any], case: dict[str, Any]) -> Directory:
    ids = numbers(content)
    return Directory(
        people={
            ids[name]: Person(
                id=ids[name],
                login=name,
                name=name.title(),
                department=ids.get(one.get("in", "")),
                active=not one.get("left", False),
                roles=frozenset(one.get("roles", ())),
            )
            for name, one in content["people"].items()
        },
        departments={
            ids[name]: Department(id=ids[name], parent=ids.get(one.get("above", "")), head=ids.get(one.get("head", "")))
            for name, one in content.get("departments", {}).items()
        },
        stand_ins=tuple(stand_in(each, number, ids) for number, each in enumerate(case.get("stand_ins", ()), 1)),
    )


def value(written: Any, ids: dict[str, int]) -> object:
    if isinstance(written, dict):
        return Row(ids[written["row"]], {})
    if isinstance(written, list):
        return tuple(ids[name] for name in written)
    return ids.get(written)


def told(one: Asked, names: dict[int, str]) -> str:
    if one.user is None:
        return f"role {one.role}"
    says = " + ".join(names[user] for user in stands_for(one) if user != one.user)
    if one.behalf is not None:
        return f"{names[one.user]} for {says}"
    return f"{names[one.user]} + {says}" if says else names[one.user]


@pytest.mark.parametrize(("content", "case"), cases())
def test_case(content: dict[str, Any], case: dict[str, Any]) -> None:
    ids = numbers(content)
    people = directory(content, case)
    starter = ids[case.get("starter", "ann")]
    department = ids[case["department"]] if "department" in case else people.people[starter].department
    context = Context(
        starter=starter,
        department=department,
        chosen=tuple(ids[name] for name in case.get("chosen", ())),
        named=tuple(ids[name] for name in case["named"]) if "named" in case else None,
        form=FORM,
        at=NOW,
        pool=case.get("pool", False),
        apart=case.get("apart", False),
    )
    found = resolve(Who.model_validate(case["who"]), context, people, value(case.get("value"), ids))
    names = {number: name for name, number in ids.items()}
    assert ("external" if found is None else [told(one, names) for one in found]) == case["asked"]


def test_several_ways_ask_everybody_once() -> None:
    """What one way and another mean is put together: nobody is asked twice, no say is lost or counted twice."""
    several = (
        Asked(user=3, behalf=1),
        Asked(role="keeper"),
        Asked(user=3, behalf=2, also=(1,)),
        Asked(user=4),
        Asked(role="keeper"),
        Asked(user=4, behalf=5),
        Asked(user=3),
    )
    assert merged(several) == (Asked(user=3, also=(1, 2)), Asked(role="keeper"), Asked(user=4, also=(5,)))


def test_a_circle_of_departments_ends() -> None:
    people = {1: Person(id=1, login="a", name="A", department=1)}
    rings = {1: Department(id=1, parent=2), 2: Department(id=2, parent=1, head=1)}
    found = resolve(
        Who(department_head=True), Context(starter=1, department=1, at=NOW), Directory(people=people, departments=rings)
    )
    assert found == (Asked(user=1),)
