"""Working hours on naive moments, exact to the minute a calendar is written in. No zone, no clock.

A day's working time is a few spans of minutes. Which spans a day has follows from three rules, the first that applies:
a make-up day (调休上班) is worked like a day of ``made_up_like``; a holiday is free; every other day is as its weekday.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]  # minutes from midnight, the end not included
DAY = 24 * 60
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A working calendar.

    Attributes:
        week: spans of Monday to Sunday, in order and apart; at least one day has some.
        holidays: days that are free although their weekday is worked.
        made_up: days that are worked although they are free otherwise.
        made_up_like: weekday (0 Monday) whose spans a make-up day has.
    """

    key: str
    week: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date] = frozenset()
    made_up: frozenset[date] = frozenset()
    made_up_like: int = 0

    def spans(self, day: date) -> tuple[Span, ...]:
        """Working time of a day."""
        if day in self.made_up:
            return self.week[self.made_up_like]
        return () if day in self.holidays else self.week[day.weekday()]


def next_working_moment(moment: datetime, calendar: Calendar) -> datetime:
    """``moment`` when it lies in working time (its last minute's end included), else the next beginning of some."""
    start, _ = next(_spans_from(moment, calendar))
    return max(moment, start)


def after_working_hours(moment: datetime, hours: int, calendar: Calendar) -> datetime:
    """The moment at which ``hours`` of working time have passed since ``moment``.

    Counting begins with the next working time. What ends with a span ends there, not at the beginning of the next
    one: eight hours from the morning of an eight-hour day fall due in the evening.

    Args:
        hours: not negative; none gives the next working moment.
    """
    left = timedelta(hours=hours)
    if not left:
        return next_working_moment(moment, calendar)
    for start, end in _spans_from(moment, calendar):
        begin = max(start, moment)
        if end - begin >= left:
            return begin + left
        left -= end - begin
    raise ValueError(f"calendar {calendar.key} ends")  # spans go on for ever; the year 9999 does not


def working_time_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Working time from ``start`` to ``end``; nothing when ``end`` is not later."""
    found = timedelta()
    for opened, closed in _spans_from(start, calendar):
        if opened >= end:
            break
        found += max(timedelta(), min(closed, end) - max(opened, start))
    return found


def _spans_from(moment: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """Spans that end at or after ``moment``, as moments."""
    day = moment.date()
    if not any(calendar.week):
        raise ValueError(f"calendar {calendar.key} has no working time")
    while day < date.max:
        midnight = datetime.combine(day, time())
        for start, end in calendar.spans(day):
            closed = midnight + timedelta(minutes=end)
            if closed >= moment:
                yield midnight + timedelta(minutes=start), closed
        day += ONE_DAY
