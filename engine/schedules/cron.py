"""Cron lines of five fields: minute, hour, day of month, month, weekday. Names, lists, ranges, steps and ``L``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from engine.problems import Problem, problem
from engine.schedules.schedule import Schedule

MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS: Mapping[str, int] = MappingProxyType({name: number for number, name in enumerate(MONTH_NAMES, start=1)})
WEEKDAYS: Mapping[str, int] = MappingProxyType({name: number for number, name in enumerate(WEEKDAY_NAMES)})
NOTHING: Mapping[str, int] = MappingProxyType({})
FIELDS = (
    ("minute", 0, 59, NOTHING),
    ("hour", 0, 23, NOTHING),
    ("day", 1, 31, NOTHING),
    ("month", 1, 12, MONTHS),
    ("weekday", 0, 7, WEEKDAYS),
)
PART = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/(\d+))?")
ANY = ("*", "?")
LAST = "l"


class _Wrong(Exception):
    """A field that means nothing."""

    def __init__(self, field: str, text: str) -> None:
        self.field, self.text = field, text
        super().__init__(text)


def looks_like_cron(text: str) -> bool:
    """Whether ``text`` is meant as a cron line: five fields of its characters."""
    parts = text.split()
    return len(parts) == len(FIELDS) and all(re.fullmatch(r"[0-9*,/?A-Za-z-]+", part) for part in parts)


def cron(text: str) -> Schedule | Problem:
    """The schedule of a cron line."""
    found: list[frozenset[int] | None] = []
    fields = text.lower().split()
    days = [part for part in fields[2].split(",") if part != LAST]
    last_day = len(days) < len(fields[2].split(","))
    fields[2] = ",".join(days) or "*"
    try:
        for part, (name, low, high, names) in zip(fields, FIELDS, strict=True):
            found.append(None if part in ANY else _values(part, name, low, high, names))
    except _Wrong as wrong:
        return problem("definition.schedule_field", "", field=wrong.field, value=wrong.text[:60])
    minutes, hours, dates, months, weekdays = found
    return Schedule(
        times=tuple(
            sorted(
                hour * 60 + minute
                for hour in (range(24) if hours is None else hours)
                for minute in (range(60) if minutes is None else minutes)
            )
        ),
        months=frozenset(range(1, 13)) if months is None else months,
        days=dates if dates is not None or not last_day else frozenset(),
        last_day=last_day,
        weekdays=None if weekdays is None else frozenset(each % 7 for each in weekdays),
    )


def _values(text: str, field: str, low: int, high: int, names: Mapping[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = PART.fullmatch(part)
        if match is None:
            raise _Wrong(field, part)
        first, last, step = match.groups()
        if first == "*":
            start, end = low, high
        else:
            start = _number(first, field, low, high, names)
            # ``5/10`` goes on to the end, as cron has it
            end = _number(last, field, low, high, names) if last else high if step else start
        if start > end or step == "0" or (first == "*" and last):
            raise _Wrong(field, part)
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, field: str, low: int, high: int, names: Mapping[str, int]) -> int:
    number = names.get(text[:3] if text.isalpha() else text, int(text) if text.isdigit() else -1)
    if not low <= number <= high:
        raise _Wrong(field, text)
    return number
