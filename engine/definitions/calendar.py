"""``calendars/<key>.yaml``: when people work, by weekday, with holidays and make-up days."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine.definitions.shape import Definition, Key
from engine.labels import Label

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
HOUR = r"([01]\d|2[0-3]):[0-5]\d"
Spell = Annotated[str, StringConstraints(pattern=rf"^{HOUR}-({HOUR}|24:00)$")]


class Holiday(Definition):
    """Free days, the first and the last included. ``until`` left out: one day."""

    label: Label
    from_: Annotated[date, Field(alias="from")]
    until: date | None = None


class CalendarDef(Definition):
    """A working calendar.

    Attributes:
        hours: spans per weekday (``["08:30-12:00", "13:30-17:30"]``); weekdays left out are free.
        holidays: free days. make_up: days worked instead (调休上班), at the hours of ``make_up_like``.
    """

    calendar: Key
    label: Label
    hours: dict[Weekday, tuple[Spell, ...]]
    holidays: tuple[Holiday, ...] = ()
    make_up: tuple[date, ...] = ()
    make_up_like: Weekday = "monday"


def spell(text: str) -> tuple[int, int]:
    """``08:30-12:00`` in minutes from midnight."""
    start, end = text.split("-")
    return _minutes(start), _minutes(end)


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)
