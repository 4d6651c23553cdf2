"""Mixed display (多单位显示): 37 瓶 at 12 瓶 a 箱 is read as 3箱1瓶.

The parts always add up to the quantity. A negative quantity carries its sign on every part (-3箱-1瓶): a single sign in
front could be read as minus three cases plus one bottle.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from engine.labels import Language
from engine.units.convert import dust_limit, rounded_fraction
from engine.units.table import ProductUnits, Unit
from engine.values import QUANTITY_SCALE, ZERO


def mixed_parts(
    units: ProductUnits, base: Decimal, shown: frozenset[int] | None = None
) -> tuple[tuple[Decimal, Unit], ...]:
    """``base`` base units as parts, the largest unit first; zero parts are left out, and zero itself is one part.

    A larger unit takes part if it is a whole multiple of the smallest one used. Units smaller than the base unit join
    only where the base unit alone cannot express the quantity (0.333333 盒 is 1片, but 1.5 kg stays 1.5 kg).

    Args:
        shown: ids of the further units to use; None for all.
    """
    usable = [unit for unit in units.others if shown is None or unit.id in shown]
    smallest, places = _smallest(units, usable, Fraction(base))
    least = units.ratio(smallest)
    ladder = sorted(
        (unit for unit in (units.base, *usable) if _above(units.ratio(unit), least)), key=units.ratio, reverse=True
    )
    # Rounded once, in the smallest unit: 11.999999 瓶 is 1箱, not 11瓶 and a bit.
    left = Fraction(rounded_fraction(abs(Fraction(base)) / least, places))
    parts: list[tuple[Decimal, Unit]] = []
    for unit in ladder:
        count, left = divmod(left, units.ratio(unit) / least)
        if count:
            parts.append((Decimal(count), unit))
    if left or not parts:
        parts.append((rounded_fraction(left, places), smallest))
    return tuple((-count if base < ZERO and count else count, unit) for count, unit in parts)


def mixed_text(units: ProductUnits, base: Decimal, language: Language, shown: frozenset[int] | None = None) -> str:
    """``mixed_parts`` as people write it: ``3箱1瓶`` in Chinese, ``3 case 1 bottle`` in English."""
    parts = mixed_parts(units, base, shown)
    if language == "zh":
        return "".join(f"{_plain(count)}{unit.name.text(language)}" for count, unit in parts)
    return " ".join(f"{_plain(count)} {unit.name.text(language)}" for count, unit in parts)


def _smallest(units: ProductUnits, usable: list[Unit], base: Fraction) -> tuple[Unit, int]:
    """The unit the last part is written in and its decimals: what no unit can express is shown to the last decimal."""
    if _expressible(units, units.base, base):
        return units.base, units.base.places
    below = [unit for unit in usable if units.ratio(unit) < 1 and _above(Fraction(1), units.ratio(unit))]
    smallest = min(below, key=units.ratio, default=units.base)
    return smallest, smallest.places if _expressible(units, smallest, base) else QUANTITY_SCALE


def _expressible(units: ProductUnits, unit: Unit, base: Fraction) -> bool:
    step = unit.step * units.ratio(unit)
    rest = base % step
    return min(rest, step - rest) < dust_limit(units)


def _above(ratio: Fraction, least: Fraction) -> bool:
    return ratio > least and (ratio / least).denominator == 1


def _plain(count: Decimal) -> str:
    text = f"{count:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
