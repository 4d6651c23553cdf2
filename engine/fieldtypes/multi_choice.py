"""``multi_choice``: several of a fixed list, kept as keys in the order of the list, each at most once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import BaseModel

from engine.document import Value
from engine.expressions.types import Kind, ValueType
from engine.fieldtypes.choice import ChoiceOptions
from engine.fieldtypes.contract import Column, Operator, Parsed, Storage
from engine.fieldtypes.words import folded, is_blank, shown
from engine.labels import Language
from engine.problems import Problem, problem

SEPARATOR = re.compile(r"[,，、;；\n]")
LONGEST_INPUT = 10_000
MOST_PARTS = 1000


class MultiChoice:
    """多选."""

    name: ClassVar[str] = "multi_choice"
    options: ClassVar[type[BaseModel]] = ChoiceOptions
    operators: ClassVar[tuple[Operator, ...]] = (Operator.CONTAINS, Operator.EMPTY, Operator.NOT_EMPTY)
    widget: ClassVar[str] = "multi_choice"

    def value_type(self, options: BaseModel) -> ValueType:
        return ValueType(Kind.CHOICES, choices=tuple(ChoiceOptions.of(options).choices))

    def column(self, options: BaseModel) -> Column:
        return Column(Storage.JSON)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        own = ChoiceOptions.of(options)
        if is_blank(raw):
            return None
        if isinstance(raw, str):
            if len(raw) > LONGEST_INPUT:
                return (problem("field.not_a_choice", value=shown(raw), choices=own.listing()),)
            # A label may itself contain a separator, so the whole text is tried first.
            parts: list[object] = [raw] if folded(raw) in own.spellings else list(SEPARATOR.split(raw))
        elif isinstance(raw, list | tuple | set | frozenset):
            parts = list(raw)
        else:
            parts = [raw]
        if len(parts) > MOST_PARTS:
            return (problem("field.too_many_choices", count=len(parts), max=MOST_PARTS),)
        keys = [own.key_of(part) for part in parts if not is_blank(part)]
        problems = tuple(key for key in keys if isinstance(key, Problem))
        return problems or tuple(key for key in own.choices if key in keys) or None

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        own = ChoiceOptions.of(options)
        for key in value if isinstance(value, tuple) else ():
            if key not in own.choices:
                yield problem("field.not_a_choice", value=shown(key), choices=own.listing())

    def to_json(self, value: Value, options: BaseModel) -> object:
        return list(value) if isinstance(value, tuple) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        own = ChoiceOptions.of(options)
        texts = [own.text(key, language) for key in value] if isinstance(value, tuple) else []
        return ("、" if language == "zh" else ", ").join(texts)

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        item = {"type": "string", "enum": list(ChoiceOptions.of(options).choices)}
        return {"type": "array", "items": item, "uniqueItems": True, "minItems": 1}
