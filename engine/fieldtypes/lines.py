"""``lines``: a line table. Its rows are read field by field by the form; a table is never a single value.

``parse`` therefore only judges the shape: rows or nothing, not too many; it returns None where the form may go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from engine.document import Value
from engine.expressions.types import Kind, ValueType
from engine.fieldtypes.contract import Column, NoOptions, Operator, Parsed, Storage
from engine.fieldtypes.words import is_blank, shown
from engine.labels import Language
from engine.problems import Problem, problem


class LinesOptions(NoOptions):
    """Options of ``lines``: how many rows a document must and may have. The columns stand in ``fields`` beside them."""

    min_rows: Annotated[int, Field(ge=0, le=10_000)] = 0
    max_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000

    @model_validator(mode="after")
    def _limits_in_order(self) -> LinesOptions:
        if self.min_rows > self.max_rows:
            raise PydanticCustomError("definition.limits_reversed", "min_rows is above max_rows")
        return self


class Lines:
    """明细表."""

    name: ClassVar[str] = "lines"
    options: ClassVar[type[BaseModel]] = LinesOptions
    operators: ClassVar[tuple[Operator, ...]] = ()
    widget: ClassVar[str] = "lines"

    def value_type(self, options: BaseModel) -> ValueType:
        """The record name is empty: only the form knows it (``form.table``) and puts it in."""
        return ValueType(Kind.LINES)

    def column(self, options: BaseModel) -> Column:
        return Column(Storage.NONE)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        if is_blank(raw):
            return None
        if not isinstance(raw, list | tuple) or not all(isinstance(row, Mapping) for row in raw):
            return (problem("field.not_lines", value=shown(raw)),)
        most = LinesOptions.of(options).max_rows
        return (problem("field.too_many_rows", count=len(raw), max=most),) if len(raw) > most else None

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        return iter(())

    def check_rows(self, count: int, options: BaseModel) -> Iterator[Problem]:
        """Problems with the number of rows of a document that is to be submitted."""
        own = LinesOptions.of(options)
        if count < own.min_rows:
            yield problem("field.too_few_rows", count=count, min=own.min_rows)
        if count > own.max_rows:
            yield problem("field.too_many_rows", count=count, max=own.max_rows)

    def to_json(self, value: Value, options: BaseModel) -> object:
        return None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        return ""

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        """The shape of the table; the form puts its columns into ``items``."""
        own = LinesOptions.of(options)
        return {"type": "array", "items": {"type": "object"}, "minItems": own.min_rows, "maxItems": own.max_rows}
