"""Pegging (供需挂接): which goods on their way cover which backorder, and what has to be bought.

Source: domain rule B0.6. A supply covers a backorder when it is due no later than promised. Lines choose in the order
of ``priority`` and take the supply that comes first, so that they can be served as early as possible. Since lines of
one class choose by their promised date, a later one can use every supply an earlier one could: no other choice would
cover more of them. A link once made stays while it holds; it would be no promise if the next order could take it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from engine.promise.demand import Backorder, LineKey, Supply, priority
from engine.values import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Peg:
    """``quantity`` of the supply line is meant for the demand line; ``due``: as known when the link was last seen."""

    demand: LineKey
    supply: LineKey
    quantity: Decimal
    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Pegging:
    """The outcome.

    Attributes:
        pegs: links that hold, kept and new, at most one per pair of lines.
        uncovered: demand line → base units nothing covers; what a purchase request is for.
        broken: kept links that no longer hold because the supply is now due too late; somebody should be told.
    """

    pegs: tuple[Peg, ...]
    uncovered: Mapping[LineKey, Decimal]
    broken: tuple[Peg, ...] = ()

    def covered_on(self, demand: LineKey) -> date | None:
        """The day the last goods for a line are due, or None while part of it is uncovered or it has no link."""
        if demand in self.uncovered:
            return None
        return max((peg.due for peg in self.pegs if peg.demand == demand), default=None)


def peg(waiting: Iterable[Backorder], supplies: Iterable[Supply], kept: Iterable[Peg] = ()) -> Pegging:
    """Link backorders to supplies.

    Args:
        waiting: what each line still waits for. supplies: all that is on its way, pegged or not.
        kept: links of before. They come first, cut to what their lines still want and bring; links of lines that are
            no longer there, and of supplies now due after the promised date, are dropped.
    """
    orders = {order.key: order for order in sorted(waiting, key=priority)}
    coming = {supply.key: supply for supply in sorted(supplies, key=lambda one: (one.due, one.key))}
    wanted = {key: order.quantity for key, order in orders.items()}
    left = {key: supply.quantity for key, supply in coming.items()}
    pegs: dict[tuple[LineKey, LineKey], Peg] = {}
    broken: list[Peg] = []

    def link(order: Backorder, supply: Supply, most: Decimal) -> None:
        quantity = min(most, wanted[order.key], left[supply.key])
        if quantity > ZERO:
            before = pegs.get((order.key, supply.key))
            total = quantity + (before.quantity if before else ZERO)
            pegs[order.key, supply.key] = Peg(demand=order.key, supply=supply.key, quantity=total, due=supply.due)
            wanted[order.key] -= quantity
            left[supply.key] -= quantity

    for old in kept:
        order, supply = orders.get(old.demand), coming.get(old.supply)
        if order is not None and supply is not None:
            if in_time(order, supply):
                link(order, supply, old.quantity)
            else:
                broken.append(old)
    for order in orders.values():
        for supply in coming.values():
            if wanted[order.key] > ZERO and in_time(order, supply):
                link(order, supply, wanted[order.key])
    uncovered = {key: quantity for key, quantity in wanted.items() if quantity > ZERO}
    return Pegging(pegs=tuple(pegs.values()), uncovered=MappingProxyType(uncovered), broken=tuple(broken))


def in_time(order: Backorder, supply: Supply) -> bool:
    """Whether the supply is due when the order was promised, or before; anything is in time where nothing was."""
    return order.promised is None or supply.due <= order.promised
