"""What a costing method answers. Value and quantity are the truth; a unit cost is only ever their quotient."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol


class CostMethod(Protocol):
    """Arithmetic of one method (计价方法) over one cost pool.

    ``quantity`` and ``value`` describe the pool before the move; amounts are positive and rounded to ``places``.
    """

    def issue_value(self, quantity: Decimal, value: Decimal, issued: Decimal, places: int, last: Decimal) -> Decimal:
        """Value of ``issued`` units leaving. ``last`` is the last known unit cost, used when the pool is empty."""
        ...

    def gain_value(self, quantity: Decimal, value: Decimal, gained: Decimal, places: int, last: Decimal) -> Decimal:
        """Value of ``gained`` units that arrive without a price of their own (盘盈)."""
        ...
