"""What every pool keeps, whatever its method: quantity, value and the unit costs to fall back on.

Invariants: a pool of no quantity has no value; its value is never below zero while goods are there, and never above
zero while goods are owed (negative stock). Value changes by amounts already rounded, so nothing is lost to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.pools import Layer, Move, Part, PoolState, Settled, Use
from engine.values import EXACT, PRICE_SCALE, UNITS, ZERO

PRICE_UNIT = UNITS[PRICE_SCALE]


def proportion(value: Decimal, part: Decimal, whole: Decimal, unit: Decimal) -> Decimal:
    """``value × part / whole`` rounded half up to ``unit``; exact before that, whatever the operands."""
    return EXACT.quantize(EXACT.divide(EXACT.multiply(value, part), whole), unit)


def portion(value: Decimal, part: Decimal, whole: Decimal, unit: Decimal) -> Decimal:
    """What ``part`` of ``whole`` goods worth ``value`` is worth; all of it for all of them, and never more."""
    return value if part == whole else min(value, proportion(value, part, whole, unit))


def unit_cost(value: Decimal, quantity: Decimal) -> Decimal:
    """``value / quantity`` as a price. Raises for a zero quantity."""
    return EXACT.quantize(EXACT.divide(value, quantity), PRICE_UNIT)


class Figures:
    """Working figures of one pool."""

    __slots__ = ("_last", "_latest", "_places", "_quantity", "_unit", "_value")

    def __init__(self, state: PoolState, places: int) -> None:
        self._quantity = state.quantity
        self._value = state.value
        # Known costs are prices: settled at once or after a rest in storage, a move must come out the same.
        self._last = EXACT.quantize(state.last, PRICE_UNIT)
        self._latest = EXACT.quantize(state.latest, PRICE_UNIT)
        self._places = places
        self._unit = UNITS[places]

    def worth(self, quantity: Decimal) -> Decimal:
        """What ``quantity`` is worth at the present cost of the pool; see ``Pool``."""
        if self._quantity > ZERO:
            return proportion(self._value, quantity, self._quantity, self._unit)
        return self.at_last(quantity)

    def at_last(self, quantity: Decimal) -> Decimal:
        """What ``quantity`` is worth at the last known unit cost; zero where none is known."""
        return EXACT.quantize(EXACT.multiply(quantity, self._last), self._unit)

    def cleared(self, quantity: Decimal) -> tuple[Decimal, Decimal]:
        """How much of the shortfall arriving goods clear: quantity and the value the shortfall carries for it.

        Source: domain rule C8, negative stock. The whole shortfall gives all of its value, a part its share.
        """
        if self._quantity >= ZERO:
            return ZERO, ZERO
        short = -self._quantity
        if quantity >= short:
            return short, -self._value
        return quantity, portion(-self._value, quantity, short, self._unit)

    def booked(
        self,
        move: Move,
        value: Decimal,
        variance: Decimal = ZERO,
        uses: tuple[Use, ...] = (),
        parts: tuple[Part, ...] = (),
        opened: tuple[Layer, ...] = (),
    ) -> Settled:
        """Change the pool by the move's quantity and ``value``; remember the unit costs it teaches."""
        quantity = move.quantity
        self._quantity += quantity
        self._value += value
        stated = quantity > ZERO and move.basis != "method" and move.value > ZERO
        if stated and move.basis == "given":
            self._latest = unit_cost(move.value, quantity)
            self._last = self._latest
        elif quantity and value:
            self._last = unit_cost(abs(value), abs(quantity))
        return Settled(
            value=value,
            variance=variance,
            last=self._last,
            latest=self._latest,
            uses=uses,
            parts=parts,
            opened=opened,
        )

    def untouched(self) -> Settled:
        """The outcome of a neutral move."""
        return Settled(value=ZERO, last=self._last, latest=self._latest)


def figures_before(
    state: PoolState, later: Iterable[tuple[Decimal, Decimal]], last: Decimal, latest: Decimal
) -> PoolState:
    """Quantity, value and unit costs before ``later`` changed them; see ``CostMethod.rewound``."""
    quantity, value = state.quantity, state.value
    for changed, worth in later:
        quantity -= changed
        value -= worth
    return PoolState(
        quantity=quantity,
        value=value,
        last=EXACT.quantize(last, PRICE_UNIT),
        latest=EXACT.quantize(latest, PRICE_UNIT),
    )
