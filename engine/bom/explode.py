"""Explosion: what a quantity of a product needs, through all its levels, and where a product is used.

Source: domain rule C7 for losses, documents B6 for phantoms. Arithmetic is exact to the end; only what is handed out is
rounded, so that a requirement does not depend on how many levels it came through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

from engine.bom.levels import arcs, low_level_codes
from engine.bom.structure import NO_NAMES, Bills, Bom, Component, Names, effective, gross
from engine.shares import half_up, upwards
from engine.values import QUANTITY_SCALE

# (product made, component of its bill) → the substitute taken instead.
Chosen: TypeAlias = Mapping[tuple[int, int], int]
# Product → decimals its quantities are handed out in.
Places: TypeAlias = Mapping[int, int]

NOTHING_CHOSEN: Chosen = MappingProxyType({})
USUAL_PLACES: Places = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a bill is to be read.

    Attributes:
        options: optional components that are wanted.
        chosen: substitutes that are taken.
        places: decimals of a product's quantities, six where none are given.
        round_up: round a quantity up, so that it is enough, instead of half up.
    """

    options: frozenset[int] = frozenset()
    chosen: Chosen = field(default_factory=lambda: NOTHING_CHOSEN)
    places: Places = field(default_factory=lambda: USUAL_PLACES)
    round_up: bool = False

    def handed_out(self, product: int, quantity: Fraction) -> Decimal:
        """``quantity`` of ``product`` as people see it."""
        return (upwards if self.round_up else half_up)(quantity, self.places.get(product, QUANTITY_SCALE))


AS_WRITTEN = Wish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one run of a bill takes of one product; exact.

    Attributes:
        net: content in the product. gross: with the loss of the line.
    """

    product: int
    net: Fraction
    gross: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What is needed of one product.

    Attributes:
        level: its low-level code below the product asked for, which has 0.
        quantity: gross, base units.
        made: it has a bill of its own. phantom: it is not kept in stock and only passes its need on.
    """

    product: int
    level: int
    quantity: Decimal
    made: bool
    phantom: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One line of the material list of a work order (用料清单), base units.

    Attributes:
        net: content in the good output, the measure of material utilisation. quantity: what may be issued (应发).
    """

    product: int
    net: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One product that needs the product asked for (反查).

    Attributes:
        level: the longest way up to it; 1 is a product that takes it directly.
        direct: gross quantity its own bill takes for one unit, zero above level 1.
        quantity: gross quantity one unit takes through all levels.
    """

    product: int
    level: int
    direct: Decimal
    quantity: Decimal


def lines_of(bom: Bom, wish: Wish = AS_WRITTEN) -> Iterator[Taken]:
    """What one run of ``bom`` takes: optional components only if wanted, substitutes where chosen, at their ratio."""
    for line in bom.components:
        if line.optional and line.product not in wish.options:
            continue
        product, ratio = _instead(bom, line, wish)
        net = Fraction(line.quantity) * ratio
        yield Taken(product=product, net=net, gross=gross(net, line.loss, bom.loss_mode))


def graph_below(bills: Bills, products: Iterable[int], wish: Wish) -> Mapping[int, tuple[int, ...]]:
    """Each product with a bill, of ``products`` and all they need, and what it is really made of under ``wish``."""
    graph: dict[int, tuple[int, ...]] = {}
    waiting = list(products)
    while waiting:
        product = waiting.pop()
        if product in bills and product not in graph:
            graph[product] = tuple(dict.fromkeys(taken.product for taken in lines_of(bills[product], wish)))
            waiting.extend(graph[product])
    return graph


def explode(
    boms: Iterable[Bom],
    product: int,
    quantity: Decimal,
    day: date,
    wish: Wish = AS_WRITTEN,
    names: Names = NO_NAMES,
) -> tuple[Requirement, ...]:
    """Everything that ``quantity`` good units of ``product`` need on ``day``, each product once, level by level.

    Gross means before stock: nothing on hand is taken off. Raises ``Refused`` with a problem ``bom.cycle`` for every
    cycle below the product.
    """
    bills = effective(boms, day)
    codes = low_level_codes(graph_below(bills, (product,), wish), names) or {product: 0}
    needed = {product: Fraction(quantity)}
    order = sorted(codes, key=lambda one: (codes[one], one))
    for one in order:
        if one in bills:
            runs = bills[one].runs(needed[one])
            for taken in lines_of(bills[one], wish):
                needed[taken.product] = needed.get(taken.product, Fraction(0)) + taken.gross * runs
    return tuple(
        Requirement(
            product=one,
            level=codes[one],
            quantity=wish.handed_out(one, needed[one]),
            made=one in bills,
            phantom=one in bills and bills[one].phantom,
        )
        for one in order
    )


def materials(
    boms: Iterable[Bom],
    product: int,
    quantity: Decimal,
    day: date,
    wish: Wish = AS_WRITTEN,
    names: Names = NO_NAMES,
) -> tuple[Material, ...]:
    """The material list of a work order for ``quantity`` of ``product``: one level, phantoms replaced by their parts.

    In the order of the bill, a product that stands in several lines once. Empty without a bill. Raises ``Refused`` for
    phantoms in a circle.
    """
    bills = effective(boms, day)
    opened = {one: bom for one, bom in bills.items() if bom.phantom or one == product}
    low_level_codes(graph_below(opened, (product,), wish), names)
    sums: dict[int, tuple[Fraction, Fraction]] = {}

    def take(one: int, net: Fraction, full: Fraction) -> None:
        for taken in lines_of(bills[one], wish):
            wanted = (taken.net * net / Fraction(bills[one].output), taken.gross * bills[one].runs(full))
            if taken.product in opened:
                take(taken.product, *wanted)
            else:
                before = sums.get(taken.product, (Fraction(0), Fraction(0)))
                sums[taken.product] = (before[0] + wanted[0], before[1] + wanted[1])

    if product in bills:
        take(product, Fraction(quantity), Fraction(quantity))
    return tuple(
        Material(product=one, net=half_up(net, QUANTITY_SCALE), quantity=wish.handed_out(one, full))
        for one, (net, full) in sums.items()
    )


def where_used(boms: Iterable[Bom], product: int, day: date, names: Names = NO_NAMES) -> tuple[Usage, ...]:
    """Every product that needs ``product`` on ``day``, the nearest first; optional components count as taken.

    Raises ``Refused`` with every cycle.
    """
    bills = effective(boms, day)
    codes = low_level_codes(arcs(bills), names)
    wish = Wish(options=frozenset(line.product for bom in bills.values() for line in bom.components if line.optional))
    per_unit: dict[int, Fraction] = {product: Fraction(1)}
    levels: dict[int, int] = {product: 0}
    usages: list[Usage] = []
    for one in sorted(bills, key=lambda each: -codes[each]):
        takes = [taken for taken in lines_of(bills[one], wish) if taken.product in per_unit]
        if not takes or one == product:
            continue
        runs = bills[one].runs(Fraction(1))
        levels[one] = 1 + max(levels[taken.product] for taken in takes)
        per_unit[one] = runs * sum((taken.gross * per_unit[taken.product] for taken in takes), Fraction(0))
        direct = runs * sum((taken.gross for taken in takes if taken.product == product), Fraction(0))
        usages.append(
            Usage(
                product=one,
                level=levels[one],
                direct=wish.handed_out(product, direct),
                quantity=wish.handed_out(product, per_unit[one]),
            )
        )
    return tuple(sorted(usages, key=lambda usage: (usage.level, usage.product)))


def _instead(bom: Bom, line: Component, wish: Wish) -> tuple[int, Fraction]:
    """The product a line really takes and how many units of it stand for one of the component."""
    wanted = wish.chosen.get((bom.product, line.product))
    for substitute in line.substitutes:
        if substitute.product == wanted:
            return substitute.product, Fraction(substitute.ratio)
    return line.product, Fraction(1)
