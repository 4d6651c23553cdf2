"""Runs as the last release stored them, on both databases: they open, go on, and `verify` knows what it cannot know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.labels import Label
from runtime.storage import process_tables as tables
from runtime.storage import runs, workflow_runs
from runtime.storage.database import Connection, in_transaction
from runtime.storage.workflow_runs import Task
from tests.houses import WORKSPACE, do
from tests.runtime.flow_house import Firm, company, firm
from tests.stories.apps import ROOT

GOLDENS = ROOT / "tests" / "goldens" / "runs"
APPROVAL = """
workflow: approval
label: {zh: 报销审批, en: Expense approval}
form: expense
steps:
  - approve: manager
    label: {zh: 主管, en: Manager}
    by: {role: boss}
  - branch:
      - when: amount > 5
        steps:
          - approve: finance
            label: {zh: 财务, en: Finance}
            by: [{role: finance}, {role: legal}]
            mode: all
  - approve: owner
    label: {zh: 负责人, en: Owner}
    by: {field: owner}
"""


def as_stored_before(made: Firm, document: int, name: str, asked: dict[str, object], users: dict[int, int]) -> None:
    """A run of the last release: state in format 1, a task without a seat, no log of moves."""
    state = json.loads((GOLDENS / f"{name}.json").read_text("utf-8"))
    at, starter = made.home.clock(), made.door("clerk").actor.user
    with made.watch().reading() as unit:
        snapshot = unit.bundle.hash
    state |= {
        "snapshot": snapshot,
        "starter": starter,
        "approvers": [users[user] for user in state["approvers"]],
        "decisions": [one | {"user": users[one["user"]]} for one in state["decisions"]],
    }

    def work(connection: Connection) -> None:
        connection.execute(sa.delete(tables.task).where(tables.task.c.document == document))
        run = runs.start_run(
            connection, form="expense", document=document, workflow="approval", snapshot=snapshot, state=state, at=at,
            user=starter,
        ).id  # fmt: skip
        task = Task(
            kind="approval", title=Label("审批", "Approve"), created_at=at, form="expense", document=document, run=run,
            node=state["node"], **asked,  # type: ignore[arg-type]
        )  # fmt: skip
        workflow_runs.create_tasks(connection, [task])

    in_transaction(made.home.house.workspace(WORKSPACE).database, work)


@pytest.mark.parametrize("name", ["format_1_pool", "format_1_all", "format_1_person"])
def test_a_run_of_the_last_release_goes_on(tmp_path: Path, house_url: str | None, name: str) -> None:
    made = firm(tmp_path, house_url)
    clerk, boss, finance, legal = (made.door(role) for role in ("clerk", "boss", "finance", "legal"))
    document = made.expense(clerk, 10 if name == "format_1_all" else 1, owner=boss.actor.user)
    made.publish(company(APPROVAL))
    clerk, boss, finance, legal = (made.door(role) for role in ("clerk", "boss", "finance", "legal"))
    people = {11: boss.actor.user, 21: finance.actor.user, 22: legal.actor.user}
    asked: dict[str, dict[str, object]] = {
        "format_1_pool": {"role": "boss"},
        "format_1_all": {"user": legal.actor.user},
        "format_1_person": {"user": boss.actor.user},
    }
    as_stored_before(made, document, name, asked[name], people)
    assert made.sound() == 0, "nothing has been logged yet"
    where = {"format_1_pool": "manager", "format_1_all": "finance", "format_1_person": "owner"}
    assert made.at(document) == [where[name]]
    if name == "format_1_pool":
        do(boss, "expense", "approve", document=document)
    elif name == "format_1_all":
        do(legal, "expense", "approve", document=document)
    else:
        made.flow(boss, document, "transfer", users=(legal.actor.user,))
        do(legal, "expense", "approve", document=document)
        assert made.status(document) == "approved" and made.tasks(document) == []
        return
    assert made.at(document) == ["owner"] and [task.user for task in made.tasks(document)] == [boss.actor.user]
    assert made.sound() == 1, "its log does not reach back to the beginning"
    do(boss, "expense", "approve", document=document)
    assert made.status(document) == "approved" and made.tasks(document) == []
