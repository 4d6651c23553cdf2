"""``date``: a calendar day. What it reads is listed in ``moments``; a time of day given with it is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from engine.document import Value
from engine.expressions.types import DATE, ValueType
from engine.fieldtypes.contract import ORDERED, Column, NoOptions, Operator, Parsed, Storage
from engine.fieldtypes.moments import read_moment
from engine.fieldtypes.words import is_blank
from engine.labels import Language
from engine.problems import Problem, problem


def _iso_day(raw: object) -> object:
    """ISO text only: pydantic alone would also read numbers as seconds since 1970."""
    if isinstance(raw, datetime) or not isinstance(raw, str | date | None):
        raise PydanticCustomError("definition.iso_date", "expected a date such as 2026-01-20")
    if isinstance(raw, str):
        try:
            return datetime.strptime(raw.strip(), "%Y-%m-%d").date()
        except ValueError as wrong:
            raise PydanticCustomError("definition.iso_date", "expected a date such as 2026-01-20") from wrong
    return raw


IsoDay = Annotated[date | None, BeforeValidator(_iso_day)]


class DateOptions(NoOptions):
    """Options of ``date``: first and last day allowed, ISO."""

    min: IsoDay = None
    max: IsoDay = None

    @model_validator(mode="after")
    def _limits_in_order(self) -> DateOptions:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("definition.limits_reversed", "min is after max")
        return self


def outside(day: date, first: date | None, last: date | None) -> Iterator[Problem]:
    """Problems of a day outside the limits."""
    if first is not None and day < first:
        yield problem("field.too_early", value=day, min=first)
    if last is not None and day > last:
        yield problem("field.too_late", value=day, max=last)


class Date:
    """日期."""

    name: ClassVar[str] = "date"
    options: ClassVar[type[BaseModel]] = DateOptions
    operators: ClassVar[tuple[Operator, ...]] = ORDERED
    widget: ClassVar[str] = "date"

    def value_type(self, options: BaseModel) -> ValueType:
        return DATE

    def column(self, options: BaseModel) -> Column:
        return Column(Storage.DATE)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        if is_blank(raw):
            return None
        # The time of day is dropped before anything could round it into the next day.
        day = raw.date() if isinstance(raw, datetime) and raw.tzinfo is None else raw
        found = read_moment(day, "field.not_a_date")
        return (found,) if isinstance(found, Problem) else found.date()

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        own = DateOptions.of(options)
        if isinstance(value, date):
            yield from outside(value, own.min, own.max)

    def to_json(self, value: Value, options: BaseModel) -> object:
        return value.isoformat() if isinstance(value, date) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        return value.isoformat() if isinstance(value, date) else ""

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        return {"type": "string", "format": "date", "pattern": "^(19|20|21|22)[0-9]{2}-[0-9]{2}-[0-9]{2}$"}
