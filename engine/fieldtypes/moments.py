"""Dates and times as people and spreadsheets write them. Naive: everything is in the workspace's zone.

Year first, always; ``12/1/25`` is refused because nobody can know what it means. Years 1900 to 2200.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

from engine.fieldtypes.digits import exact_decimal
from engine.fieldtypes.words import half_width, shown
from engine.problems import Problem, problem
from engine.values import rounded

FIRST_YEAR = 1900
LAST_YEAR = 2200
SECONDS_PER_DAY = 86400

DAY = (
    r"(?P<year>[0-9]{4})\s*(?:"
    r"[-/.]\s*(?P<month>[0-9]{1,2})\s*[-/.]\s*(?P<day>[0-9]{1,2})"
    r"|年\s*(?P<month_zh>[0-9]{1,2})\s*月\s*(?P<day_zh>[0-9]{1,2})\s*[日号]?)"
)
TIME = (
    r"(?P<hour>[0-9]{1,2})\s*(?::|时|点)\s*(?P<minute>[0-9]{1,2})\s*分?"
    r"(?:\s*:?\s*(?P<second>[0-9]{1,2})(?:\.(?P<fraction>[0-9]{1,9}))?\s*秒?)?"
)
ZONE = r"\s*(?P<zone>z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
WRITTEN = re.compile(rf"{DAY}(?:(?:\s*t\s*|\s+|(?<=[日号])){TIME}{ZONE})?", re.IGNORECASE)
COMPACT = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})")
AMBIGUOUS = re.compile(r"[0-9]{1,2}\s*[-/.]\s*[0-9]{1,2}\s*[-/.]\s*(?:[0-9]{2}|[0-9]{4}|[0-9])(?:\s.*)?")


def read_moment(raw: object, wrong: str) -> datetime | Problem:
    """``raw`` as a naive date and time, to the second; a bare date is midnight.

    Numbers are Excel's day numbers (1900 system) or eight digits ``20251201``. ``wrong`` is the code of the problem for
    what is no date at all. Further problems: ``field.no_such_date``, ``field.date_out_of_range``,
    ``field.date_ambiguous``, ``field.datetime_zone``.
    """
    match raw:
        case datetime():
            found: datetime | Problem = problem("field.datetime_zone", value=shown(raw)) if raw.tzinfo else raw
        case date():
            found = datetime(raw.year, raw.month, raw.day)
        case bool():
            found = problem(wrong, value=shown(raw))
        case int() | float() | Decimal():
            found = _from_number(raw, wrong)
        case str() if len(raw) <= 100:
            found = _from_text(half_width(raw), raw, wrong)
        case _:
            found = problem(wrong, value=shown(raw))
    if isinstance(found, Problem):
        return found
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        return problem("field.date_out_of_range", value=shown(raw), first=str(FIRST_YEAR), last=str(LAST_YEAR))
    # Excel's day fractions and other systems' microseconds mean a second.
    return (found + timedelta(microseconds=500_000)).replace(microsecond=0) if found.microsecond else found


def _from_number(raw: int | float | Decimal, wrong: str) -> datetime | Problem:
    value = exact_decimal(raw)
    if isinstance(value, Problem) or value is None:
        return problem(wrong, value=shown(raw))
    if 19000000 <= value < 22010000 and value == int(value):
        digits = str(int(value))
        return _assembled(digits[:4], digits[4:6], digits[6:], shown(raw))
    if not 1 <= value < 110_000:
        return problem(wrong, value=shown(raw))
    # Day 60 of the 1900 system is 29 February 1900, which never was; days after it are one too high.
    start = date(1899, 12, 31) if value < 60 else date(1899, 12, 30)
    seconds = int(rounded(value * SECONDS_PER_DAY, 0))
    return datetime(start.year, start.month, start.day) + timedelta(seconds=seconds)


def _from_text(text: str, raw: str, wrong: str) -> datetime | Problem:
    match = COMPACT.fullmatch(text)
    if match:
        return _assembled(match["year"], match["month"], match["day"], shown(raw))
    match = WRITTEN.fullmatch(text)
    if match is None:
        code = "field.date_ambiguous" if AMBIGUOUS.fullmatch(text) else wrong
        return problem(code, value=shown(raw))
    if match["zone"]:
        return problem("field.datetime_zone", value=shown(raw))
    month, day = match["month"] or match["month_zh"], match["day"] or match["day_zh"]
    found = _assembled(match["year"], month, day, shown(raw))
    if isinstance(found, Problem) or match["hour"] is None:
        return found
    try:
        return found.replace(
            hour=int(match["hour"]),
            minute=int(match["minute"]),
            second=int(match["second"] or 0),
            microsecond=int((match["fraction"] or "0").ljust(6, "0")[:6]),
        )
    except ValueError:
        return problem("field.no_such_date", value=shown(raw))


def _assembled(year: str, month: str, day: str, text: str) -> datetime | Problem:
    try:
        return datetime(int(year), int(month), int(day))
    except ValueError:
        return problem("field.no_such_date", value=text)
