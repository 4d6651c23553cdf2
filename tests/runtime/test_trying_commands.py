"""``stockloom try`` and ``stockloom replay``: what they say, and by which exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.houses import WORKSPACE
from tests.runtime.flow_house import company, firm
from tests.runtime.test_trying import FLOW, GIVEN, RULE, changed

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def trial(tmp_path: Path, stockloom: Run) -> Run:
    """Run a command line over a company with two expenses."""
    made = firm(tmp_path / "data", None, FLOW)
    made.publish(company(FLOW, changes=GIVEN))
    made.door("admin", "legal")
    for amount in (10, 60_000):
        made.expense(made.door("clerk"), amount)
    made.home.house.close()
    (tmp_path / "flow.yaml").write_text(changed(80_000), "utf-8")
    (tmp_path / "rule.yaml").write_text(RULE, "utf-8")

    def run(command: str, file: str, *more: str, login: str = "admin-legal") -> tuple[int, str, str]:
        return stockloom(command, str(tmp_path / file), "--workspace", WORKSPACE, "--as", login, *more)

    return run


def test_a_try_tells_every_step(trial: Run) -> None:
    code, said, complaint = trial("try", "flow.yaml", "--document", "EX20260105-0002")
    lines = said.splitlines()
    assert (code, complaint, lines[-1:]) == (0, "", ["审批通过"])
    assert "请审批 · 财务审批 · finance（任一人）" in lines
    assert "    amount > 80000: 不成立" in lines and "      amount = 60000" in lines
    code, said, _ = trial("try", "rule.yaml", "--document", "EX20260105-0002")
    assert code == 0 and said.splitlines()[-1] == "会触发"
    code, _, complaint = trial("try", "rule.yaml", "--document", "EX20260105-0002", login="clerk")
    assert code == 1 and "trying.administrators_only" in complaint


def test_a_replay_tells_differences_and_totals(trial: Run) -> None:
    period = ("--from", "2026-01-01", "--until", "2026-01-31")
    code, said, progress = trial("replay", "flow.yaml", *period)
    lines = said.splitlines()
    assert code == 0 and lines[0].endswith(": finance → boss ⇒ finance")
    assert lines[1:] == [
        "看了 2 张单据，1 张会走得不一样。",
        "finance：审批仍为 2 次。",
        "boss：1 次审批中可省去 1 次。",
    ]
    assert "已看 2 张" in progress
    _, said, _ = trial("replay", "flow.yaml", *period, "--limit", "1")
    assert said.splitlines()[-1].endswith("--after 1")
    _, said, _ = trial("replay", "flow.yaml", *period, "--after", "1", "--rows", "0")
    assert said.splitlines()[:2] == ["另有 1 张没有列出。", "看了 1 张单据，1 张会走得不一样。"]
