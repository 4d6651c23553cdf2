"""Every policy of docs/ledger.md names what shows it: a story there is, or a case file or test there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.stories.apps import ROOT, app_folders

TABLE = (ROOT / "docs" / "ledger.md").read_text("utf-8").split("\n## 各家做法不同之处", 1)[1].split("\n## ", 1)[0]
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith(("| 问题", "|---"))]
STORIES = {file.stem for folder in app_folders() for file in (folder / "tests").glob("*.yaml")}
NAMED = re.compile(r"`([^`]+)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_the_policy_is_shown(row: str) -> None:
    """The last column names at least one story, case folder or property test, and all of them exist."""
    cell = row.split("|")[4]
    named = NAMED.findall(cell)
    assert named or "性质测试" in cell, row
    for name in named:
        assert name in STORIES or (ROOT / name).exists(), name


def test_there_are_policies() -> None:
    """The table was found."""
    assert len(ROWS) > 20
    assert isinstance(ROOT, Path)
