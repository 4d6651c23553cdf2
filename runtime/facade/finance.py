"""Finance pages: ageing (账龄), statement (对账单). Figures come from the ledgers; who may see them follows from the
pages a role opens and the partners it may read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from engine.ageing import BUCKETS, Basis, bucket
from engine.problems import Refused, problem
from engine.values import ZERO
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.lists import row_condition
from runtime.facade.menu import may_open
from runtime.facade.paging import part_of
from runtime.facade.referred import numbers
from runtime.facade.stock import move_label
from runtime.stages.steps import Unit
from runtime.storage import documents, finance
from runtime.storage import open_items as rows

Side = Literal["receivable", "payable"]
PARTNERS: Mapping[str, str] = MappingProxyType({"receivable": "customer", "payable": "supplier"})
PAID_AHEAD: Mapping[str, str] = MappingProxyType({"receivable": "advance", "payable": "prepaid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenView:
    """An open document. ``form`` is empty when it is not the person's to read; ``late``: days past due, 0 if none."""

    partner: int
    partner_text: str
    form: str
    document: int
    number: str
    day: date
    due: date | None
    total: Decimal
    open: Decimal
    bucket: str
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingRow:
    """A partner: open amounts by bucket, their sum, what of it is overdue, and what was paid ahead."""

    partner: int
    partner_text: str
    amounts: Mapping[str, Decimal]
    total: Decimal
    overdue: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingView:
    """The ageing of one side, or a page of it.

    Attributes:
        total: the row of sums over all partners. next: how many come before the next page; None after the last.
        items: the documents behind one partner, if chosen, or the overdue ones; ``further`` is their ``next``.
    """

    side: Side
    basis: Basis
    rows: tuple[AgeingRow, ...]
    total: AgeingRow
    items: tuple[OpenView, ...]
    next: int | None
    further: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """A document in a statement: what it added to (``charged``) and took off (``settled``) what is owed."""

    day: date
    form: str
    document: int
    number: str
    move: str
    due: date | None
    charged: Decimal
    settled: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementView:
    """A statement (对账单): opening + charged − settled = closing, always. Paid-ahead amounts count against."""

    side: Side
    partner: int
    partner_text: str
    start: date
    end: date
    opening: Decimal
    lines: tuple[StatementLine, ...]
    charged: Decimal
    settled: Decimal
    closing: Decimal
    open_items: tuple[OpenView, ...]


def ageing(
    door: Door,
    side: Side,
    basis: Basis = "due",
    partner: int | None = None,
    overdue: bool = False,
    *,
    after: int = 0,
    items_after: int = 0,
    limit: int | None = None,
) -> AgeingView:
    """Open amounts by age, per partner; with ``partner`` also the documents, with ``overdue`` all overdue documents.

    Args:
        after, items_after: how many partners, and documents, to leave out.
        limit: how many of each to show at most; all of them when None.

    Raises:
        Refused: ``forbidden`` when the page is not the person's.
    """
    _allowed(door, "ageing")
    form = _partner_form(door, side)
    with door.reading() as unit:
        readable = _readable(door, unit, form)
        today = unit.around.clock.today
        items = [one for one in rows.open_items(unit.connection, side) if readable is None or one.partner in readable]
        names = Names(door.language)
        for one in items:
            names.want_id(form, one.partner)
        names.load(unit)
        shown = [
            one
            for one in items
            if (partner is None or one.partner == partner)
            and (not overdue or (one.due is not None and one.due < today))
        ]
        page, further = part_of(shown if partner is not None or overdue else (), items_after, limit)
        views = _items(door, unit, page, names, form, basis, today)
    groups: dict[int, dict[str, Decimal]] = {}
    late: dict[int, Decimal] = {}
    for one in items:
        key = bucket(_since(one, basis), today)
        amounts = groups.setdefault(one.partner, dict.fromkeys(BUCKETS, ZERO))
        amounts[key] += one.open
        if one.due is not None and one.due < today:
            late[one.partner] = late.get(one.partner, ZERO) + one.open
    found = [_row(key, names.name(form, key), amounts, late.get(key, ZERO)) for key, amounts in groups.items()]
    found.sort(key=lambda row: (-row.overdue, -row.total, row.partner_text))
    sums = {name: sum((row.amounts[name] for row in found), ZERO) for name in BUCKETS}
    total = _row(0, "", sums, sum((row.overdue for row in found), ZERO))
    partners, following = part_of(found, after, limit)
    return AgeingView(side=side, basis=basis, rows=partners, total=total, items=views, next=following, further=further)


def statement(door: Door, side: Side, partner: int, start: date, end: date) -> StatementView:
    """The statement of a partner over a period.

    Raises:
        Refused: ``forbidden`` when the page is not the person's, ``missing`` when the partner is not.
    """
    _allowed(door, "statement")
    form = _partner_form(door, side)
    ledgers = (side, PAID_AHEAD[side])
    with door.reading() as unit:
        readable = _readable(door, unit, form, [partner])
        if readable is not None and partner not in readable:
            raise Refused([problem("document.missing", form=door.bundle.forms[form].label)], "missing")
        before = finance.opening(unit.connection, ledgers, partner, start)
        turned = finance.turnover(unit.connection, ledgers, partner, start, end)
        known = numbers(door, unit, {(one.form, one.document) for one in turned})
        names = Names(door.language)
        names.want_id(form, partner)
        names.load(unit)
        today = unit.around.clock.today
        open_ = _items(door, unit, rows.open_items(unit.connection, side, partner), names, form, "due", today)
    running = opening = before.get(side, ZERO) - before.get(PAID_AHEAD[side], ZERO)
    lines: list[StatementLine] = []
    for one in turned:
        amount = one.value if one.ledger == side else -one.value
        running += amount
        lines.append(
            StatementLine(
                day=one.day,
                form=one.form if (one.form, one.document) in known else "",
                document=one.document,
                number=known.get((one.form, one.document), ""),
                move=move_label(door, one.move),
                due=one.due if one.ledger == side and amount > ZERO else None,
                charged=amount if amount > ZERO else ZERO,
                settled=-amount if amount < ZERO else ZERO,
                balance=running,
            )
        )
    return StatementView(
        side=side,
        partner=partner,
        partner_text=names.name(form, partner),
        start=start,
        end=end,
        opening=opening,
        lines=tuple(lines),
        charged=sum((line.charged for line in lines), ZERO),
        settled=sum((line.settled for line in lines), ZERO),
        closing=running,
        open_items=open_,
    )


def _allowed(door: Door, page: str) -> None:
    if not may_open(door, page):
        raise Refused([problem("permission.page_denied")], "forbidden")


def _partner_form(door: Door, side: Side) -> str:
    form = getattr(door.bundle.app.dimensions, PARTNERS[side])
    if form is None or not door.may(door.bundle.forms[form], "read"):
        raise Refused([problem("web.no_page")], "missing")
    return str(form)


def _readable(door: Door, unit: Unit, form: str, ids: Iterable[int] | None = None) -> frozenset[int] | None:
    """Partners the person may read; None: all of them."""
    compiled = door.bundle.forms[form]
    where = row_condition(door, unit, compiled, door.access(compiled))
    if where is None:
        return None
    return frozenset(documents.record_ids(unit.connection, unit.tables, form, where, ids))


def _since(one: rows.OpenItem, basis: Basis) -> date:
    return (one.due or one.day) if basis == "due" else one.day


def _row(partner: int, text: str, amounts: Mapping[str, Decimal], overdue: Decimal) -> AgeingRow:
    total = sum(amounts.values(), ZERO)
    return AgeingRow(partner=partner, partner_text=text, amounts=amounts, total=total, overdue=overdue)


def _items(
    door: Door,
    unit: Unit,
    items: Iterable[rows.OpenItem],
    names: Names,
    form: str,
    basis: Basis,
    today: date,
) -> tuple[OpenView, ...]:
    listed = tuple(items)
    known = numbers(door, unit, {(one.form, one.document) for one in listed})
    return tuple(
        OpenView(
            partner=one.partner,
            partner_text=names.name(form, one.partner),
            form=one.form if (one.form, one.document) in known else "",
            document=one.document,
            number=known.get((one.form, one.document), ""),
            day=one.day,
            due=one.due,
            total=one.total,
            open=one.open,
            bucket=bucket(_since(one, basis), today),
            late=max((today - one.due).days, 0) if one.due else 0,
        )
        for one in listed
    )
