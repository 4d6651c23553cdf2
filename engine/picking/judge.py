"""Whether what was picked keeps the rule. Expired goods never pass; other departures need a reason and a right.

Source: domain rule D4. Only the date the rule goes by is judged: between lots of one expiry date, and between bins of
one lot, the hand on the shelf may choose. Taking less than was wished is no departure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.picking.propose import Proposal, barred, rule_date, too_little_life
from engine.picking.stock import Stock, StockKey
from engine.problems import Problem, problem
from engine.values import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody took: ``quantity`` base units of the row ``key``. ``where``: address of the line, for problems."""

    key: StockKey
    quantity: Decimal
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome.

    Attributes:
        problems: why the choice cannot stand as it is; empty when it keeps the rule or may depart from it.
        departures: how it departs from the rule, for the record and for whoever is told.
    """

    problems: tuple[Problem, ...] = ()
    departures: tuple[Problem, ...] = ()


def judge(chosen: Sequence[Choice], proposal: Proposal, reason: str = "", may_depart: bool = False) -> Verdict:
    """Judge picks against the proposal made for the same wish and stock.

    Args:
        reason: why the person departs from the rule. may_depart: whether the person has the right to.
    """
    taken: dict[StockKey, Decimal] = {}
    for choice in chosen:
        taken[choice.key] = taken.get(choice.key, ZERO) + choice.quantity
    stock = {row.key: row for row in (*proposal.order, *(each.stock for each in proposal.passed))}
    reasons = {each.stock.key: each.reason for each in proposal.passed}
    problems: list[Problem] = []
    departures: list[Problem] = []
    for choice in _first_of_each(chosen):
        row = stock.get(choice.key)
        if row is None:
            problems.append(problem("picking.not_there", choice.where))
            continue
        if taken[choice.key] > row.free:
            problems.append(
                problem("picking.not_enough", choice.where, lot=row.name, free=row.free, taken=taken[choice.key])
            )
        passed = reasons.get(row.key)
        if passed in ("expired", "status"):
            problems.append(barred(row, proposal.wish, choice.where))
        elif passed in ("too_little_life", "life_unknown"):
            departures.append(too_little_life(row, proposal.wish, choice.where))
        else:
            departures.extend(_overtaking(row, taken, proposal, choice.where))
    if departures and not may_depart:
        problems.extend(departures)
        problems.append(problem("picking.may_not_depart"))
    elif departures and not reason.strip():
        problems.extend(departures)
        problems.append(problem("picking.reason_missing"))
    return Verdict(problems=tuple(problems), departures=tuple(departures))


def _first_of_each(chosen: Sequence[Choice]) -> Sequence[Choice]:
    first: dict[StockKey, Choice] = {}
    for choice in chosen:
        if choice.quantity > ZERO:
            first.setdefault(choice.key, choice)
    return tuple(first.values())


def _overtaking(row: Stock, taken: dict[StockKey, Decimal], proposal: Proposal, where: str) -> Sequence[Problem]:
    """The first row that should have gone before ``row`` and of which something stays."""
    own = rule_date(row, proposal.wish)
    for earlier in proposal.order:
        due = rule_date(earlier, proposal.wish)
        if due >= own:
            return ()
        if taken.get(earlier.key, ZERO) < earlier.free:
            return (_departure(row, earlier, due, proposal, where),)
    return ()


def _departure(row: Stock, earlier: Stock, due: date, proposal: Proposal, where: str) -> Problem:
    if proposal.wish.strategy == "fifo":
        return problem("picking.not_fifo", where, lot=row.name, earlier=earlier.name, received=due)
    return problem("picking.not_fefo", where, lot=row.name, earlier=earlier.name, expires=due)
