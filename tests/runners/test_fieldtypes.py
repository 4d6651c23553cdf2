"""Runs ``tests/cases/fieldtypes/*.yaml`` through the built-in types, and the examples of ``docs/fields.md``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.definitions.form import FieldDef
from engine.fieldtypes import BUILT_IN, Attachment, Image, Lines
from engine.fieldtypes.contract import read
from runtime.messages.catalogue import load_catalogue

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tests" / "cases" / "fieldtypes").glob("*.yaml"))
CATALOGUE = load_catalogue(strict=True)
DOCS = (ROOT / "docs" / "fields.md").read_text("utf-8")


def rows() -> list[Any]:
    found = []
    for path in FILES:
        sheet = yaml.safe_load(path.read_text("utf-8"))
        for number, case in enumerate(sheet["cases"], 1):
            options = {**sheet.get("options", {}), **case.get("options", {})}
            found.append(pytest.param(sheet["type"], options, case, id=f"{path.stem}-{number}-{case['in']!r:.30}"))
    return found


@pytest.mark.parametrize(("name", "options", "case"), rows())
def test_case(name: str, options: dict[str, Any], case: dict[str, Any]) -> None:
    kind = BUILT_IN[name]
    settings = kind.options.model_validate(options)
    value, problems = read(kind, case["in"], settings)
    if "problem" in case:
        assert [problem.code for problem in problems] == [case["problem"]]
        assert problems[0].where == case.get("where", "")
        assert case.get("params", {}).items() <= dict(problems[0].params).items()
        for language, expected in case.get("sentence", {}).items():
            assert " ".join(filter(None, CATALOGUE.text(problems[0], language))) == expected
    else:
        assert problems == ()
        assert (None if value is None else kind.to_json(value, settings)) == case["json"]
        for language in ("zh", "en"):
            if language in case:
                assert kind.format(value, settings, language) == case[language]


def test_every_type_has_cases() -> None:
    assert {path.stem for path in FILES} == set(BUILT_IN)


@pytest.mark.parametrize(
    ("name", "size", "codes"),
    [
        ("合同.PDF", 10, []),
        ("run.exe", 10, ["field.file_kind"]),
        ("noextension", 10, ["field.file_kind"]),
        ("a.pdf", 2 * 1024 * 1024 + 1, ["field.file_too_large"]),
        ("a.pdf.exe", 3 * 1024 * 1024, ["field.file_kind", "field.file_too_large"]),
    ],
)
def test_uploads_are_judged_by_name_and_size(name: str, size: int, codes: list[str]) -> None:
    kind = Attachment()
    settings = kind.options.model_validate({"accept": ["pdf"], "max_mb": 2})
    assert [problem.code for problem in kind.check_file(name, size, settings)] == codes


def test_an_image_is_never_an_svg() -> None:
    assert [problem.code for problem in Image().check_file("x.svg", 1, Image().options())] == ["field.file_kind"]


@pytest.mark.parametrize(("count", "codes"), [(0, ["field.too_few_rows"]), (1, []), (3, ["field.too_many_rows"])])
def test_row_counts(count: int, codes: list[str]) -> None:
    settings = Lines().options.model_validate({"min_rows": 1, "max_rows": 2})
    assert [problem.code for problem in Lines().check_rows(count, settings)] == codes


def sections() -> dict[str, str]:
    """Text below each level-three heading of the manual that begins with a type name in code quotes."""
    parts = re.split(r"^### `([a-z_]+)`.*$", DOCS, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_manual_names_every_option_and_its_examples_hold(name: str) -> None:
    section = sections()[name]
    for option in BUILT_IN[name].options.model_fields:
        assert f"`{option}`" in section, option
    blocks = re.findall(r"```yaml\n(.*?)```", section, flags=re.DOTALL)
    assert blocks
    shared = {field.alias or key for key, field in FieldDef.model_fields.items()}
    for block in blocks:
        for definition in yaml.safe_load(block)["fields"].values():
            own = {key: value for key, value in definition.items() if key not in shared}
            BUILT_IN[definition["type"]].options.model_validate(own)


def test_the_manual_explains_every_code() -> None:
    codes = {code for code in CATALOGUE.problems["zh"] if code.startswith("field.")}
    assert {code for code in codes if f"`{code}`" not in DOCS} == set()
