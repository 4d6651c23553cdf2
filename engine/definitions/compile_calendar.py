"""Calendars → their compiled form."""

from __future__ import annotations

from datetime import timedelta

from engine.calendars.calendar import Calendar
from engine.definitions.calendar import WEEKDAYS, CalendarDef, spell


def compile_calendar(calendar: CalendarDef) -> Calendar:
    """The working time a sound definition describes."""
    free = {
        holiday.from_ + timedelta(days=offset)
        for holiday in calendar.holidays
        for offset in range(((holiday.until or holiday.from_) - holiday.from_).days + 1)
    }
    return Calendar(
        key=calendar.calendar,
        week=tuple(tuple(sorted(spell(text) for text in calendar.hours.get(day, ()))) for day in WEEKDAYS),
        holidays=frozenset(free),
        made_up=frozenset(calendar.make_up),
        made_up_like=WEEKDAYS.index(calendar.make_up_like),
    )
