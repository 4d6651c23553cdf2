"""Moving weighted average (移动加权平均).

Source: domain rules C1, C3, C4, C5, C8. ``c = V / Q`` is never rounded; the value of a move is. An issue that empties
the pool takes all of its value, so that no cent is left on nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from engine.costing.figures import Figures, figures_before, portion, proportion
from engine.pools import Layer, Move, Pool, PoolState, Settled, Use
from engine.values import ZERO


class MovingAverage:
    """The method. Stateless."""

    key = "moving_average"
    layered = False

    def pool(self, state: PoolState, places: int) -> Pool:
        """A pool to settle moves on; see ``CostMethod``."""
        return _AveragePool(state, places)

    def rewound(
        self,
        state: PoolState,
        later: Iterable[tuple[Decimal, Decimal]],
        uses: Sequence[Use],
        opened: Iterable[Layer],
        *,
        last: Decimal,
        latest: Decimal,
    ) -> PoolState:
        """The state before later moves; an average has no layers, so ``uses`` and ``opened`` say nothing."""
        return figures_before(state, later, last, latest)


class _AveragePool(Figures):
    __slots__ = ()

    def settle(self, move: Move) -> Settled:
        if move.basis == "neutral":
            return self.untouched()
        if not move.quantity:
            value = self._revalued(move)
            return self.booked(move, value, move.value - value)
        if move.basis == "method":
            return self.booked(move, self._gained(move) if move.quantity > ZERO else -self._issued(-move.quantity))
        value = self._received(move) if move.quantity > ZERO else self._returned(move)
        return self.booked(move, value, move.value - value)

    def state(self) -> PoolState:
        return PoolState(quantity=self._quantity, value=self._value, last=self._last, latest=self._latest)

    def _issued(self, quantity: Decimal) -> Decimal:
        """Value of goods leaving at the average (C1), beyond zero at the average there was, else the last known."""
        held = self._quantity
        if held <= ZERO:
            return self.at_last(quantity)
        if quantity <= held:
            return portion(self._value, quantity, held, self._unit)
        beyond = quantity - held
        if not self._value:
            return self.at_last(beyond)
        return self._value + proportion(self._value, beyond, held, self._unit)

    def _gained(self, move: Move) -> Decimal:
        """Value of goods without a price (C3, C8): the average, else the last known cost. A shortfall they clear is
        worth what it carries, since nothing was stated that could differ from it."""
        if self._quantity > ZERO:
            return self.worth(move.quantity)
        quantity, value = self.cleared(move.quantity)
        return value + self.at_last(move.quantity - quantity)

    def _received(self, move: Move) -> Decimal:
        """What a stated amount adds to the pool (C1); on a negative pool it clears the shortfall first (C8)."""
        if self._quantity >= ZERO:
            return move.value
        quantity, value = self.cleared(move.quantity)
        return value + proportion(move.value, move.quantity - quantity, move.quantity, self._unit)

    def _returned(self, move: Move) -> Decimal:
        """What a stated amount takes from the pool: itself where the pool can bear it.

        Where it cannot, a purchase return goes at the average (C3), and any other stated issue takes what is there
        (C9: a value below zero is moved to 成本差异).
        """
        left = self._quantity + move.quantity
        if left > ZERO:
            if self._value + move.value >= ZERO:
                return move.value
            if move.basis == "given":
                return -self._value
        return -self._issued(-move.quantity)

    def _revalued(self, move: Move) -> Decimal:
        """What a move of value alone adds: all of it, or for a share the part still in stock (C4, C5)."""
        if self._quantity <= ZERO:
            return ZERO
        value = move.value
        if move.basis == "share":
            if move.base <= ZERO:
                return ZERO
            value = proportion(value, min(self._quantity, move.base), move.base, self._unit)
        return max(value, -self._value)
