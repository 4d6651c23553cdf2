"""What the costing rules say, again and slowly: exact fractions, and layers as a journal that is added up every time.

Written from domain rules C1 to C5 and C8; shares no code with the engine. An oracle settles moves from the first on and
knows no way back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from engine.costing import Move

# day, root, entry, part
Lot: TypeAlias = tuple[date, int, int, int]
NONE = Fraction(0)


def half_up(value: Fraction, places: int) -> Fraction:
    scaled = abs(value) * 10**places
    whole = int(scaled)
    whole += scaled - whole >= Fraction(1, 2)
    return Fraction(whole if value >= 0 else -whole, 10**places)


@dataclass
class Oracle(ABC):
    """What every pool has in common: totals as sums over all that was booked, and what a shortfall costs."""

    places: int
    booked: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    last: Fraction = NONE
    latest: Fraction = NONE

    @property
    def quantity(self) -> Fraction:
        return sum((each[0] for each in self.booked), NONE)

    @property
    def value(self) -> Fraction:
        return sum((each[1] for each in self.booked), NONE)

    def money(self, value: Fraction) -> Fraction:
        return half_up(value, self.places)

    def worth(self, quantity: Fraction) -> Fraction:
        held = self.quantity
        return self.money(quantity * (self.value / held if held > 0 else self.last))

    def shortfall_share(self, arriving: Fraction) -> tuple[Fraction, Fraction]:
        """Quantity and carried value of the shortfall that ``arriving`` goods clear."""
        owed, carried = max(-self.quantity, NONE), -self.value
        if not owed:
            return NONE, NONE
        gone = min(owed, arriving)
        return gone, carried if gone == owed else self.money(carried * gone / owed)

    def settle(self, move: Move) -> tuple[Fraction, Fraction]:
        """Value and variance of a move."""
        quantity, stated = Fraction(move.quantity), Fraction(move.value)
        if move.basis == "neutral":
            return NONE, NONE
        value, variance = self.judge(move, quantity, stated)
        self.booked.append((quantity, value))
        priced = quantity > 0 and stated > 0 and move.basis in ("given", "source", "carried")
        if priced and move.basis == "given":
            self.latest = half_up(stated / quantity, 6)
            self.last = self.latest
        elif quantity and value:
            self.last = half_up(abs(value / quantity), 6)
        return value, variance

    @abstractmethod
    def judge(self, move: Move, quantity: Fraction, stated: Fraction) -> tuple[Fraction, Fraction]:
        """Value and variance of a move that is not neutral."""


class AverageOracle(Oracle):
    def judge(self, move: Move, quantity: Fraction, stated: Fraction) -> tuple[Fraction, Fraction]:
        held, worth = self.quantity, self.value
        if quantity == 0:
            here = NONE if held <= 0 else Fraction(1)
            if move.basis == "share" and here:
                here = min(held / Fraction(move.base), Fraction(1)) if move.base > 0 else NONE
            value = max(self.money(stated * here), -worth) if here else NONE
            return value, stated - value
        if quantity > 0:
            return self.inbound(move, quantity, stated)
        cost = self.issue(-quantity)
        if move.basis == "method":
            return -cost, NONE
        if held + quantity <= 0:
            value = -cost
        elif worth + stated >= 0:
            value = stated
        else:
            value = -worth if move.basis == "given" else -cost
        return value, stated - value

    def inbound(self, move: Move, quantity: Fraction, stated: Fraction) -> tuple[Fraction, Fraction]:
        gone, carried = self.shortfall_share(quantity)
        if move.basis != "method":
            value = carried + self.money(stated * (quantity - gone) / quantity) if gone else stated
            return value, stated - value
        if self.quantity > 0:
            return self.money(quantity * self.value / self.quantity), NONE
        return carried + self.money((quantity - gone) * self.last), NONE

    def issue(self, quantity: Fraction) -> Fraction:
        """Unit by unit in thought: what is there at its average, the rest at what a unit was last known to cost."""
        held, worth = self.quantity, self.value
        if held <= 0:
            return self.money(quantity * self.last)
        if quantity < held:
            return self.money(quantity * worth / held)
        beyond = quantity - held
        return worth + self.money(beyond * (worth / held if worth else self.last))


@dataclass
class LayerOracle(Oracle):
    """``journal``: who changed which lot by what. A lot is open while its lines add up to a quantity."""

    journal: list[tuple[int, Lot, Fraction, Fraction]] = field(default_factory=list)
    put_back: list[tuple[int, int, Lot, Fraction, Fraction]] = field(default_factory=list)

    def open(self) -> list[tuple[Lot, Fraction, Fraction]]:
        lots = sorted({line[1] for line in self.journal})
        sums = [
            (
                lot,
                sum((line[2] for line in self.journal if line[1] == lot), NONE),
                sum((line[3] for line in self.journal if line[1] == lot), NONE),
            )
            for lot in lots
        ]
        return [each for each in sums if each[1]]

    def judge(self, move: Move, quantity: Fraction, stated: Fraction) -> tuple[Fraction, Fraction]:
        if quantity == 0:
            return self.revalue(move, stated)
        if quantity < 0:
            cost = self.issue(move, -quantity)
            return -cost, NONE if move.basis == "method" else stated + cost
        if move.basis == "method":
            return self.gain(move, quantity), NONE
        if move.basis == "source":
            return self.sales_return(move, quantity, stated)
        return self.receipt(move, quantity, stated)

    def issue(self, move: Move, quantity: Fraction) -> Fraction:
        cost = NONE
        lots = self.open()
        if move.basis != "method" and move.origin:
            lots.sort(key=lambda each: (move.origin not in each[0][1:3], each[0]))
        for lot, held, worth in lots:
            taken = min(held, quantity)
            if taken:
                value = worth if taken == held else self.money(worth * taken / held)
                self.journal.append((move.entry, lot, -taken, -value))
                quantity, cost = quantity - taken, cost + value
        return cost + self.money(quantity * self.last)

    def receipt(self, move: Move, quantity: Fraction, stated: Fraction) -> tuple[Fraction, Fraction]:
        gone, value = self.shortfall_share(quantity)
        goods = [
            ((part.day, part.root, move.entry, number), Fraction(part.quantity), Fraction(part.value))
            for number, part in enumerate(move.parts)
        ]
        unknown = quantity - sum((each[1] for each in goods), NONE)
        if unknown:
            worth = stated - sum((each[2] for each in goods), NONE)
            goods.append(((move.day, move.entry, move.entry, len(goods)), unknown, worth))
        for lot, number, worth in sorted(goods):
            kept = max(number - gone, NONE)
            gone -= number - kept
            if kept:
                kept_worth = self.money(worth * kept / number)
                self.journal.append((move.entry, lot, kept, kept_worth))
                value += kept_worth
        return value, stated - value

    def gain(self, move: Move, quantity: Fraction) -> Fraction:
        gone, value = self.shortfall_share(quantity)
        if quantity == gone:
            return value
        cost = self.latest or (self.value / self.quantity if self.quantity > 0 else self.last)
        worth = self.money((quantity - gone) * cost)
        self.journal.append((move.entry, (move.day, move.entry, move.entry, 0), quantity - gone, worth))
        return value + worth

    def sales_return(self, move: Move, quantity: Fraction, stated: Fraction) -> tuple[Fraction, Fraction]:
        gone, value = self.shortfall_share(quantity)
        left = quantity - gone
        amount = self.money(stated * gone / quantity)
        for entry, lot, took, cost in reversed(list(self.journal)):
            if entry != move.origin or took >= 0:
                continue
            before = [line for line in self.put_back if line[0] == move.origin and line[2] == lot]
            open_quantity = -took - sum((line[3] for line in before), NONE)
            open_cost = -cost - sum((line[4] for line in before), NONE)
            back = min(left, open_quantity)
            if back:
                worth = open_cost if back == open_quantity else self.money(open_cost * back / open_quantity)
                self.put_back.append((move.origin, move.entry, lot, back, worth))
                self.journal.append((move.entry, lot, back, worth))
                left, value, amount = left - back, value + worth, amount + worth
        if left:
            worth = self.money(stated * left / quantity)
            self.journal.append((move.entry, (move.day, move.entry, move.entry, 0), left, worth))
            value, amount = value + worth, amount + worth
        return value, amount - value

    def revalue(self, move: Move, stated: Fraction) -> tuple[Fraction, Fraction]:
        lots = self.open()
        weights = {lot: worth for lot, _, worth in lots}
        amount = stated
        if move.basis == "share":
            lots = [each for each in lots if move.origin in each[0][1:3]]
            here = min(sum((each[1] for each in lots), NONE), Fraction(move.base))
            amount = self.money(stated * here / Fraction(move.base)) if here > 0 else NONE
            weights = {lot: held for lot, held, _ in lots}
        elif not any(weights.values()):
            weights = {lot: held for lot, held, _ in lots}
        value, reached, whole = NONE, NONE, sum(weights.values(), NONE)
        for lot, _, worth in lots:
            share = self.money(amount * (reached + weights[lot]) / whole) - self.money(amount * reached / whole)
            reached += weights[lot]
            added = max(share, -worth)
            self.journal.append((move.entry, lot, NONE, added))
            value += added
        return value, stated - value


ORACLES = {"moving_average": AverageOracle, "fifo": LayerOracle}


def exact(value: Decimal) -> Fraction:
    return Fraction(value)
