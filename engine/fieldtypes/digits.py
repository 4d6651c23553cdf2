"""Decimal in and out of plain digits: the two conversions every number and every code from a spreadsheet needs."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from engine.problems import Problem, problem

# A spreadsheet keeps 15 significant digits; whatever a double shows beyond them is noise, and a whole number longer
# than that has already lost its tail.
FLOAT_DIGITS = 15


def plain(value: Decimal) -> str:
    """Digits without exponent, trailing zeros or negative zero: ``1.50`` → ``1.5``, ``1E+3`` → ``1000``."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def exact_decimal(raw: float | Decimal) -> Decimal | Problem | None:
    """A Python number as ``Decimal``; None when it is not finite. A float counts with its 15 significant digits.

    Problems: ``field.float_too_long`` for a float of 16 digits or more, whose last digits are lost.
    """
    if isinstance(raw, float):
        if not isfinite(raw):
            return None
        if abs(raw) >= 10**FLOAT_DIGITS:
            return problem("field.float_too_long", value=str(raw), digits=FLOAT_DIGITS)
        return Decimal(format(raw, f".{FLOAT_DIGITS}g"))
    value = Decimal(raw)
    return value if value.is_finite() else None
