"""Any calendar: adding hours in parts is adding them at once, and what comes out lies in working time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.calendars.calendar import (
    DAY,
    Calendar,
    Span,
    after_working_hours,
    next_working_moment,
    working_time_between,
)

FIRST = date(2026, 1, 1)
days = st.integers(0, 60).map(lambda number: FIRST + timedelta(days=number))
moments = st.builds(
    lambda day, seconds: datetime.combine(day, time()) + timedelta(seconds=seconds), days, st.integers(0, 86_399)
)
hours = st.integers(0, 60)


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    edges = sorted(draw(st.sets(st.integers(0, DAY), max_size=6)))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = [draw(spans()) for _ in range(7)]
    best = draw(st.integers(0, 6))
    week[best] = (*(span for span in week[best] if span[1] <= 8 * 60), (9 * 60, 17 * 60))
    return Calendar(
        key="any",
        week=tuple(week),
        holidays=draw(st.frozensets(days, max_size=20)),
        made_up=draw(st.frozensets(days, max_size=20)),
        made_up_like=best,
    )


def in_working_time(moment: datetime, calendar: Calendar) -> bool:
    """A span's end counts, also the one at midnight."""
    for day in (moment.date(), moment.date() - timedelta(days=1)):
        midnight = datetime.combine(day, time())
        for start, end in calendar.spans(day):
            if midnight + timedelta(minutes=start) <= moment <= midnight + timedelta(minutes=end):
                return True
    return False


@given(calendars(), moments, hours, hours)
def test_adding_in_parts_is_adding_at_once(calendar: Calendar, start: datetime, first: int, second: int) -> None:
    parts = after_working_hours(after_working_hours(start, first, calendar), second, calendar)
    whole = after_working_hours(start, first + second, calendar)
    assert parts == whole


@given(calendars(), moments, hours)
def test_what_comes_out_lies_in_working_time(calendar: Calendar, start: datetime, some: int) -> None:
    assert in_working_time(after_working_hours(start, some, calendar), calendar)
    assert in_working_time(next_working_moment(start, calendar), calendar)


@given(calendars(), moments, hours)
def test_exactly_the_hours_asked_for_lie_between(calendar: Calendar, start: datetime, some: int) -> None:
    end = after_working_hours(start, some, calendar)
    assert end >= start
    assert working_time_between(start, end, calendar) == timedelta(hours=some)


@given(calendars(), moments, moments, hours)
def test_who_begins_later_ends_later(calendar: Calendar, left: datetime, right: datetime, some: int) -> None:
    first, last = sorted((left, right))
    assert after_working_hours(first, some, calendar) <= after_working_hours(last, some, calendar)
