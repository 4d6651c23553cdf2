"""Every row of docs/workflow.md names cases that are there, and every file of cases is named by a row."""

from __future__ import annotations

import re

import pytest

from tests.runners.test_workflow_core import documents
from tests.stories.apps import ROOT

TEXT = (ROOT / "docs" / "workflow.md").read_text("utf-8")
HEAD = re.compile(r"\|[-|]+\|")
CASES = {path.name: [case["name"] for case in content["cases"]] for path, content in documents()}


def rows() -> list[str]:
    """The rows of all tables, without their heads."""
    lines = TEXT.splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if HEAD.fullmatch(line)}
    return [
        line
        for number, line in enumerate(lines)
        if line.startswith("|") and number not in heads and not HEAD.fullmatch(line)
    ]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("|")[1].strip())
def test_the_row_is_shown(row: str) -> None:
    """By a file there is, and by the case it names."""
    cell = row.split("|")[-2]
    if "| refused |" in row:
        assert cell.strip() == ""
        return
    named = re.search(r"`([a-z_]+\.yaml)`(?:: (.+))?", cell)
    assert named is not None, row
    assert named[1] in CASES
    wanted = (named[2] or "").strip()
    assert any(name == wanted or name.startswith(f"{wanted} ") for name in CASES[named[1]]) or not wanted


def test_every_file_is_named() -> None:
    """No cases beside the documentation."""
    assert sorted(name for name in CASES if f"`{name}`" not in TEXT) == []
    assert len(rows()) > 100
