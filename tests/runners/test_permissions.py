"""Field and action access as data: every case of tests/cases/permissions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.actor import Actor
from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.document import DocStatus, Document, Line
from engine.permissions import form_access, masked, write_problems

CASES = Path(__file__).parent.parent / "cases" / "permissions"
APP = "app: access\nversion: 1.0.0\nlabel: {zh: 权限, en: Access}\n"
THING = """
form: thing
label: {zh: 物, en: Thing}
number: "T{seq:4}"
fields:
  name: {type: text, label: {zh: 名, en: Name}}
  secret: {type: text, label: {zh: 密, en: Secret}}
  fixed: {type: text, label: {zh: 定, en: Fixed}}
  cost: {type: price, tags: [cost], label: {zh: 成本, en: Cost}}
  lines:
    type: lines
    label: {zh: 明细, en: Lines}
    fields:
      qty: {type: quantity, label: {zh: 数量, en: Quantity}}
      cost: {type: price, tags: [cost], label: {zh: 成本, en: Cost}}
"""
OTHER = """
form: other
label: {zh: 他, en: Other}
number: "O{seq:4}"
fields:
  name: {type: text, label: {zh: 名, en: Name}}
"""


def cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        content = yaml.safe_load(path.read_text("utf-8"))
        found += [pytest.param(content["roles"], case, id="+".join(case["held"])) for case in content["cases"]]
    return found


def bundle(roles: dict[str, str]) -> AppBundle:
    files = {"app.yaml": APP, "forms/thing.yaml": THING, "forms/other.yaml": OTHER}
    for role, text in roles.items():
        files[f"roles/{role}.yaml"] = f"role: {role}\nlabel: {{zh: {role}, en: {role}}}\n{text}"
    made = bundle_of(files, built_in_kinds())
    assert isinstance(made, AppBundle), [f"{one.where} {one.code}" for one in made]
    return made


@pytest.mark.parametrize(("roles", "case"), cases())
def test_access(roles: dict[str, str], case: dict[str, Any]) -> None:
    app = bundle(roles)
    form = app.forms["thing"]
    access = form_access(app, form, Actor(user=1, name="x", roles=frozenset(case["held"])))
    assert sorted(access.actions) == case["actions"]
    assert {path: access.access(path).name.lower() for path in case["access"]} == case["access"]
    _masking_follows(access, case["access"])


def _masking_follows(access: Any, expected: dict[str, str]) -> None:
    """What is hidden is absent from a masked document; what is not writable is refused when typed."""
    filled = Document(
        form="thing",
        status=DocStatus.DRAFT,
        values={"name": "a", "secret": "b", "fixed": "c", "cost": None},
        lines={"lines": (Line(number=1, values={"qty": None, "cost": None}),)},
    )
    shown = masked(filled, access)
    for path, word in expected.items():
        table, dot, key = path.partition(".")
        if dot:
            rows = shown.lines.get(table, ())
            assert any(key in row.values for row in rows) == (word != "hidden")
        elif path == "lines":
            assert ("lines" in shown.lines) == (word != "hidden")
        else:
            assert (path in shown.values) == (word != "hidden")


def test_typed_fields_without_the_right_are_named_with_their_line() -> None:
    roles = yaml.safe_load((CASES / "fields.yaml").read_text("utf-8"))["roles"]
    app = bundle(roles)
    form = app.forms["thing"]
    access = form_access(app, form, Actor(user=1, name="x", roles=frozenset({"keeper"})))
    typed = {"name", "cost", "lines.2.cost", "lines.2.qty"}
    assert [(one.where, one.code) for one in write_problems(access, typed)] == [
        ("cost", "permission.field_denied"),
        ("lines.2.cost", "permission.field_denied"),
    ]
