"""The type all fields kept as one text share: cleaning, length, text column. Each child says what else must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import BaseModel

from engine.document import Value
from engine.expressions.types import TEXT, ValueType
from engine.fieldtypes.contract import TEXTUAL, Column, NoOptions, Operator, Parsed, Storage
from engine.fieldtypes.words import read_text
from engine.labels import Language
from engine.problems import Problem, problem


class TextualField:
    """Parent of the text-like types."""

    name: ClassVar[str]
    options: ClassVar[type[BaseModel]] = NoOptions
    operators: ClassVar[tuple[Operator, ...]] = TEXTUAL
    widget: ClassVar[str] = "text"
    storage: ClassVar[Storage] = Storage.TEXT
    multiline: ClassVar[bool] = False

    def longest(self, options: BaseModel) -> int:
        """Most characters the field keeps."""
        return 200

    def tidy(self, text: str, options: BaseModel) -> str | Problem:
        """The kept form of cleaned, non-empty text, or what is wrong with it; idempotent."""
        return text

    def value_type(self, options: BaseModel) -> ValueType:
        return TEXT

    def column(self, options: BaseModel) -> Column:
        return Column(self.storage, length=self.longest(options))

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        if raw is None:
            return None
        text = read_text(raw, multiline=self.multiline)
        if isinstance(text, str) and text:
            text = self.tidy(text, options)
        if isinstance(text, Problem):
            return (text,)
        return text or None

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        longest = self.longest(options)
        if not isinstance(value, str) or len(value) <= longest:
            return iter(())
        return iter((problem("field.too_long", length=len(value), max=longest),))

    def to_json(self, value: Value, options: BaseModel) -> object:
        return value if isinstance(value, str) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        return value if isinstance(value, str) else ""

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        return {"type": "string", "minLength": 1, "maxLength": self.longest(options)}
