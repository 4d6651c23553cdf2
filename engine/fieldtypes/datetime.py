"""``datetime``: a day and a time of day in the workspace's zone, to the second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel

from engine.document import Value
from engine.expressions.types import DATETIME, ValueType
from engine.fieldtypes.contract import ORDERED, Column, Operator, Parsed, Storage
from engine.fieldtypes.date import DateOptions, outside
from engine.fieldtypes.moments import read_moment
from engine.fieldtypes.words import is_blank
from engine.labels import Language
from engine.problems import Problem

MONTH_AND_DAY = "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"


class DatetimeOptions(DateOptions):
    """Options of ``datetime``: first and last day allowed (ISO), and whether seconds are shown."""

    seconds: bool = False


class Datetime:
    """日期时间."""

    name: ClassVar[str] = "datetime"
    options: ClassVar[type[BaseModel]] = DatetimeOptions
    operators: ClassVar[tuple[Operator, ...]] = ORDERED
    widget: ClassVar[str] = "datetime"

    def value_type(self, options: BaseModel) -> ValueType:
        return DATETIME

    def column(self, options: BaseModel) -> Column:
        return Column(Storage.DATETIME)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        if is_blank(raw):
            return None
        found = read_moment(raw, "field.not_a_datetime")
        return (found,) if isinstance(found, Problem) else found

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        own = DatetimeOptions.of(options)
        if isinstance(value, datetime):
            yield from outside(value.date(), own.min, own.max)

    def to_json(self, value: Value, options: BaseModel) -> object:
        return value.isoformat(timespec="seconds") if isinstance(value, datetime) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        if not isinstance(value, datetime):
            return ""
        return value.isoformat(" ", "seconds" if DatetimeOptions.of(options).seconds else "minutes")

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        return {"type": "string", "pattern": f"^(19|20|21|22)[0-9]{{2}}-{MONTH_AND_DAY}T{CLOCK}$"}
