"""Entries → vouchers. Every entry is debited and credited with the same amount, so a voucher always balances.

Source: domain rule B5 (voucher templates); accounts are the definition's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from engine.definitions.voucher import VoucherDef, VoucherRule
from engine.values import ZERO

CANCELLED = "_cancel"
Gathered: TypeAlias = Literal["document", "day", "period"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A ledger entry as far as accounting wants it.

    Attributes:
        value: signed, money. category: of its product, or of its subject. partner: id, 0 none; ``ledger`` tells
            customers (``receivable``, ``advance``) from suppliers.
    """

    ledger: str
    move: str
    element: str
    category: str
    value: Decimal
    form: str
    document: int
    day: date
    partner: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherLine:
    """One line: an account with an amount on one side (the other is zero), and whom it is about.

    Attributes:
        ledger: the ledger that tells customers from suppliers; empty without a partner.
    """

    account: str
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    ledger: str = ""
    partner: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """A voucher: of one document on one day, or of all documents of a day or of the period.

    ``form`` and ``document`` are empty when it gathers several documents.
    """

    day: date
    form: str
    document: int
    lines: tuple[VoucherLine, ...]

    @property
    def debit(self) -> Decimal:
        """Sum of the debit side, which equals the credit side."""
        return sum((line.debit for line in self.lines), ZERO)

    @property
    def credit(self) -> Decimal:
        """Sum of the credit side."""
        return sum((line.credit for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmapped:
    """Entries no rule is about: how many, and what they are worth together."""

    ledger: str
    move: str
    element: str
    category: str
    entries: int
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """Vouchers in the order of day and first entry, and what could not be booked."""

    vouchers: tuple[Voucher, ...]
    unmapped: tuple[Unmapped, ...]


def derive(definition: VoucherDef, movements: Iterable[Movement], gathered: Gathered = "document") -> Derived:
    """The vouchers of ``movements``.

    Args:
        gathered: one voucher per document and day, per day, or one for all, dated with the last day.
    """
    groups: dict[tuple[date | None, str, int], dict[tuple[str, str, str, int], Decimal]] = {}
    days: dict[tuple[date | None, str, int], date] = {}
    unmapped: dict[tuple[str, str, str, str], tuple[int, Decimal]] = {}
    for one in movements:
        rule = rule_of(definition, one)
        if rule is None:
            key = (one.ledger, one.move.removesuffix(CANCELLED), one.element, one.category)
            count, value = unmapped.get(key, (0, ZERO))
            unmapped[key] = (count + 1, value + one.value)
            continue
        if rule.skip or rule.debit is None or rule.credit is None:
            continue
        place = _place(one, gathered)
        days[place] = max(days.get(place, one.day), one.day)
        _book(groups.setdefault(place, {}), rule.debit, rule.credit, one, _amount(rule, one))
    return Derived(
        vouchers=tuple(
            Voucher(day=days[place], form=place[1], document=place[2], lines=lines)
            for place, sums in sorted(groups.items(), key=lambda item: days[item[0]])
            if (lines := _lines(definition, sums))
        ),
        unmapped=tuple(
            Unmapped(ledger=key[0], move=key[1], element=key[2], category=key[3], entries=count, value=value)
            for key, (count, value) in sorted(unmapped.items())
        ),
    )


def rule_of(definition: VoucherDef, movement: Movement) -> VoucherRule | None:
    """The first rule that fits, or None."""
    move = movement.move.removesuffix(CANCELLED)
    return next(
        (
            rule
            for rule in definition.rules
            if rule.ledger == movement.ledger
            and (not rule.moves or move in rule.moves)
            and (rule.element is None or rule.element == movement.element)
            and (not rule.categories or movement.category in rule.categories)
        ),
        None,
    )


def _place(movement: Movement, gathered: Gathered) -> tuple[date | None, str, int]:
    if gathered == "period":
        return None, "", 0
    return (movement.day, movement.form, movement.document) if gathered == "document" else (movement.day, "", 0)


def _amount(rule: VoucherRule, movement: Movement) -> Decimal:
    return -movement.value if rule.amount == "decrease" else movement.value


def _book(
    sums: dict[tuple[str, str, str, int], Decimal], debit: str, credit: str, movement: Movement, amount: Decimal
) -> None:
    side = movement.ledger if movement.partner else ""
    for account, word in ((debit, "debit"), (credit, "credit")):
        key = (account, word, side, movement.partner)
        sums[key] = sums.get(key, ZERO) + amount


def _lines(definition: VoucherDef, sums: Mapping[tuple[str, str, str, int], Decimal]) -> tuple[VoucherLine, ...]:
    """Debits before credits, each in the order of accounts; clearing accounts set off, zeros left out."""
    clearing: dict[str, Decimal] = {}
    kept: dict[tuple[str, str, str, int], Decimal] = {}
    for (account, word, side, partner), amount in sums.items():
        if account in definition.clearing:
            clearing[account] = clearing.get(account, ZERO) + (amount if word == "debit" else -amount)
        else:
            kept[account, word, side, partner] = amount
    for account, left in clearing.items():
        kept[account, "debit" if left > ZERO else "credit", "", 0] = abs(left)
    lines = [
        _line(account, word == "debit", amount, side, partner, definition.negative == "swap")
        for (account, word, side, partner), amount in kept.items()
        if amount
    ]
    return tuple(sorted(lines, key=lambda line: (not line.debit, line.account, line.partner)))


def _line(account: str, debit: bool, amount: Decimal, side: str, partner: int, swap: bool) -> VoucherLine:
    if swap and amount < ZERO:
        debit, amount = not debit, -amount
    return VoucherLine(
        account=account, debit=amount if debit else ZERO, credit=ZERO if debit else amount, ledger=side, partner=partner
    )
