"""The units of one product: its base unit and any number of others, each with an exact ratio to the base unit.

A ratio is a fraction, because 3 片 = 1 盒 has no decimal ratio. It never changes once goods have moved: what was
posted in the old ratio would then mean something else; a new pack size is a new unit (domain rule D2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import MappingProxyType

from engine.labels import Label
from engine.problems import Problem, Severity, problem
from engine.values import QUANTITY_SCALE

MISSED_BY = Fraction(1, 1000)
NO_RATIOS: Mapping[int, Fraction] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit of measure (计量单位).

    Attributes:
        id: record id of the unit. places: decimals a quantity in it may have (小数位), 0 to 6.
    """

    id: int
    name: Label
    places: int = 0

    @property
    def step(self) -> Fraction:
        """The smallest quantity the unit can express, in the unit itself."""
        return Fraction(1, 10**self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductUnits:
    """The units a product is counted in.

    Attributes:
        base: the unit its stock is kept in. others: the further units.
        ratios: unit id → how many base units one of it is; the base unit itself is 1 and not listed.
    """

    base: Unit
    others: tuple[Unit, ...] = ()
    ratios: Mapping[int, Fraction] = field(default_factory=lambda: NO_RATIOS)

    def __iter__(self) -> Iterator[Unit]:
        """Every unit, the base unit first."""
        yield self.base
        yield from self.others

    def ratio(self, unit: Unit) -> Fraction:
        """Base units in one ``unit``. Raises ``KeyError`` for a unit the product does not have."""
        return Fraction(1) if unit.id == self.base.id else self.ratios[unit.id]


def table_problems(units: ProductUnits) -> tuple[tuple[int, Problem], ...]:
    """What is wrong with a product's units: a ratio missing or not positive, a unit twice, more decimals than kept.

    Returns:
        Each problem with the id of the unit it is about.
    """
    found: list[tuple[int, Problem]] = []
    seen = {units.base.id}
    for unit in units.others:
        if unit.id in seen:
            found.append((unit.id, problem("units.twice", unit=unit.name)))
        elif units.ratios.get(unit.id, Fraction(0)) <= 0:
            found.append((unit.id, problem("units.ratio_not_positive", unit=unit.name)))
        seen.add(unit.id)
    found.extend(
        (unit.id, problem("units.places", unit=unit.name, places=unit.places, most=QUANTITY_SCALE))
        for unit in units
        if not 0 <= unit.places <= QUANTITY_SCALE
    )
    return tuple(found)


def uneven(ratio: Fraction) -> int:
    """How many of a unit are meant to make one base unit but do not, such as 3 of 0.333333; 0 where nothing is wrong.

    Only ratios below 1 that miss the base unit by a thousandth or less are meant: 0.07 of a kilogram is a weight.
    """
    if not 0 < ratio < 1:
        return 0
    count = round(1 / ratio)
    return count if 0 < abs(count * ratio - 1) <= MISSED_BY else 0


def uneven_problems(units: ProductUnits, before: ProductUnits | None) -> tuple[tuple[int, Problem], ...]:
    """A warning for every new ratio that leaves a rest, with the id of its unit; what was confirmed once is not asked
    again."""
    found: list[tuple[int, Problem]] = []
    for unit in units.others:
        ratio = units.ratios[unit.id]
        count = uneven(ratio) if before is None or before.ratios.get(unit.id) != ratio else 0
        if count:
            told = problem("units.uneven", unit=unit.name, base=units.base.name, count=count)
            found.append((unit.id, replace(told, severity=Severity.WARNING)))
    return tuple(found)


def change_problems(before: ProductUnits, after: ProductUnits, used: bool) -> tuple[tuple[int, Problem], ...]:
    """Why the units of a product cannot become ``after``.

    Args:
        used: whether the product has ever moved; before that everything may change (domain rule D2).

    Returns:
        A problem for a changed base unit and for every unit whose ratio changed or that is gone, each with the id of
        the unit it is about.
    """
    if not used:
        return ()
    if after.base.id != before.base.id:
        return ((before.base.id, problem("units.base_in_use", unit=before.base.name)),)
    return tuple(
        (unit.id, problem("units.ratio_in_use", unit=unit.name))
        for unit in before.others
        if after.ratios.get(unit.id) != before.ratios[unit.id]
    )
