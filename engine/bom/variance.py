"""What was used against what should have been: variances, material utilisation, loss rates and what a loss costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from engine.bom.structure import LossMode, gross
from engine.shares import half_up
from engine.values import PERCENT_SCALE, QUANTITY_SCALE, ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """Actual less standard; positive is dearer.

    Attributes:
        quantity: actual less standard quantity (hours, for labour and overhead).
        price: because a unit cost something else (labour: rate). usage: because more was used (labour: efficiency).
    """

    quantity: Decimal
    price: Decimal
    usage: Decimal

    @property
    def total(self) -> Decimal:
        """Actual less standard cost."""
        return self.price + self.usage


@dataclass(frozen=True, slots=True, kw_only=True)
class LossChange:
    """What another loss rate of one material does to one unit of a product.

    Attributes:
        before, after: gross quantities. cost_before, cost_after, saving: money.
        margin: change of the margin in percent points of the price.
    """

    before: Decimal
    after: Decimal
    cost_before: Decimal
    cost_after: Decimal
    saving: Decimal
    margin: Decimal


def variance(
    actual_quantity: Decimal, actual_price: Decimal, standard_quantity: Decimal, standard_price: Decimal, places: int
) -> Variance:
    """Split a difference in cost into price and usage, or rate and efficiency.

    Source: domain rule C6: price = (actual price − standard price) × actual quantity; usage = (actual quantity −
    standard quantity) × standard price. Usage is rounded by itself and price takes the rest, so that both are the
    whole difference.
    """
    used, planned = Fraction(actual_quantity), Fraction(standard_quantity)
    whole = half_up(used * Fraction(actual_price) - planned * Fraction(standard_price), places)
    usage = half_up((used - planned) * Fraction(standard_price), places)
    return Variance(quantity=actual_quantity - standard_quantity, price=whole - usage, usage=usage)


def utilisation(net: Decimal, used: Decimal) -> Decimal | None:
    """Material utilisation (材料利用率) in percent points: net content of the good output in what was used.

    Source: domain rule C6. None where nothing was used.
    """
    return half_up(Fraction(net) / Fraction(used) * 100, PERCENT_SCALE) if used else None


def loss_rate(used: Decimal, net: Decimal) -> Decimal | None:
    """Actual loss rate (实际损耗率) in percent points: (input − net content in good output) / input.

    Source: domain rule C7. None where nothing was used; negative where less was used than the output holds.
    """
    return half_up(Fraction(used - net) / Fraction(used) * 100, PERCENT_SCALE) if used else None


def loss_change(
    net: Decimal, cost: Decimal, price: Decimal, before: Decimal, after: Decimal, places: int, mode: LossMode = "yield"
) -> LossChange:
    """What it is worth that the loss rate of a material goes from ``before`` to ``after``, in percent points.

    Args:
        net: content of the material in one unit of the product.
        cost: money for one unit of the material.
        price: what one unit of the product is sold for (factory price).

    Source: domain rule C7, requirement R131. Saving and margin come from exact costs, so the saving may differ by a
    cent from the difference of the two rounded ones.
    """
    quantities = [gross(Fraction(net), loss, mode) for loss in (before, after)]
    costs = [quantity * Fraction(cost) for quantity in quantities]
    saving = costs[0] - costs[1]
    return LossChange(
        before=half_up(quantities[0], QUANTITY_SCALE),
        after=half_up(quantities[1], QUANTITY_SCALE),
        cost_before=half_up(costs[0], places),
        cost_after=half_up(costs[1], places),
        saving=half_up(saving, places),
        margin=half_up(saving / Fraction(price) * 100, PERCENT_SCALE) if price else ZERO,
    )
