"""Mistakes in definitions, as data: a change to the tiny app, and the problems it must give with their addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.built_in import built_in_kinds
from engine.problems import Problem, Severity
from runtime.definition_checks import checked_bundle
from runtime.definition_files import read_definition_files
from runtime.messages.catalogue import Catalogue

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "apps" / "tiny"
CASES = ROOT / "tests" / "cases" / "definitions"
# Codes of what cannot be written as an edit of a small text; tests elsewhere in this folder give them.
ELSEWHERE = frozenset(
    {
        "definition.yaml", "definition.yaml_tab", "definition.yaml_unclosed", "definition.bad_value",
        "definition.too_large", "definition.too_many_fields", "definition.too_many_nodes", "definition.not_utf8",
        "definition.no_folder", "definition.rule_param", "definition.rule_param_missing",
        "definition.outside_folder", "definition.too_many_files", "definition.pattern_too_long",
        "definition.pattern_invalid", "definition.pattern_too_much_text", "definition.too_short",
    }
)  # fmt: skip


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{file.stem}: {case['case']}")
        for file in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load(file.read_text("utf-8"))
    ]


def tiny() -> dict[str, str]:
    files, problems = read_definition_files(TINY)
    assert problems == ()
    return dict(files)


def changed(case: Mapping[str, Any]) -> dict[str, str]:
    """The folder of the tiny app with the case's changes made."""
    files = tiny()
    for edit in case.get("edit", ()):
        assert edit["from"] in files[edit["file"]], edit
        files[edit["file"]] = files[edit["file"]].replace(edit["from"], edit["to"], 1)
    for path in case.get("remove", ()):
        del files[path]
    return files | case.get("add", {})


def line(problem: Problem) -> str:
    suggestion = f" → {problem.params['suggestion']}" if problem.params.get("suggestion") else ""
    warning = " (warning)" if problem.severity is Severity.WARNING else ""
    return f"{problem.where} {problem.code}{suggestion}{warning}"


@pytest.mark.parametrize("case", cases())
def test_case(case: Mapping[str, Any], catalogue: Catalogue) -> None:
    bundle, problems = checked_bundle(changed(case), built_in_kinds())
    assert sorted(line(each) for each in problems) == sorted(case["expect"])
    assert (bundle is None) == any(not each.endswith("(warning)") for each in case["expect"])
    for language in ("zh", "en"):
        for each in problems:
            assert catalogue.line(each, language)


def test_the_tiny_app_is_flawless() -> None:
    bundle, problems = checked_bundle(tiny(), built_in_kinds())
    assert problems == ()
    assert bundle is not None


def test_every_code_has_a_case_and_two_texts(catalogue: Catalogue) -> None:
    sources = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "runtime").glob("*.py")]
    used = {code for path in sources for code in re.findall(r'"(definition\.[a-z0-9_]+)"', path.read_text("utf-8"))}
    shown = {entry.split(" ")[1] for param in cases() for entry in param.values[0]["expect"]}
    assert used - shown - ELSEWHERE == set()
    for language in ("zh", "en"):
        written = {code for code in catalogue.problems[language] if code.startswith("definition.")}
        assert written == used
