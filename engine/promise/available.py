"""Available to promise (可承诺量): how much can be promised for which day, and what to tell the customer.

Source: domain rules B0.6 and D12. ``atp(t) = available + expected in(t) − expected out(t)``. Read day by day the
formula would let a new order have goods that an older one needs on a later day; therefore a promise also looks at all
days after it and never takes what they are short of. Without such a later demand both figures are the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from engine.problems import Param, Problem, Severity, problem
from engine.values import ZERO

Kind: TypeAlias = Literal["now", "partial", "later", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From ``day`` until the next step: ``expected`` is atp(t) of B0.6, signed; ``promisable`` what may be promised."""

    day: date
    expected: Decimal
    promisable: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """ATP of a product in a warehouse, or in all: ``free`` today and the ``steps`` from today on, ascending."""

    free: Decimal
    steps: tuple[Step, ...]

    def on(self, day: date) -> Step:
        """The step that holds on ``day``; before today, that of today."""
        return self.steps[max(bisect_right(self.steps, day, key=lambda step: step.day) - 1, 0)]

    def earliest(self, quantity: Decimal) -> date | None:
        """The first day on which ``quantity`` can be promised, or None."""
        return next((step.day for step in self.steps if step.promisable >= quantity), None)


def available_to_promise(
    free: Decimal, supplies: Iterable[tuple[date, Decimal]], demands: Iterable[tuple[date, Decimal]], today: date
) -> Timeline:
    """The timeline.

    Args:
        free: 可用量, what is neither reserved, locked nor frozen.
        supplies: due date and open quantity of what is on its way. demands: due date and quantity of what is to go
            out and is not reserved (backorders, components of work orders). Give both whole, or both less what is
            pegged. What is overdue counts as of today.
    """
    changes: defaultdict[date, Decimal] = defaultdict(lambda: ZERO, {today: ZERO})
    for due, quantity in supplies:
        changes[max(due, today)] += quantity
    for due, quantity in demands:
        changes[max(due, today)] -= quantity
    expected: list[tuple[date, Decimal]] = []
    level = free
    for day in sorted(changes):
        level += changes[day]
        expected.append((day, level))
    steps: list[Step] = []
    least = level
    for day, level in reversed(expected):
        least = min(least, level)
        steps.append(Step(day=day, expected=level, promisable=max(least, ZERO)))
    return Timeline(free=free, steps=tuple(reversed(steps)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A product in a warehouse as order entry sees it: what `available_to_promise` takes, before anybody says today.

    Attributes:
        dated: last good day and quantity of what is among ``free`` and will expire, or has.
    """

    free: Decimal = ZERO
    dated: tuple[tuple[date, Decimal], ...] = ()
    supplies: tuple[tuple[date, Decimal], ...] = ()
    demands: tuple[tuple[date, Decimal], ...] = ()

    def good(self, today: date) -> Decimal:
        """What of ``free`` has not expired; nobody is promised the rest (domain rule D4)."""
        return self.free - sum((quantity for last, quantity in self.dated if last < today), ZERO)

    def timeline(self, today: date) -> Timeline:
        """The timeline from ``today`` on."""
        return available_to_promise(self.good(today), self.supplies, self.demands, today)

    def promisable(self, today: date, day: date) -> Decimal:
        """What may be promised for ``day``."""
        return self.timeline(today).on(day).promisable

    def earliest(self, today: date, quantity: Decimal) -> date | None:
        """The first day on which ``quantity`` can be promised."""
        return self.timeline(today).earliest(quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What can be said about an order line.

    Attributes:
        kind: 可立即发, 部分可发, 最早某日, 建议拒绝.
        now: base units that can leave the wanted warehouse today.
        elsewhere: warehouse and base units that come from others, today as well; only where they make up the whole.
        day: the day all of it can leave, or None when nobody can tell.
    """

    kind: Kind
    quantity: Decimal
    now: Decimal
    elsewhere: tuple[tuple[int, Decimal], ...] = ()
    day: date | None = None


def answer(
    quantity: Decimal,
    here: Timeline,
    today: date,
    others: Sequence[tuple[int, Decimal]] = (),
    lead_days: int | None = None,
    whole: bool = False,
) -> Answer:
    """Answer an order line (domain rule D12): from here, else with other warehouses, else when goods come, else bought.

    Args:
        others: warehouse and free base units of the others, nearest first.
        lead_days: 采购周期; None when the product cannot be bought or it is not known.
        whole: the customer takes no part.
    """
    now = min(quantity, max(min(here.free, here.on(today).promisable), ZERO))
    missing = quantity - now
    elsewhere: list[tuple[int, Decimal]] = []
    for warehouse, free in others:
        part = min(missing, free)
        if part > ZERO:
            elsewhere.append((warehouse, part))
            missing -= part
    if missing == ZERO:
        return Answer(kind="now", quantity=quantity, now=now, elsewhere=tuple(elsewhere), day=today)
    day = here.earliest(quantity)
    if day is None and lead_days is not None:
        day = today + timedelta(days=lead_days)
    if now > ZERO and not whole:
        return Answer(kind="partial", quantity=quantity, now=now, day=day)
    return Answer(kind="refuse" if day is None else "later", quantity=quantity, now=ZERO, day=day)


def order_day(answers: Sequence[Answer]) -> date | None:
    """The day a whole order can leave: the latest of its lines, or None when one of them has none."""
    days = [one.day for one in answers if one.day is not None]
    return max(days) if days and len(days) == len(answers) else None


def said(given: Answer, where: str = "", wanted: date | None = None) -> tuple[Problem, ...]:
    """The answer as sentences, and a warning when it is later than the day the customer was or wants to be promised.

    All are warnings: what becomes of a short line is the company's setting (``shortage_action``), not this module's.
    """
    figures: dict[str, Param] = {"quantity": given.quantity, "now": given.now}
    if given.day is not None:
        figures["day"] = given.day
    if given.kind == "partial":
        code = "promise.partial" if given.day is not None else "promise.partial_undated"
    elif given.kind == "now":
        code = "promise.now_elsewhere" if given.elsewhere else "promise.now"
    else:
        code = "promise.later" if given.kind == "later" else "promise.refuse"
    found = [problem(code, where, **figures)]
    if wanted is not None and given.day is not None and given.day > wanted:
        found.append(problem("promise.later_than_wanted", where, day=given.day, wanted=wanted))
    return tuple(Problem(code=one.code, where=where, params=one.params, severity=Severity.WARNING) for one in found)
