"""Catch weight (浮动换算, 双计量): goods counted in pieces and weighed. Both quantities are kept, neither is computed.

The base quantity is the weight, and decides value and price; the pieces are what people see and carry. The ratio of
the product is nominal: it proposes a weight for a count and judges the weight that was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from engine.labels import Label
from engine.problems import Problem, problem
from engine.units.convert import rounded_fraction
from engine.values import QUANTITY_SCALE, ZERO, rounded

PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchWeight:
    """How much pieces may weigh.

    Attributes:
        nominal: base units (kg) one piece should be.
        below, above: tolerance in per cent of the nominal weight, each 0 or more; the limits themselves pass.
    """

    nominal: Fraction
    below: Decimal
    above: Decimal

    def expected(self, pieces: Decimal) -> Decimal:
        """Weight proposed for ``pieces``, signed alike."""
        return rounded_fraction(Fraction(pieces) * self.nominal, QUANTITY_SCALE)

    def limits(self, pieces: Decimal) -> tuple[Decimal, Decimal]:
        """Least and most ``pieces`` (positive) may weigh."""
        nominal = Fraction(pieces) * self.nominal
        least = nominal * (1 - Fraction(self.below) / PERCENT)
        most = nominal * (1 + Fraction(self.above) / PERCENT)
        return rounded_fraction(least, QUANTITY_SCALE, "up"), rounded_fraction(most, QUANTITY_SCALE, "down")


@dataclass(frozen=True, slots=True)
class Weighed:
    """A quantity of catch-weight goods: ``weight`` in base units and ``pieces``, of one sign."""

    weight: Decimal
    pieces: Decimal

    def less(self, other: Weighed) -> Weighed:
        """What stays after ``other`` has gone."""
        return Weighed(self.weight - other.weight, self.pieces - other.pieces)


def weight_problems(moved: Weighed, rule: CatchWeight, label: Label) -> tuple[Problem, ...]:
    """What is wrong with a movement: pieces without weight or the reverse, differing signs, a weight out of tolerance.

    Args:
        label: the product, for the sentence.
    """
    if (moved.weight == ZERO) != (moved.pieces == ZERO) or moved.weight * moved.pieces < ZERO:
        return (problem("units.weight_and_pieces", product=label, weight=moved.weight, pieces=moved.pieces),)
    pieces, weight = moved.pieces.copy_abs(), moved.weight.copy_abs()
    least, most = rule.limits(pieces)
    if least <= weight <= most:
        return ()
    return (problem("units.weight_outside", product=label, weight=weight, pieces=pieces, least=least, most=most),)


def rest_after(stock: Weighed, out: Weighed, rule: CatchWeight) -> tuple[Weighed, Decimal]:
    """What stays after ``out`` (positive) has gone, and the weighing difference to be written off.

    When the last piece goes, no weight can stay: drying and scales make the weighed sum differ from the stock. A
    difference within the tolerance of the pieces that went is a weighing difference (称重差异; positive: too much
    weight was booked) and is taken with them. A greater one stays in the rest, for a person to look at.
    """
    rest = stock.less(out)
    if rest.pieces != ZERO or rest.weight == ZERO:
        return rest, ZERO
    percent = rule.below if rest.weight > ZERO else rule.above
    allowed = Fraction(out.pieces) * rule.nominal * Fraction(percent) / PERCENT
    if Fraction(rest.weight.copy_abs()) > allowed:
        return rest, ZERO
    return Weighed(ZERO, ZERO), rounded(rest.weight, QUANTITY_SCALE)
