"""May I see this one? equals show me all I may: ``admits`` and ``WHERE`` over every mix of roles, on both databases."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from engine.actor import Actor
from engine.environment import scene
from engine.permissions import admits, form_access
from runtime.facade.door import Door
from runtime.facade.lists import row_condition
from runtime.stages.steps import load_linked
from runtime.storage import documents, lists
from runtime.storage.lists import ListQuery
from tests.houses import Home, do, make_home

APP = {
    "app.yaml": "app: rows\nversion: 1.0.0\nlabel: {zh: 行, en: Rows}\n",
    "forms/customer.yaml": """
form: customer
kind: master
label: {zh: 客户, en: Customer}
display: "{name}"
search: [name]
fields:
  name: {type: text, label: {zh: 名称, en: Name}}
  salesperson: {type: member, label: {zh: 业务员, en: Salesperson}}
  limit: {type: money, label: {zh: 额度, en: Limit}}
""",
    "forms/visit.yaml": """
form: visit
label: {zh: 拜访, en: Visit}
number: "V{seq:6}"
fields:
  customer: {type: link, to: customer, label: {zh: 客户, en: Customer}}
  amount: {type: money, label: {zh: 金额, en: Amount}}
""",
}
ROLES = {
    "own": "own",
    "team": "department",
    "mine": "customer.salesperson == me",
    "large": "amount > customer.limit",
    "unset": "customer == None or amount == None",
    "boss": "all",
    "maker": "creator == me and doc_status == 'draft'",
}
USERS = 4


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    folder = tmp_path / "app"
    files = dict(APP)
    for role, rows in ROLES.items():
        files[f"roles/{role}.yaml"] = (
            f"role: {role}\nlabel: {{zh: {role}, en: {role}}}\ngrants:\n"
            f'  - {{forms: [visit], actions: [read, create], rows: "{rows}"}}\n'
            f"  - {{forms: [customer], actions: [read, create, update]}}\n"
        )
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return make_home(tmp_path / "data", folder, house_url)


def test_predicate_and_where_agree(home: Home) -> None:
    door = home.everybody()
    chance = random.Random(20260105)
    customers = [
        do(
            door, "customer", "save", {"name": f"C{number}", "salesperson": chance.choice([None, 2, 3]), "limit": limit}
        ).document
        for number, limit in enumerate((None, 0, 100, 500))
    ]
    for _ in range(60):
        data = {
            "customer": chance.choice([None, *customers]),
            "amount": chance.choice([None, "0", "100", "100.01", "900"]),
        }
        actor = replace(door.actor, user=chance.randint(1, USERS), department=chance.choice([None, 1, 2, 3]))
        do(replace(door, actor=actor), "visit", "save", data)
    compared = 0
    for size in range(1, len(ROLES) + 1):
        for roles in combinations(sorted(ROLES), size):
            compared += _compare(door, frozenset(roles), chance)
    assert compared == 2 ** len(ROLES) - 1


def _compare(door: Door, roles: frozenset[str], chance: random.Random) -> int:
    actor = Actor(
        user=chance.randint(1, USERS), name="somebody", roles=roles, department=1, departments=frozenset({1, 2})
    )
    asking = replace(door, actor=actor)
    form = door.bundle.forms["visit"]
    access = form_access(door.bundle, form, actor)
    with asking.reading() as unit:
        every = lists.page(unit.connection, unit.tables, "visit", ListQuery(columns=("id",), limit=500))
        found = documents.load_many(unit.connection, unit.tables, "visit", [int(str(row["id"])) for row in every.rows])
        linked = load_linked(unit, form, found.values())
        admitted = {
            identity
            for identity, one in found.items()
            if admits(access.rows["read"], one, scene(form, one, linked, unit.around).header, actor, unit.around.clock)
        }
        where = row_condition(asking, unit, form, access)
        shown = lists.page(unit.connection, unit.tables, "visit", ListQuery(columns=("id",), where=where, limit=500))
    assert {int(str(row["id"])) for row in shown.rows} == admitted, (sorted(roles), actor.user)
    return 1
