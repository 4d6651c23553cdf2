"""What the decision of posting is told, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from engine.ledger.balance import Balance, BalanceKey
from engine.ledger.course import Start
from engine.ledger.entry import Entry
from engine.pools import Layer, Use
from engine.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LotDates:
    """When a lot was made and until when it is good; either may be unknown."""

    made: date | None = None
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was loaded for the decision.

    Attributes:
        balances: every locked balance. sources: entries by source line ``(form, line id)``.
        start: where the course of costs begins; its rows are empty when nothing comes after this document.
        later: posted stock entries of the touched products dated on or after the first day concerned, in cost order,
            reversed ones and reversals left out; for the check that no later balance goes below zero.
        lots: dates of the lots named, by (product, lot); a lot never seen is absent.
        expired: usable goods past their last good day, by (product, warehouse). Asked only where something is to be
            reserved, or where a lot leaves a place in which others have reserved.
        today: a lot whose last good day is before it is expired.
        product_names, warehouse_names: for sentences. numbers: number of a document by (form, id).
    """

    balances: Mapping[BalanceKey, Balance]
    sources: Mapping[tuple[str, int], Sequence[Entry]]
    start: Start
    product_names: Mapping[int, str]
    warehouse_names: Mapping[int, str]
    numbers: Mapping[tuple[str, int], str]
    later: Sequence[Entry] = ()
    lots: Mapping[tuple[int, str], LotDates] = field(default_factory=dict)
    expired: Mapping[tuple[int, int], Decimal] = field(default_factory=dict)
    today: date = date.min


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Company switches that bear on posting: decimals of money, 允许负库存, whether part of a line may be reserved, and
    whether a document may be dated before later ones of its goods."""

    places: int
    negative_stock: bool
    partial_reservation: bool = True
    back_dating: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Layering:
    """What became of cost layers.

    Attributes:
        rerun: entries that were settled again or reversed: what they took and opened before is void.
        uses, opened: what was taken and opened, by pool. open: every layer with goods in it, by pool.
    """

    rerun: frozenset[int] = frozenset()
    uses: Sequence[Use] = ()
    opened: Mapping[str, Sequence[Layer]] = field(default_factory=dict)
    open: Mapping[str, Sequence[Layer]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The outcome.

    Attributes:
        entries: to append, in order. An ``origin`` above ``FRESH`` is one of them, ``FRESH + 1`` the first.
        balances: what they lead to. problems: what forbids it, and warnings of what somebody must have read.
        layering: what became of cost layers; ids as in ``origin``.
        lots: dates of lots that came in, by (product, lot), with the day they came.
    """

    entries: tuple[Entry, ...]
    balances: Mapping[BalanceKey, Balance]
    problems: tuple[Problem, ...]
    layering: Layering = Layering()
    lots: Mapping[tuple[int, str], tuple[LotDates, date]] = field(default_factory=dict)


def live(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries of documents that are neither reversed nor reversals; what costing derived is not among them."""
    reversed_ids = {entry.mirror_of for entry in entries if entry.mirror_of is not None}
    return tuple(
        entry
        for entry in entries
        if entry.mirror_of is None and entry.basis != "derived" and entry.id not in reversed_ids
    )
