"""Every row of docs/rules.md names a file of cases there is, every file is named, nothing of it is missing."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from engine.definitions.consequence_checks import CONSEQUENCES
from engine.definitions.rule import DecisionTable
from engine.definitions.rule_scopes import TRIGGERS
from tests.runners.test_rules import FILES
from tests.stories.apps import ROOT

TEXT = (ROOT / "docs" / "rules.md").read_text("utf-8")
HEAD = re.compile(r"\|[-|]+\|")


def rows() -> list[str]:
    """The rows of all tables, without their heads."""
    lines = TEXT.splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if HEAD.fullmatch(line)}
    return [line for number, line in enumerate(lines) if line.startswith("|") and number not in heads]


ROWS = [row for row in rows() if not HEAD.fullmatch(row)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_the_row_is_shown(row: str) -> None:
    named = re.fullmatch(r" `([a-z_]+)\.yaml` ", row.split("|")[-2])
    assert named is not None, row
    assert named[1] in FILES


def test_every_file_is_named() -> None:
    assert sorted(name for name in FILES if f"`{name}.yaml`" not in TEXT) == []


def test_nothing_of_the_language_is_missing() -> None:
    """Every trigger, consequence and hit policy has a row."""
    firsts = {word for row in ROWS for word in re.findall(r"`([a-z_]+)", row.split("|")[1])}
    policies = get_args(DecisionTable.model_fields["hit"].annotation)
    assert {*TRIGGERS, *CONSEQUENCES, *policies} - firsts == set()
