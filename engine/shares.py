"""Splitting an amount among lines without losing a cent.

The policy is cumulative rounding: the parts up to line i together are what the total times their joint weight rounds
to, and a part is the difference of two neighbours. Whatever the weights, the parts add up to the total, a line of no
weight gets nothing, and no part takes the other sign. A remainder put on the last line, as domain rule C5 words it,
gives the same figures wherever rounding is small, yet can turn the last line negative when many lines round up.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from engine.values import EXACT, ZERO

Weight: TypeAlias = Decimal | Fraction


def half_up(value: Fraction, places: int) -> Decimal:
    """``value`` rounded half up (四舍五入, away from zero) to ``places`` decimals, from its exact figure."""
    scaled = abs(value) * 10**places
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return _decimal(units if value >= 0 else -units, places)


def upwards(value: Fraction, places: int) -> Decimal:
    """The smallest figure of ``places`` decimals that is not below ``value``: enough, never too little."""
    scaled = value * 10**places
    return _decimal(-(-scaled.numerator // scaled.denominator), places)


def spread(total: Decimal, weights: Sequence[Weight], places: int) -> tuple[Decimal, ...]:
    """Split ``total`` in proportion to ``weights``; weights that are all zero split evenly.

    Source: domain rule C5, rounded cumulatively: ``f_i = round(F × B_i / B) − round(F × B_(i−1) / B)`` with ``B_i``
    the sum of the first i weights. Raises ``ValueError`` for a negative weight, for a total of more decimals than
    ``places``, and for an amount with no line to bear it.
    """
    if total and not weights:
        raise ValueError("nothing bears the total")
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight is negative")
    if half_up(Fraction(total), places) != total:
        raise ValueError("the total has more decimals than its parts")
    exact = [Fraction(weight) for weight in weights] if any(weights) else [Fraction(1)] * len(weights)
    whole = sum(exact, Fraction(0))
    parts, reached, before = [], Fraction(0), ZERO
    for weight in exact:
        reached += weight
        upto = half_up(Fraction(total) * reached / whole, places)
        parts.append(upto - before)
        before = upto
    return tuple(parts)


def _decimal(units: int, places: int) -> Decimal:
    return Decimal(units).scaleb(-places, context=EXACT)
