"""``text``: one line of text, such as a name, a specification or a code. Leading zeros stay."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from engine.document import Value
from engine.fieldtypes.contract import NoOptions
from engine.fieldtypes.text_pattern import LONGEST_TEXT, fault, matches
from engine.fieldtypes.textual import TextualField
from engine.labels import Label
from engine.problems import Problem, problem


class TextOptions(NoOptions):
    """Options of ``text``.

    Attributes:
        max_length, min_length: characters. upper: letters are kept in capitals.
        pattern: the whole text must match; a small regular expression, see ``text_pattern``.
        pattern_label: what the pattern asks for, in words.
    """

    max_length: Annotated[int, Field(ge=1, le=1000)] = 200
    min_length: Annotated[int, Field(ge=0, le=1000)] = 0
    pattern: str = ""
    pattern_label: Label | None = None
    upper: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> TextOptions:
        if self.min_length > self.max_length:
            raise PydanticCustomError("definition.limits_reversed", "min_length is above max_length")
        if self.pattern and self.max_length > LONGEST_TEXT:
            raise PydanticCustomError("definition.pattern_too_much_text", "pattern needs max_length of at most 200")
        wrong = fault(self.pattern) if self.pattern else None
        if wrong:
            raise PydanticCustomError(wrong, "this pattern is not offered")
        return self


class Text(TextualField):
    """单行文本."""

    name: ClassVar[str] = "text"
    options: ClassVar[type[BaseModel]] = TextOptions

    def longest(self, options: BaseModel) -> int:
        return TextOptions.of(options).max_length

    def tidy(self, text: str, options: BaseModel) -> str | Problem:
        return unicodedata.normalize("NFC", text.upper()) if TextOptions.of(options).upper else text

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        own = TextOptions.of(options)
        yield from super().check(value, options)
        if isinstance(value, str):
            if len(value) < own.min_length:
                yield problem("field.too_short", length=len(value), min=own.min_length)
            if own.pattern and not matches(own.pattern, value):
                more = {"expected": own.pattern_label} if own.pattern_label else {}
                yield problem("field.pattern", "", value=value[:40], **more)

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        own = TextOptions.of(options)
        schema = {"type": "string", "minLength": max(own.min_length, 1), "maxLength": own.max_length}
        return schema | ({"pattern": f"^(?:{own.pattern})$"} if own.pattern else {})
