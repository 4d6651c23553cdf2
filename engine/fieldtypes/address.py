"""``address``: a postal address in five parts. Plain text becomes its ``detail``; nothing is guessed out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from engine.document import Value
from engine.expressions.types import NOTHING, ValueType
from engine.fieldtypes.contract import Column, NoOptions, Operator, Parsed, Storage
from engine.fieldtypes.words import is_blank, read_text, shown
from engine.labels import Language
from engine.problems import Problem, problem, suggestion

Part = Literal["province", "city", "district", "street", "detail"]
PARTS: tuple[Part, ...] = ("province", "city", "district", "street", "detail")


class AddressOptions(NoOptions):
    """Options of ``address``: most characters of each part, and the parts that must be there when any is."""

    max_length: Annotated[int, Field(ge=10, le=1000)] = 200
    parts_required: tuple[Part, ...] = ()


class Address:
    """地址."""

    name: ClassVar[str] = "address"
    options: ClassVar[type[BaseModel]] = AddressOptions
    operators: ClassVar[tuple[Operator, ...]] = (Operator.EMPTY, Operator.NOT_EMPTY)
    widget: ClassVar[str] = "address"

    def value_type(self, options: BaseModel) -> ValueType:
        return NOTHING

    def column(self, options: BaseModel) -> Column:
        return Column(Storage.JSON)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        if is_blank(raw):
            return None
        if isinstance(raw, str):
            raw = {"detail": raw}
        if not isinstance(raw, Mapping):
            return (problem("field.not_an_address", value=shown(raw)),)
        found: dict[str, str] = {}
        problems = [
            problem("field.address_part", "", value=shown(key), **suggestion(shown(key), PARTS))
            for key in list(raw)[:20]
            if key not in PARTS
        ]
        for part in PARTS:
            text = "" if raw.get(part) is None else read_text(raw[part])
            if isinstance(text, Problem):
                problems.append(text.at(part))
            elif text:
                found[part] = text
        return tuple(problems) or (MappingProxyType(found) if found else None)

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        own = AddressOptions.of(options)
        if isinstance(value, Mapping):
            for part, text in value.items():
                if len(text) > own.max_length:
                    yield problem("field.too_long", part, length=len(text), max=own.max_length)
            for part in own.parts_required:
                if part not in value:
                    yield problem("field.required", part)

    def to_json(self, value: Value, options: BaseModel) -> object:
        return dict(value) if isinstance(value, Mapping) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        """Chinese: from the province down, without gaps, 北京市北京市 once; English: from the detail up."""
        if not isinstance(value, Mapping):
            return ""
        texts = [value[part] for part in PARTS if part in value]
        texts = [text for place, text in enumerate(texts) if place == 0 or text != texts[place - 1]]
        return "".join(texts) if language == "zh" else ", ".join(reversed(texts))

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        own = AddressOptions.of(options)
        part = {"type": "string", "minLength": 1, "maxLength": own.max_length}
        return {
            "type": "object",
            "properties": dict.fromkeys(PARTS, part),
            "required": list(own.parts_required),
            "minProperties": 1,
            "additionalProperties": False,
        }
