"""A pool with its moves in cost order: settles, and settles again from the day of a back-dated move."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.costing import CostMethod, Move, Pool, PoolState, Settled

ZERO = Decimal(0)


def order(move: Move) -> tuple[object, int]:
    return move.day, move.entry


class Book:
    """Moves of one pool with their outcomes, as a ledger keeps them."""

    def __init__(self, method: CostMethod, places: int) -> None:
        self.method = method
        self.places = places
        self.pool: Pool = method.pool(PoolState(), places)
        self.kept: list[tuple[Move, Settled]] = []

    def settle(self, move: Move) -> Settled:
        settled = self.pool.settle(move)
        self.kept.append((move, settled))
        return settled

    def rewind(self, number: int) -> list[Move]:
        """Go back to before the move at index ``number``; gives the moves undone, in order."""
        staying, later = self.kept[:number], self.kept[number:]
        before = self.method.rewound(
            self.pool.state(),
            [(ZERO if move.basis == "neutral" else move.quantity, settled.value) for move, settled in later],
            [use for _, settled in later for use in settled.uses],
            [layer for _, settled in staying for layer in settled.opened],
            last=staying[-1][1].last if staying else ZERO,
            latest=staying[-1][1].latest if staying else ZERO,
        )
        self.kept = staying
        self.pool = self.method.pool(before, self.places)
        return [move for move, _ in later]

    def insert(self, move: Move) -> Sequence[Settled]:
        """Settle a back-dated move and every later one again; gives the outcomes from it on."""
        number = sum(order(earlier) < order(move) for earlier, _ in self.kept)
        again = self.rewind(number)
        return [self.settle(each) for each in (move, *again)]
