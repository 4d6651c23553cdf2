"""The life of a lot: when it expires, how much is left, when it is near its end, whether it may still be received.

Source: domain rule D4. Shares are exact fractions of the shelf life in days, so that a third is a third.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal, TypeAlias

from engine.picking.stock import Lot
from engine.problems import Problem, problem

Level: TypeAlias = Literal["fresh", "yellow", "red", "expired"]
MONTHS_PER_YEAR = 12
DAYS_PER_YEAR = 365
DAYS_PER_MONTH = 30
LONGEST_DAYS = 36_500
RECEIVING_LIMIT = Fraction(1, 3)

# (shelf life of at least so many days, near its end so many days before); industry convention, a company may edit it.
NEAR_DAYS: tuple[tuple[int, int], ...] = ((365, 45), (180, 20), (90, 15), (30, 10), (16, 5), (0, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfLife:
    """保质期 of a product.

    Attributes:
        length: how many of ``unit``. Months and years are calendar ones: 31 January and a month is the last day of
            February.
        minus_one_day: the expiry date is one day earlier (made 2026-01-01, twelve months: 2026-12-31).
    """

    length: int
    unit: Literal["day", "month", "year"] = "day"
    minus_one_day: bool = False

    @property
    def nominal_days(self) -> int:
        """The length in days for choosing from a table: a year is 365 days, a month beyond whole years is 30."""
        if self.unit == "day":
            return self.length
        years, months = divmod(self.length * (MONTHS_PER_YEAR if self.unit == "year" else 1), MONTHS_PER_YEAR)
        return years * DAYS_PER_YEAR + months * DAYS_PER_MONTH

    def later(self, day: date, sign: int = 1) -> date:
        """``day`` moved by the shelf life, forwards or backwards; kept within the calendar."""
        if self.unit == "day":
            return _moved_days(day, sign * self.length)
        return _moved_months(day, sign * self.length * (MONTHS_PER_YEAR if self.unit == "year" else 1))


def expiry(made: date, life: ShelfLife) -> date:
    """有效期至 of goods made on ``made``: the last day they are good."""
    return _moved_days(life.later(made), -1 if life.minus_one_day else 0)


def made_on(expires: date, life: ShelfLife) -> date:
    """The day goods of this life were made, from their expiry date; at a month's end it may be some days early."""
    return life.later(_moved_days(expires, 1 if life.minus_one_day else 0), -1)


def expiry_of(lot: Lot | None, life: ShelfLife | None) -> date | None:
    """The expiry date of a lot: as recorded, else from the day it was made; None when neither is known."""
    if lot is None or lot.expires is not None:
        return lot.expires if lot else None
    return expiry(lot.made, life) if lot.made is not None and life is not None else None


def remaining_share(lot: Lot | None, life: ShelfLife | None, day: date) -> Fraction | None:
    """(expiry − day) / shelf life in days; 0 on the last good day, negative after it, None when unknown."""
    expires = expiry_of(lot, life)
    days = _life_days(lot, life)
    return None if expires is None or days is None else Fraction((expires - day).days, days)


def elapsed_share(lot: Lot | None, life: ShelfLife | None, day: date) -> Fraction | None:
    """(day − made) / shelf life in days, or None when unknown."""
    made = _made(lot, life)
    days = _life_days(lot, life)
    return None if made is None or days is None else Fraction((day - made).days, days)


def near_days(life: ShelfLife, table: tuple[tuple[int, int], ...] = NEAR_DAYS) -> int:
    """How many days before expiry goods of this life count as near it (临期).

    Args:
        table: (shelf life of at least, days), the longest first and the last from 0.
    """
    return next(days for least, days in table if life.nominal_days >= least)


def level(expires: date, day: date, near: int) -> Level:
    """How near its end a lot is: yellow within ``near`` days, red within a third of them, expired after the last."""
    left = (expires - day).days
    if left < 0:
        return "expired"
    if left * 3 <= near:
        return "red"
    return "yellow" if left <= near else "fresh"


def receiving_problems(
    lot: Lot, life: ShelfLife | None, day: date, limit: Fraction = RECEIVING_LIMIT
) -> tuple[Problem, ...]:
    """Why goods should not come in: made after today, expired, or more than ``limit`` of their life gone.

    The last one may be approved by somebody; that is the caller's to arrange.
    """
    if lot.made is not None and lot.made > day:
        return (problem("picking.made_in_future", lot=lot.number, made=lot.made),)
    expires = expiry_of(lot, life)
    if expires is not None and expires < day:
        return (problem("picking.expired", lot=lot.number, expires=expires),)
    elapsed = elapsed_share(lot, life, day)
    if elapsed is not None and elapsed > limit:
        return (problem("picking.too_old_to_receive", lot=lot.number, elapsed=percent(elapsed), limit=percent(limit)),)
    return ()


def percent(share: Fraction) -> str:
    """``1/3`` as ``33.3%``, for a sentence; rounded down, so that nothing seems to reach a limit it misses."""
    tenths = share.numerator * 1000 // share.denominator
    whole, rest = divmod(abs(tenths), 10)
    return f"{'-' if tenths < 0 else ''}{whole}{f'.{rest}' if rest else ''}%"


def _made(lot: Lot | None, life: ShelfLife | None) -> date | None:
    if lot is None or lot.made is not None:
        return lot.made if lot else None
    return made_on(lot.expires, life) if lot.expires is not None and life is not None else None


def _life_days(lot: Lot | None, life: ShelfLife | None) -> int | None:
    """The shelf life in days: as the product says, else what lies between the lot's dates; at least one."""
    made = _made(lot, life)
    if made is None:
        return None
    expires = life.later(made) if life is not None else expiry_of(lot, life)
    return None if expires is None else max((expires - made).days, 1)


def _moved_days(day: date, days: int) -> date:
    place = day.toordinal() + max(-LONGEST_DAYS, min(LONGEST_DAYS, days))
    return date.fromordinal(max(date.min.toordinal(), min(date.max.toordinal(), place)))


def _moved_months(day: date, months: int) -> date:
    year, month = divmod(day.year * MONTHS_PER_YEAR + day.month - 1 + months, MONTHS_PER_YEAR)
    if year > date.max.year:
        return date.max
    if year < date.min.year:
        return date.min
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))
