"""``plan``, ``publish``, ``user`` and ``verify``: what they say, what they refuse, and by which exit code."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.houses import WORKSPACE
from tests.runtime.flow_house import COMPANY, expense_flow, firm

TINY = Path(__file__).parents[1] / "apps" / "tiny"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A copy of the tiny app that a test may change."""
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))


def test_publishing_makes_the_workspace_and_says_what_it_did(stockloom: Run, app: Path) -> None:
    code, said, _ = stockloom("publish", str(app), "--workspace", "acme", "--lang", "en")
    assert code == 0
    assert "Created the workspace acme." in said
    assert said.splitlines()[-1].startswith("Published Warehouse book 1.0.0 in workspace acme (")
    assert stockloom("plan", str(app), "--workspace", "acme")[:2] == (0, "= 数据表没有改动。\n")


def test_an_app_with_mistakes_is_not_published(stockloom: Run, app: Path, tmp_path: Path) -> None:
    form = app / "forms" / "product.yaml"
    form.write_text(form.read_text("utf-8").replace("type: quantity", "type: quantiti"), "utf-8")
    code, _, complaint = stockloom("publish", str(app), "--workspace", "acme")
    assert code == 1
    assert "forms/product.yaml:" in complaint
    assert "quantity" in complaint, "did you mean"
    assert not (tmp_path / "data" / "acme").exists()


def test_data_leave_the_forms_only_when_somebody_says_so(stockloom: Run, app: Path) -> None:
    assert stockloom("publish", str(app), "--workspace", "acme")[0] == 0
    form = app / "forms" / "product.yaml"
    kept = [line for line in form.read_text("utf-8").splitlines() if not line.startswith("  spec:")]
    form.write_text("\n".join(kept).replace("name, spec,", "name,"), "utf-8")
    code, said, _ = stockloom("plan", str(app), "--workspace", "acme")
    assert (code, said.startswith("! ")) == (0, True)
    code, _, complaint = stockloom("publish", str(app), "--workspace", "acme")
    assert (code, complaint.split()[0]) == (1, "publish.loses_data")
    assert stockloom("publish", str(app), "--workspace", "acme", "--accept-loss")[0] == 0
    assert stockloom("plan", str(app), "--workspace", "acme", "--lang", "en")[1] == "= No table changes.\n"


def test_a_workspace_that_is_not_there_is_named(stockloom: Run, app: Path) -> None:
    assert stockloom("publish", str(app), "--workspace", "acme")[0] == 0
    code, _, complaint = stockloom("plan", str(app), "--workspace", "acmee")
    assert (code, complaint.split()[0]) == (1, "storage.workspace_unknown")
    assert "acme" in complaint
    assert stockloom("verify", "--workspace", "nobody")[0] == 1
    assert stockloom("publish", str(app), "--workspace", "No Such Key")[0] == 1


def test_accounts_need_roles_there_are(stockloom: Run, app: Path) -> None:
    assert stockloom("publish", str(app), "--workspace", "acme")[0] == 0
    add = ("user", "add", "li", "--workspace", "acme", "--password", "long enough")
    code, _, complaint = stockloom(*add, "--role", "keper")
    assert (code, complaint.split()[:2]) == (1, ["roles", "account.unknown_role"])
    assert "keeper" in complaint
    assert stockloom("user", "add", "li", "--workspace", "acme", "--password", "short", "--role", "keeper")[0] == 1
    code, _, complaint = stockloom(*add, "--role", "keeper", "--warehouse", "W9")
    assert (code, complaint.split()[:2]) == (1, ["warehouse", "link.not_found"]), "and no account is left behind"
    assert stockloom(*add, "--role", "keeper")[:2] == (0, "已在工作区 acme 新建账号 li。\n")
    assert stockloom(*add, "--role", "keeper")[0] == 1, "the login is taken"


def test_verify_tells_every_workspace_and_fails_on_a_difference(stockloom: Run, app: Path, tmp_path: Path) -> None:
    for key in ("acme", "other"):
        assert stockloom("publish", str(app), "--workspace", key)[0] == 0
    code, said, _ = stockloom("verify")
    assert (code, len(said.splitlines())) == (0, 2)
    with sqlite3.connect(tmp_path / "data" / "acme" / "workspace.db") as connection:
        connection.execute(
            "insert into sys_balance (key, ledger, grain, product, warehouse, bin, lot, serial, status, owner, partner,"
            " subject, element, ref_form, ref_document, ref_line, move, month, quantity, value, entries, head, version)"
            " values ('stock|place|p1|w1', 'stock', 'place', 1, 1, 0, '', '', '', 0, 0, 0, '', '', 0, 0, '', 0,"
            " 5000000, 0, 0, '', 1)"
        )
    connection.close()
    code, said, _ = stockloom("verify", "--workspace", "acme")
    assert code == 1
    assert "verify.balance" in said
    assert stockloom("verify", "--workspace", "other")[0] == 0


def test_plan_and_publish_name_the_running_approvals_they_touch(stockloom: Run, tmp_path: Path) -> None:
    flow = expense_flow("  - approve: boss\n    label: {zh: 老板审批, en: Boss}\n    by: {role: boss}")
    made = firm(tmp_path / "data", None, flow)
    made.expense(made.door("clerk"))
    made.expense(made.door("clerk"))
    made.home.house.close()
    folder = Path(shutil.copytree(COMPANY, tmp_path / "company"))
    (folder / "workflows").mkdir()
    file = folder / "workflows" / "expense_approval.yaml"
    file.write_text(flow, "utf-8")
    for command in ("plan", "publish"):
        assert "running runs" not in stockloom(command, str(folder), "--workspace", WORKSPACE, "--lang", "en")[1]
    file.write_text(flow.replace("approve: boss", "approve: chief"), "utf-8")
    told = "· Boss: 2 running runs have no such node in the new version; they stay on theirs."
    for command in ("plan", "publish"):
        code, said, _ = stockloom(command, str(folder), "--workspace", WORKSPACE, "--lang", "en")
        assert code == 0 and told in said
