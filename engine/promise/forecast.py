"""Forecast of allotments (预计到货): which goods on their way will reach which backorder, if nothing changes.

Source: domain rule B0.6. ``peg`` tells what is covered in time and what has to be bought; this tells what will happen:
goods that arrive are given to whoever waits then by ``priority``, in time for them or not. So the forecast plays the
arrivals day by day through the same ``allocate`` that will be asked when they come, and cannot say anything else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from engine.promise.allocate import allocate
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


def forecast(waiting: Iterable[Backorder], supplies: Iterable[Supply], free: Decimal = ZERO) -> Forecast:
    """The forecast for one product in one warehouse.

    Args:
        waiting: what each line still waits for. supplies: open quantities on their way.
        free: 可用量 today. What it lacks to zero is filled by what arrives before anybody is given any.
    """
    orders = {order.key: order for order in waiting if order.quantity > ZERO}
    here: deque[tuple[LineKey | None, Decimal]] = deque([(None, free)] if free > ZERO else ())
    lacking = max(-free, ZERO)
    found: list[Arrival] = []
    for supply in sorted(supplies, key=lambda one: (one.due, one.key)):
        if not orders:
            break
        filled = min(lacking, supply.quantity)
        lacking -= filled
        if supply.quantity > filled:
            here.append((supply.key, supply.quantity - filled))
        for given in allocate(orders.values(), sum((quantity for _, quantity in here), ZERO)):
            wanted = given.quantity
            while wanted > ZERO:
                key, left = here.popleft()
                taken = min(wanted, left)
                wanted -= taken
                found.append(Arrival(demand=given.key, supply=key, quantity=taken, day=supply.due))
                if left > taken:
                    here.appendleft((key, left - taken))
            if given.complete:
                del orders[given.key]
            else:
                order = orders[given.key]
                orders[given.key] = replace(order, quantity=order.quantity - given.quantity)
    uncovered = {key: order.quantity for key, order in orders.items()}
    return Forecast(arrivals=tuple(found), uncovered=MappingProxyType(uncovered))
