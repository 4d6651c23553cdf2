"""Forecast of allotments (预计到货): which goods on their way will reach which backorder, if nothing changes.

Source: domain rule B0.6. Goods that arrive are given to whoever waits then by ``priority``, in time for them or not. So
the forecast plays the arrivals day by day through the same ``allocate`` that will be asked when they come, and cannot
say anything else; a link of a supply to an order that is kept would say what will not happen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from engine.promise.allocate import allocate, releasable
from engine.promise.demand import Backorder, LineKey, Supply
from engine.values import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """``quantity`` of the supply line ``supply`` goes to the line ``demand`` on ``day``.

    Attributes:
        supply: None for goods that are in stock already and are given only when more arrives.
        day: the day the goods are due that set the allotment off.
    """

    demand: LineKey
    supply: LineKey | None
    quantity: Decimal
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What lines will get, in the order it comes, and what of a line nothing on its way is going to bring."""

    arrivals: tuple[Arrival, ...]
    uncovered: Mapping[LineKey, Decimal]


def unfounded(reserved: Iterable[Backorder], free: Decimal) -> tuple[Backorder, ...]:
    """What of reservations has no goods behind it any more (占用落空): of the lines that can wait longest, as much as
    ``free`` is below zero. Their goods expired, were set aside, or turned out not to be there.

    Args:
        reserved: every line that reserves in one place, with what it holds.
    """
    lines = {order.key: order for order in reserved}
    return tuple(
        replace(lines[one.key], quantity=one.quantity, whole=False)
        for one in releasable(lines.values(), max(-free, ZERO), rush=True)
    )


def forecast(
    waiting: Iterable[Backorder],
    supplies: Iterable[Supply],
    free: Decimal = ZERO,
    lost: Iterable[Backorder] = (),
) -> Forecast:
    """The forecast for one product in one warehouse.

    Args:
        waiting: what each line still waits for. supplies: open quantities on their way.
        free: 可用量 today. What it lacks to zero is filled by what arrives before anybody is given any.
        lost: reservations without goods, as ``unfounded`` tells them: who is served when what is lacking is filled.
    """
    groups = [
        {order.key: order for order in lost},
        {order.key: order for order in waiting if order.quantity > ZERO},
    ]
    here: deque[tuple[LineKey | None, Decimal]] = deque([(None, free)] if free > ZERO else ())
    hole = max(-free - sum((order.quantity for order in groups[0].values()), ZERO), ZERO)
    found: dict[tuple[LineKey, LineKey | None, date], Decimal] = {}
    for supply in sorted(supplies, key=lambda one: (one.due, one.key)):
        if not any(groups):
            break
        filled = min(hole, supply.quantity)
        hole -= filled
        if supply.quantity > filled:
            here.append((supply.key, supply.quantity - filled))
        for orders in groups:
            for given in allocate(orders.values(), sum((quantity for _, quantity in here), ZERO)):
                for key, taken in _taken(here, given.quantity):
                    at = (given.key, key, supply.due)
                    found[at] = found.get(at, ZERO) + taken
                if given.complete:
                    del orders[given.key]
                else:
                    order = orders[given.key]
                    orders[given.key] = replace(order, quantity=order.quantity - given.quantity)
    uncovered: dict[LineKey, Decimal] = {}
    for order in (*groups[0].values(), *groups[1].values()):
        uncovered[order.key] = uncovered.get(order.key, ZERO) + order.quantity
    return Forecast(
        arrivals=tuple(
            Arrival(demand=demand, supply=key, quantity=quantity, day=day)
            for (demand, key, day), quantity in found.items()
        ),
        uncovered=MappingProxyType(uncovered),
    )


def _taken(here: deque[tuple[LineKey | None, Decimal]], wanted: Decimal) -> Iterator[tuple[LineKey | None, Decimal]]:
    """Take ``wanted`` from what is here, the first that came first."""
    while wanted > ZERO:
        key, left = here.popleft()
        taken = min(wanted, left)
        wanted -= taken
        if left > taken:
            here.appendleft((key, left - taken))
        yield key, taken
