"""A changed threshold: one line of difference, running approvals keep their version, going back restores it."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import pytest

from engine.definitions.bundle import reopened
from engine.definitions.compiled import AppBundle
from runtime.publishing import plan
from runtime.publishing.running import running_touched
from runtime.storage import snapshots
from runtime.storage.database import read
from tests.houses import WORKSPACE, do
from tests.runtime.flow_house import Firm, company, expense_flow, firm

FLOW = expense_flow("""
  - approve: finance
    label: {zh: 财务审批, en: Finance}
    by: {role: finance}
  - branch:
      - when: amount > 50000
        steps:
          - approve: boss
            label: {zh: 老板审批, en: Boss}
            by: {role: boss}
""")
FILE = "workflows/expense_approval.yaml"


@pytest.fixture
def house(tmp_path: Path, house_url: str | None) -> Firm:
    return firm(tmp_path, house_url, FLOW)


def lines_changed(before: AppBundle, after: AppBundle) -> dict[str, list[str]]:
    """Per file, the lines that differ."""
    return {
        path: [
            line
            for line in unified_diff(before.files.get(path, "").splitlines(), text.splitlines(), lineterm="", n=0)
            if line[0] in "+-" and not line.startswith(("+++", "---"))
        ]
        for path, text in after.files.items()
        if text != before.files.get(path)
    }


def test_a_threshold_changes_one_line_and_no_table(house: Firm) -> None:
    database = house.home.house.workspace(WORKSPACE).database
    before, after = company(FLOW), company(FLOW.replace("50000", "80000"))
    assert lines_changed(before, after) == {FILE: ["-      - when: amount > 50000", "+      - when: amount > 80000"]}
    assert plan(database, after).changes == () and plan(database, after).problems == ()


def test_running_approvals_keep_the_version_they_began_with(house: Firm) -> None:
    clerk, finance = house.door("clerk"), house.door("finance")
    old = house.expense(clerk, 60_000)
    first = house.run(old).snapshot
    changed = company(FLOW.replace("50000", "80000"))
    database = house.home.house.workspace(WORKSPACE).database
    touched = running_touched(database, changed)
    assert [(one.node.zh, one.runs) for one in touched] == [("财务审批", 1)], "publishing says so beforehand"
    house.publish(changed)
    clerk, finance = house.door("clerk"), house.door("finance")
    new = house.expense(clerk, 60_000)
    for document in (old, new):
        do(finance, "expense", "approve", document=document)
    assert house.at(old) == ["boss"] and house.status(old) == "pending"
    assert house.status(new) == "approved"
    assert house.run(old).snapshot == first != house.run(new).snapshot


def test_going_back_restores_what_was(house: Firm) -> None:
    workspace = house.home.house.workspace(WORKSPACE)
    first = house.home.house.published(workspace).bundle
    house.publish(company(FLOW.replace("50000", "80000")))
    assert house.home.house.published(workspace).bundle.hash != first.hash
    with read(workspace.database) as connection:
        stored = snapshots.load(connection, first.hash)
    assert stored is not None
    again = reopened(stored.files, first.kinds, first.hash)
    assert isinstance(again, AppBundle)
    house.publish(again)
    assert house.home.house.published(workspace).bundle.hash == first.hash
    with read(workspace.database) as connection:
        numbers = [one.number for one in snapshots.list_of(connection)]
    assert len(numbers) == len(set(numbers)), "a return is no new version"
    document = house.expense(house.door("clerk"), 60_000)
    do(house.door("finance"), "expense", "approve", document=document)
    assert house.at(document) == ["boss"]
