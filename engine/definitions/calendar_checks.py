"""Checks of working calendars: spans that make sense, days that are told once, an app calendar that exists."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from engine.definitions.calendar import CalendarDef, spell
from engine.definitions.file_kinds import APP, CALENDARS
from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.references import complaint, unknown
from engine.problems import Problem

LONGEST_HOLIDAY = 366  # days


def calendars_have_working_time(loaded: Loaded) -> Iterator[Problem]:
    """Every span ends after it begins and before the next; some day of the week is worked, and make-up days are."""
    for key, calendar in loaded.calendars.items():
        place = Place(CALENDARS, key, ())
        for day, spells in calendar.hours.items():
            read = sorted((spell(text), index) for index, text in enumerate(spells))
            for (start, end), index in read:
                if end <= start:
                    yield complaint(loaded, place / "hours" / day / index, "definition.span_backwards")
            for ((_, end), _), ((start, _), index) in pairwise(read):
                if start < end:
                    yield complaint(loaded, place / "hours" / day / index, "definition.spans_overlap")
        if not any(calendar.hours.values()):
            yield complaint(loaded, place / "hours", "definition.calendar_without_hours", key=True)
        if calendar.make_up and not calendar.hours.get(calendar.make_up_like):
            yield complaint(
                loaded, place / "make_up", "definition.make_up_without_hours", key=True, day=calendar.make_up_like
            )
        yield from _days(loaded, calendar, place)


def _days(loaded: Loaded, calendar: CalendarDef, place: Place) -> Iterator[Problem]:
    free = set()
    for index, holiday in enumerate(calendar.holidays):
        last = holiday.until or holiday.from_
        at = place / "holidays" / index
        if last < holiday.from_ or (last - holiday.from_).days > LONGEST_HOLIDAY:
            yield complaint(loaded, at / "until", "definition.holiday_backwards")
            continue
        free |= set(range(holiday.from_.toordinal(), last.toordinal() + 1))
    for index, day in enumerate(calendar.make_up):
        if day.toordinal() in free:
            yield complaint(loaded, place / "make_up" / index, "definition.make_up_on_holiday", day=day)


def app_calendar_exists(loaded: Loaded) -> Iterator[Problem]:
    """The calendar the app counts its working hours by."""
    if loaded.app is not None and loaded.app.calendar is not None:
        place = Place(APP, loaded.app.app, ("calendar",))
        yield from unknown(loaded, place, "definition.unknown_calendar", loaded.app.calendar, loaded.calendars)
