"""Rules on dates: which values of the field are due in a stretch of time, and when exactly each of them is.

Whoever watches the clock asks with the stretch since the last time it asked, so nothing is missed while the house was
closed and nothing counts twice: the mark of a firing names the record, the offset and the moment itself. A date that is
moved therefore counts again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from engine.definitions.rule import DateTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class DateWindow:
    """Values of the field from ``first`` to ``last``, both included, are due with ``offset``.

    Attributes:
        offset: so many of ``unit`` after the value, negative before. unit: ``days``, ``hours`` or ``minutes``.
    """

    field: str
    offset: int
    unit: str
    first: datetime
    last: datetime


def windows(trigger: DateTrigger, after: datetime, until: datetime, *, whole_days: bool) -> Iterator[DateWindow]:
    """One window per offset, for what falls due later than ``after``, up to and including ``until``.

    Args:
        whole_days: the field holds dates; moments otherwise. A date is meant at ``at`` of its day.
    """
    step = timedelta(microseconds=1)
    for unit, offsets in (("days", trigger.days), ("hours", trigger.hours), ("minutes", trigger.minutes)):
        for offset in offsets:
            shift = timedelta(**{unit: offset})
            first, last = after - shift + step, until - shift
            if whole_days:
                first, last = _day_not_before(first, trigger), _day_not_after(last, trigger)
            if first <= last:
                yield DateWindow(field=trigger.field, offset=offset, unit=unit, first=first, last=last)


def due_at(trigger: DateTrigger, value: date | datetime, offset: int, unit: str) -> datetime:
    """When ``value`` is due with an offset."""
    moment = value if isinstance(value, datetime) else datetime.combine(value, _clock(trigger))
    return moment + timedelta(**{unit: offset})


def date_key(record: str, trigger: DateTrigger, value: date | datetime, offset: int, unit: str) -> str:
    """Under which key a firing is remembered: ``supplier:7@-30 days 2026-03-01T08:00``."""
    return f"{record}@{offset} {unit} {due_at(trigger, value, offset, unit):%Y-%m-%dT%H:%M}"


def _clock(trigger: DateTrigger) -> time:
    return time.fromisoformat(trigger.at)


def _day_not_before(moment: datetime, trigger: DateTrigger) -> datetime:
    day = moment.date() if moment.time() <= _clock(trigger) else moment.date() + timedelta(days=1)
    return datetime.combine(day, _clock(trigger))


def _day_not_after(moment: datetime, trigger: DateTrigger) -> datetime:
    day = moment.date() if moment.time() >= _clock(trigger) else moment.date() - timedelta(days=1)
    return datetime.combine(day, _clock(trigger))
