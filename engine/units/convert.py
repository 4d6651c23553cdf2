"""Conversion between a unit and the base unit, and the rule that no dust is left.

A quantity in a unit is exact; its base quantity is rounded once, half up, to the scale quantities are kept at. With a
ratio such as 1/3 three issues of 1 片 take 0.999999 盒 of a 盒, and a speck nobody can count or issue would stay for
ever. Hence the rule: **a movement that leaves less than any unit of the product can express takes that rest too.**
The limit is a hundredth of the smallest step of all units. One conversion errs by at most half a millionth of a base
unit, so it covers the error of thousands of movements for countable goods and stays far below what a person could
have entered.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from engine.problems import Problem, problem
from engine.shares import half_up, upwards
from engine.units.table import ProductUnits, Unit
from engine.values import QUANTITY_SCALE, ZERO

Mode: TypeAlias = Literal["half_up", "up", "down"]
STEPS_OF_DUST = 100


def base_quantity(units: ProductUnits, quantity: Decimal, unit: Unit, on_hand: Decimal | None = None) -> Decimal:
    """``quantity`` of ``unit`` in base units, rounded half up to ``QUANTITY_SCALE``.

    Args:
        quantity: signed as the caller likes; the sign is kept.
        on_hand: base units that are there, for an issue. When what stays (or is missing) would be dust, all of
            ``on_hand`` is taken, so that an issue of everything leaves exactly zero, in whichever unit it is written.
    """
    exact = rounded_fraction(Fraction(quantity) * units.ratio(unit), QUANTITY_SCALE)
    if on_hand is not None and exact and dust(units, on_hand - exact.copy_abs()):
        return on_hand.copy_sign(exact)
    return exact


def in_unit(units: ProductUnits, base: Decimal, unit: Unit) -> Decimal:
    """``base`` units expressed in ``unit``, rounded half up to the decimals of the unit; for people to read."""
    return rounded_fraction(Fraction(base) / units.ratio(unit), unit.places)


def whole_units(units: ProductUnits, base: Decimal, unit: Unit, mode: Mode) -> Decimal:
    """``base`` in ``unit`` as something that can be entered in it: ``up`` for what must suffice (a requirement, a
    purchase in cases), ``down`` for what may not be exceeded (what can be issued), away from and towards zero."""
    return rounded_fraction(Fraction(base) / units.ratio(unit), unit.places, mode)


def dust_limit(units: ProductUnits) -> Fraction:
    """Below this many base units a rest is dust: a hundredth of the smallest step of all units of the product."""
    return min(unit.step * units.ratio(unit) for unit in units) / STEPS_OF_DUST


def dust(units: ProductUnits, base: Decimal) -> bool:
    """Whether ``base`` units, positive or negative, are not zero but less than any unit of the product can express."""
    return base != ZERO and Fraction(base.copy_abs()) < dust_limit(units)


def precision_problem(quantity: Decimal, unit: Unit) -> Problem | None:
    """A quantity with more decimals than its unit has (0.5 瓶); it is refused, never silently rounded."""
    if Fraction(quantity) % unit.step == 0:
        return None
    return problem("units.too_precise", quantity=quantity, unit=unit.name, places=unit.places)


def rounded_fraction(value: Fraction, places: int, mode: Mode = "half_up") -> Decimal:
    """``value`` as a decimal of ``places`` places; half up is away from zero at the half, as everywhere."""
    if mode == "half_up":
        return half_up(value, places)
    # ``up`` and ``down`` are meant from zero, ``upwards`` along the line of numbers.
    return upwards(value, places) if (mode == "up") == (value >= 0) else -upwards(-value, places)
