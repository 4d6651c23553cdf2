"""The built-in field types under their contract, and what is true of all of them together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.definitions.form import FieldDef
from engine.fieldtypes import BUILT_IN
from engine.fieldtypes.contract import FieldType
from runtime.messages.catalogue import load_catalogue
from tests.contracts.field_type_contract import FieldTypeContract, Subject
from tests.contracts.field_type_subjects import SUBJECTS

ROOT = Path(__file__).parents[2]
CODE = re.compile(r'"((?:field|link)\.[a-z_]+)"')


class TestBuiltIn(FieldTypeContract):
    @pytest.fixture(params=SUBJECTS)
    def subject(self, request: pytest.FixtureRequest) -> Subject:
        return SUBJECTS[request.param]


def test_every_built_in_type_is_a_subject() -> None:
    assert {subject.kind.name for subject in SUBJECTS.values()} == set(BUILT_IN)
    assert all(BUILT_IN[name].name == name for name in BUILT_IN)


def test_one_file_and_one_class_per_type() -> None:
    for name, kind in BUILT_IN.items():
        assert type(kind).__module__ == f"engine.fieldtypes.{name}"
        assert type(kind).__name__ == "".join(word.capitalize() for word in name.split("_"))


def test_every_code_has_its_text() -> None:
    folder = ROOT / "engine" / "fieldtypes"
    used = {code for path in folder.glob("*.py") for code in CODE.findall(path.read_text("utf-8"))}
    problems = load_catalogue().problems
    assert used <= set(problems["zh"])
    assert used <= set(problems["en"])


@pytest.mark.parametrize("kind", BUILT_IN.values(), ids=BUILT_IN)
def test_no_option_is_called_like_a_key_every_field_has(kind: FieldType) -> None:
    assert not set(kind.options.model_fields) & set(FieldDef.model_fields)


@pytest.mark.parametrize("kind", BUILT_IN.values(), ids=BUILT_IN)
def test_unknown_options_are_refused(kind: FieldType) -> None:
    with pytest.raises(ValidationError):
        kind.options.model_validate({"no_such_option": 1})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("text", {"max_length": 0}),
        ("text", {"min_length": 9, "max_length": 3}),
        ("text", {"pattern": "(a+)+"}),
        ("text", {"pattern": "(a|a)*b"}),
        ("text", {"pattern": "a?" * 40}),
        ("text", {"pattern": "a*" * 5 + "b"}),
        ("text", {"pattern": "(?=x)"}),
        ("text", {"pattern": r"(a)\1"}),
        ("text", {"pattern": "[z-a]"}),
        ("text", {"pattern": "(a"}),
        ("text", {"pattern": "x" * 201}),
        ("text", {"pattern": "x", "max_length": 500}),
        ("long_text", {"max_length": 0}),
        ("choice", {}),
        ("choice", {"choices": {}}),
        ("choice", {"choices": ["a", "a"]}),
        ("choice", {"choices": {"a": "甲", "b": "甲"}}),
        ("choice", {"choices": {"a": "b", "b": "c"}}),
        ("choice", {"choices": {" a": "甲"}}),
        ("multi_choice", {"choices": ["A", "ａ"]}),
        ("date", {"min": "2026-02-30"}),
        ("date", {"min": "today"}),
        ("date", {"min": 20260101}),
        ("date", {"min": "2026-02-01", "max": "2026-01-01"}),
        ("datetime", {"min": "2026-01-01T00:00:00"}),
        ("number", {"decimals": 7}),
        ("number", {"min": 5, "max": 1}),
        ("number", {"min": "NaN"}),
        ("integer", {"decimals": 2}),
        ("money", {"decimals": 5}),
        ("link", {}),
        ("link", {"to": ""}),
        ("lines", {"min_rows": 5, "max_rows": 2}),
        ("attachment", {"accept": ["p/df"]}),
        ("attachment", {"max_files": 0}),
        ("formula", {"result": "link"}),
        ("formula", {"result": "text", "decimals": 2}),
        ("formula", {"result": "money", "decimals": 5}),
        ("serial_number", {"pattern": "SN"}),
        ("serial_number", {"pattern": "{seq:5}{seq:5}"}),
        ("serial_number", {"pattern": "{seq:0}"}),
        ("serial_number", {"pattern": "{date:%H}{seq:5}"}),
        ("serial_number", {"pattern": "{seq:5"}),
        ("address", {"parts_required": ["planet"]}),
    ],
)
def test_wrong_options_are_refused(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BUILT_IN[name].options.model_validate(options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("text", {"pattern": r"[A-Z]{2}[0-9]+"}),
        ("text", {"pattern": r"\w+-\w+-\w+"}),
        ("text", {"pattern": r"(?:[A-Z]{3}-)?[0-9]{4,6}(?:/[0-9]{2})?"}),
        ("text", {"pattern": r"91[0-9A-Z]{16}|N/A"}),
        ("serial_number", {"pattern": "PO{biz_date:%Y%m%d}-{seq:4}"}),
        ("serial_number", {"pattern": "{category.code}{seq}"}),
        ("integer", {"decimals": "0"}),
    ],
)
def test_ordinary_options_are_taken(name: str, options: dict[str, object]) -> None:
    assert BUILT_IN[name].options.model_validate(options)


def test_another_types_options_are_a_defect_of_the_caller() -> None:
    with pytest.raises(TypeError):
        BUILT_IN["text"].check("x", BUILT_IN["choice"].options.model_validate({"choices": ["a"]})).__next__()
