"""Approvals as data: every case of tests/cases/workflow, and every run survives being stored between any two events."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle, CompiledWorkflow
from engine.expressions import Clock
from engine.problems import Problem
from engine.workflow.advance import Advanced, decide, start, withdraw
from engine.workflow.run import People, TaskSpec, run_from_json, run_json

CASES = Path(__file__).parent.parent / "cases" / "workflow"
CLOCK = Clock(today=date(2026, 1, 5), now=datetime(2026, 1, 5, 9))
SUBMITTER = 1
APP = """
app: approvals
version: 1.0.0
label: {zh: 审批, en: Approvals}
"""
FORM = """
form: order
label: {zh: 订单, en: Order}
number: "SO{biz_date:%Y%m%d}-{seq:4}"
fields:
  total: {type: money, label: {zh: 金额, en: Total}}
  urgent: {type: boolean, label: {zh: 加急, en: Urgent}}
  owner: {type: member, label: {zh: 负责人, en: Owner}}
"""
ROLE = "role: {role}\nlabel: {{zh: {role}, en: {role}}}\ngrants:\n  - {{forms: [order], actions: [read]}}\n"


def cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("purchase.yaml")):
        content = yaml.safe_load(path.read_text("utf-8"))
        for case in content["cases"]:
            found.append(pytest.param(content, case, id=f"{path.stem}-{case['name']}"))
    return found


def workflow_of(content: dict[str, Any]) -> CompiledWorkflow:
    files = {"app.yaml": APP, "forms/order.yaml": FORM, "workflows/approval.yaml": content["workflow"]}
    files |= {f"roles/{role}.yaml": ROLE.format(role=role) for role in content["people"]}
    bundle = bundle_of(files, built_in_kinds())
    assert isinstance(bundle, AppBundle), [f"{one.where} {one.code}" for one in bundle]
    return bundle.workflows["order"]


@pytest.mark.parametrize(("content", "case"), cases())
def test_runs(content: dict[str, Any], case: dict[str, Any]) -> None:
    workflow = workflow_of(content)
    people = People(
        holders={role: tuple(users) for role, users in (content["people"] | case.get("people", {})).items()}
    )
    names: dict[str, object] = {"urgent": False, "owner": None, "total": None} | case["values"]
    names["total"] = Decimal(case["values"]["total"])
    steps = [start(workflow, "hash", SUBMITTER, names, people, CLOCK)]
    for user, roles, what in case["events"]:
        assert not steps[-1].problems, steps[-1].problems
        run = run_from_json(json.loads(json.dumps(run_json(steps[-1].run))))
        if what == "withdraw":
            steps.append(withdraw(workflow, run, user))
        else:
            steps.append(decide(workflow, run, user, frozenset(roles), what == "approve", names, people, CLOCK))
    _compare(case["expect"], steps)


def _compare(expect: dict[str, Any], steps: list[Advanced]) -> None:
    problems: tuple[Problem, ...] = steps[-1].problems
    assert [one.code for one in problems] == ([expect["problem"]] if "problem" in expect else [])
    run = steps[-1].run
    if "status" in expect:
        assert str(run.status) == expect["status"]
    if "node" in expect:
        assert run.node == expect["node"]
    if "waiting" in expect:
        assert list(run.approvers) == expect["waiting"]
    if "opened" in expect:
        assert [_told(spec) for step in steps for spec in step.opened] == expect["opened"]


def _told(spec: TaskSpec) -> list[str]:
    return [spec.node, f"role {spec.role}" if spec.role else f"user {spec.user}"]
