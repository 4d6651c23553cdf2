"""Which goods to take (拣货建议): stock rows and a wish become picks, what is short, and why rows were passed over.

Source: domain rule D4. Under FEFO the earliest expiry goes first, ties by the day of receipt, then by lot number.
Goods without an expiry date come last: a date nobody knows cannot be earlier than one somebody does, and a dated lot
left behind is a loss that is certain. Expired goods and goods of a status that may not go out are never proposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from engine.picking.shelf_life import ShelfLife, expiry_of, percent, remaining_share
from engine.picking.stock import STATUS_LABELS, TAKEABLE, Stock
from engine.problems import Problem, Severity, problem
from engine.values import ZERO

Strategy: TypeAlias = Literal["fefo", "fifo", "manual"]
Reason: TypeAlias = Literal["status", "expired", "too_little_life", "life_unknown", "too_small"]
LATE = date.max


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be taken.

    Attributes:
        quantity: base units. day: the day it goes out.
        strategy: 出库批次规则; ``manual`` has no rule but the walk, and nobody departs from it.
        life: shelf life of the product, None for goods that do not spoil.
        minimum_share: least share of the shelf life that must be left for this customer (1/2, 2/3), or None.
        one_lot: take all from a single lot where one suffices (一单一批); where none does, the rule goes on as ever.
    """

    quantity: Decimal
    day: date
    strategy: Strategy = "fefo"
    life: ShelfLife | None = None
    minimum_share: Fraction | None = None
    one_lot: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """Take ``quantity`` base units of a row."""

    stock: Stock
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A row that was not used although goods are there, and why."""

    stock: Stock
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The proposal.

    Attributes:
        picks: in the order of the walk: warehouse, then ``pick_seq``.
        shortfall: base units that no allowed row could give.
        passed: rows passed over. order: the allowed rows in the order of the rule.
    """

    wish: Wish
    picks: tuple[Pick, ...]
    shortfall: Decimal
    passed: tuple[PassedOver, ...]
    order: tuple[Stock, ...]


def propose(rows: Iterable[Stock], wish: Wish) -> Proposal:
    """Choose the rows to take from. ``rows`` are those of one product and owner; their keys differ."""
    allowed: list[Stock] = []
    passed: list[PassedOver] = []
    for row in rows:
        if row.free > ZERO:
            reason = hindrance(row, wish)
            if reason is None:
                allowed.append(row)
            else:
                passed.append(PassedOver(row, reason))
    allowed.sort(key=lambda row: (*_rank(row, wish), *_walk(row)))
    if wish.one_lot:
        allowed, small = _from_one_lot(allowed, wish.quantity)
        passed += [PassedOver(row, "too_small") for row in small]
    picks = _taken(allowed, wish.quantity)
    return Proposal(
        wish=wish,
        picks=tuple(sorted(picks, key=lambda pick: _walk(pick.stock))),
        shortfall=max(wish.quantity - sum((pick.quantity for pick in picks), ZERO), ZERO),
        passed=tuple(passed),
        order=tuple(allowed),
    )


def hindrance(row: Stock, wish: Wish) -> Reason | None:
    """Why the row may not serve the wish, or None. Expiry weighs before what is left of the life."""
    if row.key.status not in TAKEABLE:
        return "expired" if row.key.status == "expired" else "status"
    expires = expiry_of(row.lot, wish.life)
    if expires is not None and expires < wish.day:
        return "expired"
    if wish.minimum_share is None or (expires is None and wish.life is None):
        return None
    share = remaining_share(row.lot, wish.life, wish.day)
    if share is None:
        return "life_unknown"
    return "too_little_life" if share < wish.minimum_share else None


def rule_date(row: Stock, wish: Wish) -> date:
    """The date the rule goes by: expiry under FEFO, receipt under FIFO; the last of all days when unknown."""
    if wish.strategy == "fefo":
        return expiry_of(row.lot, wish.life) or LATE
    if wish.strategy == "fifo":
        return (row.lot.received if row.lot else None) or LATE
    return LATE


def notices(proposal: Proposal) -> tuple[Problem, ...]:
    """What a person should read beside the picks: rows passed over and what is short, as warnings."""
    found = [_said(each, proposal.wish) for each in proposal.passed]
    if proposal.shortfall > ZERO:
        wanted = proposal.wish.quantity
        found.append(problem("picking.short", wanted=wanted, missing=proposal.shortfall))
    return tuple(Problem(code=one.code, params=one.params, severity=Severity.WARNING) for one in found)


def too_little_life(row: Stock, wish: Wish, where: str = "") -> Problem:
    """The sentence for a row that does not last long enough for the customer, or whose life is not known."""
    share = remaining_share(row.lot, wish.life, wish.day)
    minimum = percent(wish.minimum_share or Fraction(0))
    if share is None:
        return problem("picking.life_unknown", where, lot=row.name, minimum=minimum)
    return problem("picking.too_little_life", where, lot=row.name, share=percent(share), minimum=minimum)


def barred(row: Stock, wish: Wish, where: str = "") -> Problem:
    """The sentence for a row that may not go out at all: expired, or of a status that does not."""
    expires = expiry_of(row.lot, wish.life)
    if expires is not None and expires < wish.day:
        return problem("picking.expired", where, lot=row.name, expires=expires)
    status = STATUS_LABELS.get(row.key.status, row.key.status)
    return problem("picking.status", where, lot=row.name, status=status)


def _said(passed: PassedOver, wish: Wish) -> Problem:
    if passed.reason in ("too_little_life", "life_unknown"):
        return too_little_life(passed.stock, wish)
    if passed.reason == "too_small":
        return problem("picking.too_small", lot=passed.stock.name, free=passed.stock.free)
    return barred(passed.stock, wish)


def _rank(row: Stock, wish: Wish) -> tuple[date, date, str]:
    if wish.strategy == "manual":
        return LATE, LATE, ""
    return rule_date(row, wish), (row.lot.received if row.lot else None) or LATE, row.key.lot


def _walk(row: Stock) -> tuple[int, int, int, str, str, str]:
    key = row.key
    return key.warehouse, row.pick_seq, key.bin, key.lot, key.serial, key.status


def _from_one_lot(rows: Sequence[Stock], wanted: Decimal) -> tuple[list[Stock], list[Stock]]:
    """The rows of the first lot that suffices and all after it, then the rows passed over; all rows when none does."""
    totals: dict[str, Decimal] = {}
    for row in rows:
        totals[row.key.lot] = totals.get(row.key.lot, ZERO) + row.free
    enough = next((lot for lot, total in totals.items() if total >= wanted), None)
    if enough is None:
        return list(rows), []
    skipped = set(list(totals)[: list(totals).index(enough)])
    return [row for row in rows if row.key.lot not in skipped], [row for row in rows if row.key.lot in skipped]


def _taken(rows: Iterable[Stock], wanted: Decimal) -> list[Pick]:
    picks: list[Pick] = []
    for row in rows:
        part = min(wanted, row.free)
        if part > ZERO and (part == row.free or not row.key.serial):  # what has a serial number is not cut
            picks.append(Pick(row, part))
            wanted -= part
    return picks
