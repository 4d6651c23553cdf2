"""Bills of material (物料清单) as values: what a product is made of, with what loss, and what falls off beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, TypeAlias

from engine.values import ZERO

LossMode: TypeAlias = Literal["yield", "markup"]
ByproductBasis: TypeAlias = Literal["recovery", "share", "zero"]
# Product → the name a problem calls it by.
Names: TypeAlias = Mapping[int, str]
# Product → the bill it is made by on the day asked about.
Bills: TypeAlias = Mapping[int, "Bom"]

NO_NAMES: Names = MappingProxyType({})
ONE = Decimal(1)
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitute:
    """What may stand in for a component (替代料).

    Attributes:
        ratio: units of the substitute for one unit of the component.
        priority: 1 is tried first.
    """

    product: int
    ratio: Decimal = ONE
    priority: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One line of a bill.

    Attributes:
        quantity: net content (净用量) in the output quantity of the bill, base units of the component.
        loss: loss rate (损耗率) in percent points; 4 means 4 %.
        optional: taken only where it is asked for.
    """

    product: int
    quantity: Decimal
    loss: Decimal = ZERO
    substitutes: tuple[Substitute, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Byproduct:
    """What is made beside the product (副产品, 边角料).

    Attributes:
        quantity: per output quantity of the bill, base units.
        basis: domain rule C7. ``recovery``: worth ``price`` a unit, which the main product costs less. ``share``:
            bears ``share`` percent points of the cost. ``zero``: counted, worth nothing.
    """

    product: int
    quantity: Decimal
    basis: ByproductBasis = "recovery"
    price: Decimal = ZERO
    share: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Bom:
    """One version of how a product is made.

    Attributes:
        version: rises with every version of one product.
        valid_from, valid_to: first and last day; None leaves that end open.
        output: quantity of the product the lines are for (基准产量).
        good: good part of the output (成品率) in percent points; what is lost is made up for by every component.
        loss_mode: how loss rates are read, see ``gross``.
        phantom: never kept in stock (虚拟件); whoever needs it takes its components.
    """

    product: int
    version: int = 1
    valid_from: date | None = None
    valid_to: date | None = None
    output: Decimal = ONE
    good: Decimal = HUNDRED
    loss_mode: LossMode = "yield"
    components: tuple[Component, ...] = ()
    byproducts: tuple[Byproduct, ...] = ()
    phantom: bool = False

    def valid_on(self, day: date) -> bool:
        """Whether the product may be made by it on ``day``."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)

    def runs(self, quantity: Fraction) -> Fraction:
        """How often the lines are needed for ``quantity`` good units of the product."""
        return quantity / Fraction(self.output) / percent(self.good)


def percent(points: Decimal) -> Fraction:
    """Percent points as a part of one: 4 → 1/25."""
    return Fraction(points) / 100


def gross(net: Fraction, loss: Decimal, mode: LossMode) -> Fraction:
    """What has to be taken for ``net`` to be in the product (毛用量).

    Source: domain rule C7. ``yield``: net / (1 − loss). ``markup``: net × (1 + loss). ``loss`` in percent points.
    Raises ``ZeroDivisionError`` for a yield loss of 100.
    """
    if mode == "markup":
        return net * (1 + percent(loss))
    return net / (1 - percent(loss))


def effective(boms: Iterable[Bom], day: date) -> Bills:
    """The bill of every product on ``day``: of those valid the one that began last, then the highest version.

    A new version thus takes over on its first day without the old one being ended.
    """
    chosen: dict[int, Bom] = {}
    for bom in sorted(boms, key=lambda one: (one.valid_from or date.min, one.version)):
        if bom.valid_on(day):
            chosen[bom.product] = bom
    return chosen


def called(names: Names, product: int) -> str:
    """The name of ``product`` in a problem: as ``names`` has it, else its number."""
    return names.get(product, str(product))
