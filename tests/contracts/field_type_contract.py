"""What every field type promises, as a suite a plugin inherits.

Subclass ``FieldTypeContract`` and give it a ``subject`` fixture; every test below then runs on your type. Nothing here
knows which types exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import BaseModel

from engine.document import Value
from engine.expressions.types import Kind
from engine.fieldtypes.contract import Column, FieldType, Operator, Storage, read, settled
from engine.labels import LANGUAGES
from engine.problems import Problem
from engine.values import fits
from runtime.messages.catalogue import Catalogue, load_catalogue

CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
BLANKS = (None, "", "   ", "\u00a0\u3000", "\u200b\ufeff", "\r\n\t")
GARBAGE: tuple[Any, ...] = (
    object(), [], {}, (), set(), [[]], [{}], {"id": {}}, {"id": None}, {"a": [1, {"b": object()}]}, b"bytes", 1j,
    True, False, 0, -1, 1, 10**400, -(10**25), 2**63, 0.1, -0.0, 1e308, 5e-324, float("nan"), float("inf"),
    Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("1E+999999"), Decimal("1E-999999"),
    Decimal("0E+999999"), Decimal(10**60), date.min, date.max, datetime.min, datetime.max,
    "9" * 400, "9" * 5000, "a" * 100_000, " " * 100_000 + "x", "(" * 5000, "1," * 3000, "1e999", "1e99999999", "--1",
    "\x00", "\ud800", "a\x00b", "\u202e123", "१२३", "１２３", "10²", "½", "2026-02-30", "0000-00-00", "99999999",
    "#REF!", "=1+1", "<script>", "' or 1=1 --", "a@b" * 300, "1" * 13, "+" * 50, ["x"] * 2000, [None] * 5000,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A type under test.

    Attributes:
        options: as written in a definition. accepted: raw inputs it must take. refused: raw inputs it must refuse.
        schema_refuses: JSON values that both the type and its JSON Schema must refuse.
        user_text: what ``format`` shows was written by users, so it may be Chinese in English.
    """

    kind: FieldType
    options: Mapping[str, Any] = field(default_factory=dict)
    accepted: tuple[Any, ...]
    refused: tuple[Any, ...]
    schema_refuses: tuple[Any, ...]
    user_text: bool = False

    @property
    def settings(self) -> BaseModel:
        return self.kind.options.model_validate(self.options)


class FieldTypeContract:
    """Inherit, define the fixture ``subject``; override ``catalogue`` when the texts of your codes lie elsewhere."""

    @pytest.fixture
    def subject(self) -> Subject:
        raise AssertionError("a contract needs a subject")

    @pytest.fixture(scope="class")
    @classmethod
    def catalogue(cls) -> Catalogue:
        return load_catalogue(strict=True)

    def test_describes_itself(self, subject: Subject) -> None:
        kind = subject.kind
        assert re.fullmatch("[a-z][a-z0-9_]*", kind.name)
        assert kind.widget and isinstance(kind.operators, tuple)
        assert all(isinstance(operator, Operator) for operator in kind.operators)
        assert kind.options.model_config.get("frozen") is True
        assert kind.options.model_config.get("extra") == "forbid"
        assert isinstance(kind.value_type(subject.settings).kind, Kind)
        assert type(kind).__doc__ and kind.options.__doc__

    def test_options_survive_being_written_and_read(self, subject: Subject) -> None:
        written = subject.settings.model_dump_json(exclude_defaults=True)
        assert subject.kind.options.model_validate_json(written) == subject.settings

    def test_blank_is_none(self, subject: Subject) -> None:
        for blank in BLANKS:
            assert subject.kind.parse(blank, subject.settings) is None, repr(blank)

    def test_none_shows_nothing(self, subject: Subject) -> None:
        for language in LANGUAGES:
            assert subject.kind.format(None, subject.settings, language) == ""

    def test_accepts(self, subject: Subject) -> None:
        for raw in subject.accepted:
            value, problems = read(subject.kind, raw, subject.settings)
            assert problems == (), raw
            if subject.kind.column(subject.settings).storage is Storage.NONE:
                assert value is None
            else:
                assert value is not None, raw
                assert_holds(subject, value)

    def test_refuses_with_words(self, subject: Subject, catalogue: Catalogue) -> None:
        for raw in subject.refused:
            value, problems = read(subject.kind, raw, subject.settings)
            assert value is None and problems, raw
            for problem in problems:
                assert "." not in problem.where, "the caller knows the address"
                for language in LANGUAGES:
                    sentence, _ = catalogue.text(problem, language)
                    assert sentence.strip(), problem

    def test_schema_refuses_what_the_type_refuses(self, subject: Subject) -> None:
        validator = validator_of(subject)
        for raw in subject.schema_refuses:
            assert read(subject.kind, raw, subject.settings)[1], raw
            assert not validator.is_valid(raw), raw

    def test_garbage_never_raises(self, subject: Subject) -> None:
        for raw in GARBAGE:
            assert_sane(subject, raw)


def validator_of(subject: Subject) -> Draft202012Validator:
    schema = dict(subject.kind.json_schema(subject.settings))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def assert_sane(subject: Subject, raw: object) -> None:
    """Whatever ``raw`` is: problems, or None, or a value that keeps every promise."""
    value, problems = settled(subject.kind.parse(raw, subject.settings))
    assert all(isinstance(problem, Problem) for problem in problems)
    for problem in problems:
        assert all(len(str(param)) <= 200 for param in problem.params.values()), "a sentence stays readable"
    if value is not None and not list(subject.kind.check(value, subject.settings)):
        assert_holds(subject, value)


def assert_holds(subject: Subject, value: Value) -> None:
    """The promises about one good value."""
    kind, options = subject.kind, subject.settings
    assert kind.parse(value, options) == value, "idempotent"
    as_json = kind.to_json(value, options)
    assert not isinstance(as_json, float)
    wire = json.loads(json.dumps(as_json))
    assert wire == as_json and kind.parse(wire, options) == value, "round trip"
    assert validator_of(subject).is_valid(wire), wire
    assert_kept(value, as_json, kind.column(options))
    for language in LANGUAGES:
        text = kind.format(value, options, language)
        assert isinstance(text, str) and text
        if language == "en" and not subject.user_text:
            assert not CHINESE.search(text), text


def assert_kept(value: Value, as_json: object, column: Column) -> None:
    """``value`` has the Python type its column keeps, and fits."""
    match column.storage:
        case Storage.TEXT | Storage.LONG_TEXT:
            assert type(value) is str and "\x00" not in value
            assert not column.length or len(value) <= column.length
            value.encode("utf-8")
        case Storage.BOOLEAN:
            assert type(value) is bool
        case Storage.DATE:
            assert type(value) is date
        case Storage.DATETIME:
            assert type(value) is datetime and value.tzinfo is None and not value.microsecond
        case Storage.INTEGER | Storage.REFERENCE:
            assert type(value) is int and 0 < value < 2**63
        case Storage.SCALED:
            assert type(value) is Decimal and fits(value, column.scale)
            assert "E" not in str(as_json).upper()
        case Storage.JSON:
            assert isinstance(value, tuple | Mapping) and value
            assert isinstance(as_json, list | dict)
        case Storage.NONE:
            raise AssertionError("a type without a column has no value")
