"""``Schedule``: on which days and at which minutes something is due. Moments are naive, in the workspace's zone.

Whatever daylight saving does to wall clocks is no business of a schedule: it counts minutes of the calendar, so the
same schedule means the same on every machine. 2 o'clock happens once a day.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

MINUTES = 24 * 60
# 29 February comes again after at most 8 years (1896 to 1904), whatever else a schedule asks for within 12 weekdays.
FARTHEST = 28 * 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When something is due.

    Attributes:
        times: minutes of the day, rising. months: 1 to 12.
        days: of the month; None any. last_day: the last day of the month as well.
        weekdays: 0 Sunday to 6 Saturday; None any. With days and weekdays either will do, as cron has it.
    """

    times: tuple[int, ...]
    months: frozenset[int] = frozenset(range(1, 13))
    days: frozenset[int] | None = None
    last_day: bool = False
    weekdays: frozenset[int] | None = None

    def falls_on(self, day: date) -> bool:
        """Whether ``day`` is one of its days."""
        if day.month not in self.months:
            return False
        by_date = self.days is not None or self.last_day
        on_date = day.day in (self.days or ()) or (self.last_day and day.day == monthrange(day.year, day.month)[1])
        on_weekday = self.weekdays is not None and day.isoweekday() % 7 in self.weekdays
        if by_date and self.weekdays is not None:
            return on_date or on_weekday
        return on_date if by_date else on_weekday or self.weekdays is None

    def next_after(self, moment: datetime) -> datetime | None:
        """The first moment later than ``moment``; None when it never comes."""
        day = moment.date()
        if self.falls_on(day):
            passed = moment.hour * 60 + moment.minute
            later = next((each for each in self.times if each > passed), None)
            if later is not None:
                return _at(day, later)
        for _ in range(FARTHEST if self.times else 0):
            if day == date.max:
                return None
            day += timedelta(days=1)
            if self.falls_on(day):
                return _at(day, self.times[0])
        return None

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every moment later than ``after``, up to and including ``until``."""
        moment = self.next_after(after)
        while moment is not None and moment <= until:
            yield moment
            moment = self.next_after(moment)


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60))
