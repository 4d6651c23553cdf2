"""Standard cost from the bottom up (成本卷算): materials at cost, work at its rates, by-products taken off.

Source: domain rule C6, "run lowest level first, semi-finished roll up as material with element breakdown kept".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

from engine.bom.elements import NOUGHT, Elements, ExactElements
from engine.bom.explode import AS_WRITTEN, Wish, graph_below, lines_of
from engine.bom.levels import low_level_codes
from engine.bom.structure import NO_NAMES, ONE, Bills, Bom, Names, called, effective, percent
from engine.problems import Problem, Refused, problem
from engine.shares import half_up
from engine.values import PRICE_SCALE, ZERO

MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One step of a routing (工序).

    Attributes:
        minutes: standard time for one unit (标准工时). setup: minutes before a batch (准备工时).
        labour_rate, overhead_rate: money an hour (人工费率, 制费费率).
        piece_rate: money a unit (计件单价); where it is not zero it replaces time as the measure of labour.
        fee: money a unit for work done outside (委外加工费).
    """

    minutes: Decimal = ZERO
    setup: Decimal = ZERO
    labour_rate: Decimal = ZERO
    overhead_rate: Decimal = ZERO
    piece_rate: Decimal = ZERO
    fee: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """How a product is worked (工艺路线): its operations, and the usual batch that setup is spread over."""

    operations: tuple[Operation, ...] = ()
    batch: Decimal = ONE


# Product → what a unit costs where it is not made: material for goods, outsource for a service.
Bought: TypeAlias = Mapping[int, Elements]
Routings: TypeAlias = Mapping[int, Routing]
NO_ROUTINGS: Routings = MappingProxyType({})
NO_WORK = Routing()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCost:
    """What a unit of a made product costs, in price decimals.

    Attributes:
        restored: every level taken back to its elements (成本还原).
        own: as the product's own bill sees it; made components stand under material at their full cost.
        byproducts: cost of a unit of each by-product that bears a share or has a recovery price.
    """

    product: int
    restored: Elements
    own: Elements
    byproducts: Mapping[int, Decimal]


def roll_up(
    boms: Iterable[Bom],
    products: Collection[int],
    day: date,
    bought: Bought,
    routings: Routings = NO_ROUTINGS,
    wish: Wish = AS_WRITTEN,
    names: Names = NO_NAMES,
) -> tuple[ProductCost, ...]:
    """Unit costs of ``products`` and of everything made that they need, lowest level first.

    A product with a bill is made, whatever ``bought`` says of it. Raises ``Refused`` with, all at once, every cycle;
    else every product without a bill or a cost; else the first bill whose by-products are worth more than it costs.
    """
    bills = effective(boms, day)
    codes = dict.fromkeys(products, 0) | low_level_codes(graph_below(bills, products, wish), names)
    exact: dict[int, ExactElements] = {}
    found: list[ProductCost] = []
    problems: list[Problem] = []
    for product in sorted(codes, key=lambda one: (-codes[one], one)):
        if product not in bills:
            if product not in bought:
                problems.append(problem("bom.no_cost", product=called(names, product)))
            exact[product] = ExactElements.of(bought.get(product, Elements()))
            continue
        exact[product], cost = _made(bills[product], bills, routings.get(product, NO_WORK), exact, wish)
        found.append(cost)
        if exact[product].total < 0 and not problems:
            problems.append(problem("bom.byproducts_exceed_cost", product=called(names, product)))
    if problems:
        raise Refused(problems)
    return tuple(found)


def _made(
    bom: Bom, bills: Bills, routing: Routing, exact: Mapping[int, ExactElements], wish: Wish
) -> tuple[ExactElements, ProductCost]:
    """The exact cost of one good unit, and what is handed out of it."""
    runs = bom.runs(Fraction(1))
    work = _work(routing).times(runs * Fraction(bom.output))
    restored, own = work, work
    for taken in lines_of(bom, wish):
        part = exact[taken.product].times(taken.gross * runs)
        restored = restored.plus(part)
        own = own.plus(ExactElements(material=part.total) if taken.product in bills else part)
    recovered, kept = NOUGHT, Fraction(1)
    for beside in bom.byproducts:
        if beside.basis == "recovery":
            recovered += Fraction(beside.quantity) * Fraction(beside.price) * runs
        elif beside.basis == "share":
            kept -= percent(beside.share)
    restored, own = (each.plus(ExactElements(byproduct=-recovered)) for each in (restored, own))
    units: dict[int, Decimal] = {}
    for beside in bom.byproducts:
        if beside.basis == "recovery":
            units[beside.product] = half_up(Fraction(beside.price), PRICE_SCALE)
        elif beside.basis == "share":
            borne = restored.total * percent(beside.share) / (Fraction(beside.quantity) * runs)
            units[beside.product] = half_up(borne, PRICE_SCALE)
    cost = restored.times(kept)
    return cost, ProductCost(
        product=bom.product,
        restored=cost.rounded(PRICE_SCALE),
        own=own.times(kept).rounded(PRICE_SCALE),
        byproducts=units,
    )


def _work(routing: Routing) -> ExactElements:
    """The work on one unit."""
    labour = overhead = outsource = NOUGHT
    for operation in routing.operations:
        hours = (Fraction(operation.minutes) + Fraction(operation.setup) / Fraction(routing.batch)) / MINUTES_PER_HOUR
        labour += Fraction(operation.piece_rate) or hours * Fraction(operation.labour_rate)
        overhead += hours * Fraction(operation.overhead_rate)
        outsource += Fraction(operation.fee)
    return ExactElements(labour=labour, overhead=overhead, outsource=outsource)
