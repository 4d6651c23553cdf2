"""What a costing method is: a pool that settles moves one after the other, in cost order.

Value and quantity are the truth; a unit cost is only ever their quotient. A pool is the stock of one product (in one
warehouse, or of one lot, as the app chooses). Posting a document settles its moves on the pool as it stands; a
back-dated document rewinds the pool to that day and settles the later moves again. Both are the same arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol, TypeAlias

from engine.values import ZERO

Basis: TypeAlias = Literal["given", "method", "source", "share", "carried", "neutral"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Goods with the age they have: what a transfer between pools carries, layer by layer.

    Attributes:
        day, root: date and entry that first brought the goods in; they decide the order of layers everywhere.
        quantity, value: positive.
    """

    day: date
    root: int
    quantity: Decimal
    value: Decimal


class Move(NamedTuple):
    """One move of a pool. There is one per entry, hence a plain tuple; `Settled` and `PoolState` likewise.

    Attributes:
        entry: identity of the ledger entry; moves of a pool are settled by (day, entry).
        quantity: signed, base units; zero for a move of value alone (``given`` or ``share``).
        basis: how its value is found.
            ``given``: ``value`` is stated (receipt at its price, opening, cost adjustment).
            ``method``: the method finds it (issue; gain without a price).
            ``source``: a return of what ``origin`` moved; ``value`` is what it comes to at the unit cost of the
            origin. FIFO gives a sales return the value of the very parts it restores instead.
            ``share``: ``value`` concerns the goods of receipt ``origin`` of which ``base`` units were kept (landed
            cost, price difference); the part of what is still here goes to stock, the rest to 成本差异.
            ``carried``: arrives from another pool; what ``parts`` do not account for is as old as the move.
            ``neutral``: one leg of a move inside the pool (transfer, change of status): nothing is settled.
        value: signed as ``quantity`` where stated, else zero; no more decimals than the pool rounds to.
        origin: entry that moved the goods before (``source``) or brought them in (``share``); 0 none.
    """

    entry: int
    day: date
    basis: Basis
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    origin: int = 0
    base: Decimal = ZERO
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Goods of one receipt still in the pool (成本层). ``part`` counts from 0 within a carried receipt."""

    entry: int
    part: int
    day: date
    root: int
    quantity: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a move took from a layer; negative quantity: put back; quantity zero, negative value: value added to it.

    A layer's present figures are those it began with less the sum of its uses. A move uses a layer at most once.

    Attributes:
        entry: whose move it was. layer, part: entry and part of the layer.
        day, root: those of the layer, so that an exhausted one can come back where it was.
    """

    entry: int
    layer: int
    part: int
    day: date
    root: int
    quantity: Decimal
    value: Decimal


class Settled(NamedTuple):
    """The outcome of one move.

    Attributes:
        value: signed change of the pool's value. variance: what goes to 成本差异 (positive: a cost), so that for a
            stated amount ``value + variance`` is that amount.
        last, latest: those of the pool after the move; see ``PoolState``.
        uses: what it did to existing layers. parts: what an issue took from layers, for a transfer (FIFO only).
        opened: layers it began.
    """

    value: Decimal
    variance: Decimal = ZERO
    last: Decimal = ZERO
    latest: Decimal = ZERO
    uses: tuple[Use, ...] = ()
    parts: tuple[Part, ...] = ()
    opened: tuple[Layer, ...] = ()


class PoolState(NamedTuple):
    """A pool between two moves.

    Attributes:
        quantity, value: of the whole pool; quantity is negative only where negative stock is allowed.
        last: last known unit cost, for a pool without goods or value: what a unit of the goods that moved last, at a
            value, was worth. Rounded to price decimals.
        latest: unit cost of the latest receipt at a price (``given``). Rounded to price decimals.
        layers: open layers in their order (FIFO only): day, root, entry, part. Whoever keeps only the outcomes may
            leave out those that no move will reach: what counts are enough of the oldest to cover the issues, those of
            the origins, and all of them for a cost adjustment.
        uses: by origin entry, what it took and, after that, what returns of it put back, oldest first (FIFO only).
    """

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    last: Decimal = ZERO
    latest: Decimal = ZERO
    layers: tuple[Layer, ...] = ()
    uses: Mapping[int, tuple[Use, ...]] = MappingProxyType({})


class Pool(Protocol):
    """Working state of one pool; ``settle`` changes it."""

    def settle(self, move: Move) -> Settled:
        """Settle one move and keep its effect."""
        ...

    def state(self) -> PoolState:
        """The pool as it now stands."""
        ...

    def worth(self, quantity: Decimal) -> Decimal:
        """What ``quantity`` is worth at the present cost, of an empty or negative pool at the last known one. Nothing
        is settled; meant for showing the value of goods that only change their place."""
        ...


class CostMethod(Protocol):
    """A method (计价方法): opens pools and rewinds them."""

    key: str
    layered: bool

    def pool(self, state: PoolState, places: int) -> Pool:
        """A pool to settle moves on; amounts are rounded to ``places`` decimals, half up."""
        ...

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
        """The state before later moves.

        Args:
            later: quantity and value by which each later entry changed the pool; a neutral one changed nothing.
            uses: what later entries took from layers. opened: every layer that ``uses`` or the present state names and
                that an earlier entry opened, exhausted ones included; only their identity counts. The layers that later
                entries opened are left out of it by the caller and vanish.
            last, latest: as ``Settled`` told them for the newest entry that stays; zero when none stays. Found from
                entries: ``latest`` is stated amount by quantity of the newest receipt at a price, ``last`` value by
                quantity of the newest entry that has both.
        """
        ...
