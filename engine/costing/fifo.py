"""First in, first out (先进先出): a pool as layers, each keeping what it cost.

Source: domain rules C2, C3, C4, C5, C8. Layers are used in the order of (day, root, entry, part), so goods keep their
age when they travel between pools. A layer that empties gives all of its value; the layers together are the pool as
long as it is not negative, and none is open while it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import TypeAlias

from engine.costing.figures import Figures, figures_before, portion, proportion
from engine.pools import Layer, Move, Part, Pool, PoolState, Settled, Use
from engine.shares import spread
from engine.values import EXACT, ZERO

# day, root, entry, part: identity and order of a layer in one.
Key: TypeAlias = tuple[date, int, int, int]


class Fifo:
    """The method. Stateless."""

    key = "fifo"
    layered = True

    def pool(self, state: PoolState, places: int) -> Pool:
        """A pool to settle moves on; see ``CostMethod``."""
        return _LayeredPool(state, places)

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
        """The state before later moves: what they took is back, what they put back or added is gone."""
        before = figures_before(state, later, last, latest)
        left = {(each.day, each.root, each.entry, each.part): (ZERO, ZERO) for each in opened}
        changes = [((one.day, one.root, one.entry, one.part), one.quantity, one.value) for one in state.layers]
        changes += [((one.day, one.root, one.layer, one.part), one.quantity, one.value) for one in uses]
        for key, quantity, value in changes:
            if key in left:
                held, worth = left[key]
                left[key] = (held + quantity, worth + value)
        entries = {each.entry for each in uses}
        kept = {
            origin: tuple(each for each in taken if each.entry not in entries) for origin, taken in state.uses.items()
        }
        return PoolState(
            quantity=before.quantity,
            value=before.value,
            last=before.last,
            latest=before.latest,
            layers=tuple(_layer(key, *left[key]) for key in sorted(left) if left[key][0]),
            uses={origin: taken for origin, taken in kept.items() if taken},
        )


class _Open:
    """An open layer, changed in place."""

    __slots__ = ("key", "quantity", "value")

    def __init__(self, key: Key, quantity: Decimal, value: Decimal) -> None:
        self.key = key
        self.quantity = quantity
        self.value = value


ORDER = attrgetter("key")


class _LayeredPool(Figures):
    __slots__ = ("_brought", "_open", "_uses")

    def __init__(self, state: PoolState, places: int) -> None:
        super().__init__(state, places)
        self._open = [_Open((one.day, one.root, one.entry, one.part), one.quantity, one.value) for one in state.layers]
        self._uses = dict(state.uses)
        # By entry, the layers it brought in; emptied ones stay in it.
        self._brought: dict[int, list[_Open]] = {}
        for layer in self._open:
            self._remember(layer)

    def settle(self, move: Move) -> Settled:
        if move.basis == "neutral":
            return self.untouched()
        if not move.quantity:
            return self._revalue(move)
        if move.quantity < ZERO:
            return self._issue(move)
        if move.basis == "method":
            return self._gain(move)
        if move.basis == "source":
            return self._take_back(move)
        return self._receive(move)

    def state(self) -> PoolState:
        return PoolState(
            quantity=self._quantity,
            value=self._value,
            last=self._last,
            latest=self._latest,
            layers=tuple(_layer(one.key, one.quantity, one.value) for one in self._open),
            uses=dict(self._uses),
        )

    def _issue(self, move: Move) -> Settled:
        """Goods leave: from the layers of their own receipt when it is a return of it, then the oldest first, then at
        the last known cost (C2, C3, C8)."""
        left, value = -move.quantity, ZERO
        uses: list[Use] = []
        parts: list[Part] = []
        emptied: list[_Open] = []
        own = self._of(move.origin) if move.origin and move.basis != "method" else ()
        for layer in chain(own, self._open):
            if not left:
                break
            if left < layer.quantity:
                quantity = left
                worth = portion(layer.value, quantity, layer.quantity, self._unit)
            elif layer.quantity:
                quantity, worth = layer.quantity, layer.value
                emptied.append(layer)
            else:
                continue
            layer.quantity -= quantity
            layer.value -= worth
            left -= quantity
            value += worth
            key = layer.key
            uses.append(_use(move, key, quantity, worth))
            parts.append(Part(day=key[0], root=key[1], quantity=quantity, value=worth))
        for layer in emptied:
            del self._open[0 if self._open[0] is layer else self._place(layer.key)]
        if left:
            # Goods that are not there yet have no age: no part speaks of them, as no use does.
            value += self.at_last(left)
        taken = tuple(uses)
        if taken:
            self._uses[move.entry] = taken
        variance = ZERO if move.basis == "method" else move.value + value
        return self.booked(move, -value, variance, taken, tuple(parts))

    def _receive(self, move: Move) -> Settled:
        """Goods arrive at a stated amount: a layer for each part they carry, and one of the move's own age for the
        rest. On a negative pool the oldest of them clear the shortfall first (C8)."""
        to_clear, value = self.cleared(move.quantity)
        opened: list[Layer] = []
        for number, part in _aged(move):
            gone = min(to_clear, part.quantity)
            to_clear -= gone
            if gone == part.quantity:
                continue
            quantity = part.quantity - gone
            worth = portion(part.value, quantity, part.quantity, self._unit)
            value += worth
            opened.append(self._opened((part.day, part.root, move.entry, number), quantity, worth))
        return self.booked(move, value, move.value - value, opened=tuple(opened))

    def _gain(self, move: Move) -> Settled:
        """Goods without a price: a layer at the latest receipt's cost, else the pool's, else the last known (C8)."""
        gone, value = self.cleared(move.quantity)
        quantity = move.quantity - gone
        opened: tuple[Layer, ...] = ()
        if quantity:
            if self._latest:
                worth = EXACT.quantize(EXACT.multiply(quantity, self._latest), self._unit)
            else:
                worth = self.worth(quantity)
            value += worth
            opened = (self._opened((move.day, move.entry, move.entry, 0), quantity, worth),)
        return self.booked(move, value, opened=opened)

    def _take_back(self, move: Move) -> Settled:
        """A sales return restores what its issue consumed last, into the same layers (C2).

        What clears a shortfall is gone at once and is worth its stated cost; so is, in a layer of the move's own day,
        what no known use accounts for.
        """
        gone, value = self.cleared(move.quantity)
        left = move.quantity - gone
        amount = portion(move.value, gone, move.quantity, self._unit) if gone else ZERO
        uses: list[Use] = []
        for use, held, worth in self._outstanding(move.origin):
            if not left:
                break
            quantity = min(left, held)
            worth = portion(worth, quantity, held, self._unit)
            left -= quantity
            value += worth
            amount += worth
            key = (use.day, use.root, use.layer, use.part)
            self._put(key, quantity, worth)
            uses.append(_use(move, key, -quantity, -worth))
        opened: tuple[Layer, ...] = ()
        if left:
            worth = portion(move.value, left, move.quantity, self._unit)
            value += worth
            amount += worth
            opened = (self._opened((move.day, move.entry, move.entry, 0), left, worth),)
        if uses:
            self._uses[move.origin] = (*self._uses[move.origin], *uses)
        return self.booked(move, value, amount - value, tuple(uses), opened=opened)

    def _revalue(self, move: Move) -> Settled:
        """Value alone: over all layers by their value, or over those of one receipt by quantity, as far as its goods
        are still here (C4, C5). No layer goes below zero; what no layer bears is a variance."""
        layers, amount = self._open, move.value
        weights = [layer.value for layer in layers]
        if move.basis == "share":
            layers = self._of(move.origin)
            weights = [layer.quantity for layer in layers]
            here = min(sum(weights, ZERO), move.base)
            amount = proportion(amount, here, move.base, self._unit) if here > ZERO else ZERO
        elif not any(weights):
            weights = [layer.quantity for layer in layers]
        value, uses = ZERO, []
        amount = EXACT.quantize(amount, self._unit)
        for layer, share in zip(layers, spread(amount, weights, self._places) if layers else (), strict=True):
            added = max(share, -layer.value)
            if added:
                layer.value += added
                value += added
                uses.append(_use(move, layer.key, ZERO, -added))
        return self.booked(move, value, move.value - value, tuple(uses))

    def _of(self, origin: int) -> list[_Open]:
        """Open layers of the goods that entry ``origin`` brought in, here or into another pool first."""
        return sorted((layer for layer in self._brought.get(origin, ()) if layer.quantity), key=ORDER)

    def _remember(self, layer: _Open) -> None:
        _, root, entry, _ = layer.key
        self._brought.setdefault(entry, []).append(layer)
        if root != entry:
            self._brought.setdefault(root, []).append(layer)

    def _outstanding(self, origin: int) -> list[tuple[Use, Decimal, Decimal]]:
        """What entry ``origin`` took and no return has put back: the use, quantity and value left, newest first."""
        uses = self._uses.get(origin, ())
        left = {(use.layer, use.part): (use, use.quantity, use.value) for use in uses if use.entry == origin}
        for use in uses:
            place = (use.layer, use.part)
            if use.entry != origin and place in left:
                took, quantity, value = left[place]
                left[place] = (took, quantity + use.quantity, value + use.value)
        return [each for each in reversed(left.values()) if each[1] > ZERO]

    def _opened(self, key: Key, quantity: Decimal, value: Decimal) -> Layer:
        self._put(key, quantity, value)
        return _layer(key, quantity, value)

    def _put(self, key: Key, quantity: Decimal, value: Decimal) -> None:
        """Add goods to a layer; one that is not open is opened in its place."""
        place = self._place(key)
        if place < len(self._open) and self._open[place].key == key:
            self._open[place].quantity += quantity
            self._open[place].value += value
        else:
            layer = _Open(key, quantity, value)
            self._open.insert(place, layer)
            self._remember(layer)

    def _place(self, key: Key) -> int:
        return bisect_left(self._open, key, key=ORDER)


def _aged(move: Move) -> Sequence[tuple[int, Part]]:
    """The parts that arrive, numbered as they were given, oldest first."""
    if not move.parts:
        return ((0, Part(day=move.day, root=move.entry, quantity=move.quantity, value=move.value)),)
    parts = list(move.parts)
    rest = move.quantity - sum((part.quantity for part in parts), ZERO)
    if rest > ZERO:
        worth = move.value - sum((part.value for part in parts), ZERO)
        parts.append(Part(day=move.day, root=move.entry, quantity=rest, value=worth))
    return sorted(enumerate(parts), key=lambda each: (each[1].day, each[1].root, each[0]))


def _layer(key: Key, quantity: Decimal, value: Decimal) -> Layer:
    day, root, entry, part = key
    return Layer(entry=entry, part=part, day=day, root=root, quantity=quantity, value=value)


def _use(move: Move, key: Key, quantity: Decimal, value: Decimal) -> Use:
    day, root, layer, part = key
    return Use(entry=move.entry, layer=layer, part=part, day=day, root=root, quantity=quantity, value=value)
