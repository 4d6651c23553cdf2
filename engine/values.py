"""Exact arithmetic. Every number in the product is a ``Decimal`` with a declared scale; nothing here touches a float.

Rounding is half up (四舍五入), the rule Chinese bookkeeping expects. A value outside the range of a scaled 64-bit
integer is refused where it enters, never truncated.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

QUANTITY_SCALE = 6
PRICE_SCALE = 6
MONEY_SCALE = 4
PERCENT_SCALE = 6
INT64_MAX = 2**63 - 1
MOST_DIGITS = len(str(INT64_MAX))

ZERO = Decimal(0)
EXACT = Context(prec=40, rounding=ROUND_HALF_UP)
QUANTIZED = EXACT.quantize  # looked up once: a submission rounds hundreds of figures, each five times as fast so
MOST_PLACES = 9
# One unit of the last place, and the largest value at rest, by decimals.
UNITS = tuple(Decimal(1).scaleb(-places) for places in range(MOST_PLACES + 1))
LARGEST = tuple(Decimal(INT64_MAX).scaleb(-places) for places in range(MOST_PLACES + 1))


def rounded(value: Decimal, places: int) -> Decimal:
    """``value`` rounded half up to ``places`` decimals (0 to 9)."""
    return QUANTIZED(value, UNITS[places])


def divided(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Quotient to 40 significant digits. Raises ``ZeroDivisionError`` for a zero denominator."""
    if denominator == ZERO:
        raise ZeroDivisionError
    return EXACT.divide(numerator, denominator)


def fits(value: Decimal, scale: int) -> bool:
    """Whether ``value`` can be kept at rest: finite, at most ``scale`` decimals, inside 64 bits once scaled."""
    if not value.is_finite() or value.copy_abs() > LARGEST[scale]:
        return False
    return QUANTIZED(value, UNITS[scale]) == value


def number_in(text: str) -> int | None:
    """The whole number from 0 to ``INT64_MAX`` that ``text`` writes in ASCII digits; None when it writes none.

    Python reads other digits too, fails at some characters that count as digits, and at thousands of them.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        return None
    number = int(text)
    return number if number <= INT64_MAX else None
