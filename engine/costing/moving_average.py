"""Moving weighted average (移动加权平均).

Source: domain rule C1. ``c = V / Q`` is never rounded; the value of a move is. An issue that empties the pool takes all
of its value, so that no cent is left on nothing.
"""

from __future__ import annotations

from decimal import Decimal

from engine.values import ZERO, divided, rounded


class MovingAverage:
    """The method. Stateless."""

    def issue_value(self, quantity: Decimal, value: Decimal, issued: Decimal, places: int, last: Decimal) -> Decimal:
        """``round(issued × V / Q)``; the whole value when the pool empties; the last known cost beyond zero."""
        if quantity <= ZERO:
            return rounded(issued * last, places)
        if issued == quantity:
            return value
        if issued > quantity:
            return value + rounded((issued - quantity) * divided(value, quantity), places)
        return rounded(divided(issued * value, quantity), places)

    def gain_value(self, quantity: Decimal, value: Decimal, gained: Decimal, places: int, last: Decimal) -> Decimal:
        """``round(gained × V / Q)``; the last known cost when the pool is empty."""
        if quantity <= ZERO:
            return rounded(gained * last, places)
        return rounded(divided(gained * value, quantity), places)
