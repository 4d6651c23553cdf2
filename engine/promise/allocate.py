"""Giving free goods to those who wait, and finding whose goods a rush order could have.

Source: domain rules B0.6 (reservation) and D10 (locks). Only decisions: which line gets how much. Nothing here knows
whether goods are reserved softly or locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.promise.demand import Backorder, LineKey, priority
from engine.values import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """``quantity`` for the line ``key``; ``complete`` when nothing more is wanted."""

    key: LineKey
    quantity: Decimal
    complete: bool


def reserve(wanted: Decimal, available: Decimal, whole: bool = False) -> tuple[Decimal, Decimal]:
    """What an order line reserves on approval, and what it waits for: ``min(open, available)`` and the rest.

    Args:
        available: may be negative where negative stock is allowed; then nothing is reserved.
        whole: all or nothing.
    """
    got = max(min(wanted, available), ZERO)
    if whole and got < wanted:
        got = ZERO
    return got, wanted - got


def allocate(waiting: Iterable[Backorder], free: Decimal) -> tuple[Allocation, ...]:
    """Give ``free`` base units to the lines that wait, by ``priority``; lines that get nothing are left out.

    A line that takes all or nothing and cannot have all is passed by, and goods go on to the next: kept back they
    would help nobody, and the line is first again when more arrives.
    """
    given: list[Allocation] = []
    for order in sorted(waiting, key=priority):
        got, missing = reserve(order.quantity, free, order.whole)
        if got > ZERO:
            given.append(Allocation(key=order.key, quantity=got, complete=missing == ZERO))
            free -= got
    return tuple(given)


def releasable(reserved: Iterable[Backorder], missing: Decimal, rush: bool = False) -> tuple[Allocation, ...]:
    """Which reservations could give back ``missing``, those that can wait longest first.

    For a rush order that wants to take goods over (抢占) rush orders are not offered, and whether anything is released
    is for a manager to say (domain rule D10). ``rush``: offer them as well, last; for goods that turn out not to be
    there. ``complete`` tells that the line would lose all it has.
    """
    offered: list[Allocation] = []
    for order in sorted((one for one in reserved if rush or not one.rush), key=priority, reverse=True):
        taken = min(order.quantity, missing)
        if taken > ZERO:
            offered.append(Allocation(key=order.key, quantity=taken, complete=taken == order.quantity))
            missing -= taken
    return tuple(offered)
