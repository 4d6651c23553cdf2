"""The type all fields share that point at something kept elsewhere: the value is its id.

A name, a code or a spelling in pinyin is resolved to an id by the caller, who can look; here it is a problem that
carries the text, so that the caller can say what was not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import BaseModel

from engine.document import Value
from engine.expressions.types import NOTHING, ValueType
from engine.fieldtypes.contract import EQUALITY, Column, NoOptions, Operator, Parsed, Storage
from engine.fieldtypes.words import half_width, is_blank, shown
from engine.labels import Language
from engine.problems import Problem, problem
from engine.values import INT64_MAX


def read_id(raw: object) -> int | None:
    """The id ``raw`` holds: an ``int``, its digits, or a mapping with ``id`` (as look-ups answer). None otherwise."""
    if not isinstance(raw, int | str) and isinstance(raw, Mapping):
        raw = raw.get("id")
    if isinstance(raw, str):
        text = half_width(raw[:40])
        raw = int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None
    if isinstance(raw, int) and not isinstance(raw, bool) and 1 <= raw <= INT64_MAX:
        return raw
    return None


class IdentityField:
    """Parent of link, member and department."""

    name: ClassVar[str]
    options: ClassVar[type[BaseModel]] = NoOptions
    operators: ClassVar[tuple[Operator, ...]] = EQUALITY
    widget: ClassVar[str]
    storage: ClassVar[Storage] = Storage.INTEGER
    unresolved: ClassVar[str]

    def value_type(self, options: BaseModel) -> ValueType:
        return NOTHING

    def column(self, options: BaseModel) -> Column:
        return Column(self.storage)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        found = read_id(raw)
        if found is None and not is_blank(raw):
            return (problem(self.unresolved, value=shown(raw)),)
        return found

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        return iter(())

    def to_json(self, value: Value, options: BaseModel) -> object:
        return value if isinstance(value, int) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        return str(value) if isinstance(value, int) else ""

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        return {"type": "integer", "minimum": 1, "maximum": INT64_MAX}
