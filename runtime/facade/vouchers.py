"""Vouchers (会计凭证) of a period, derived when asked for, and their export for accounting software."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

from engine.definitions.voucher import VoucherDef
from engine.problems import Refused, problem, suggestion
from engine.sheets import Cell
from engine.vouchers import Movement, Unmapped, derive
from engine.vouchers.derive import Gathered
from runtime.declared import subject_forms
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.menu import may_open
from runtime.facade.paging import part_of
from runtime.facade.stock import move_label
from runtime.sheets import WriteColumn, write_csv, write_xlsx
from runtime.stages.steps import Unit
from runtime.storage import documents, finance

FileKind: TypeAlias = Literal["xlsx", "csv"]
CUSTOMER_LEDGERS = ("receivable", "advance")
COLUMNS = ("day", "word", "number", "summary", "account", "account_name", "debit", "credit", "partner", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherLineView:
    """A line; ``partner`` is a name or empty."""

    account: str
    account_name: str
    debit: Decimal
    credit: Decimal
    partner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherView:
    """A voucher; ``number`` counts within the period; ``form`` is empty when it is of several documents."""

    number: int
    day: date
    form: str
    form_label: str
    document: int
    source: str
    lines: tuple[VoucherLineView, ...]
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class VouchersView:
    """The vouchers of a period, or a page of them.

    Attributes:
        count, debit, credit: of the whole period. next: how many come before the next page; None after the last.
        unmapped: what no rule books, with the word for the move.
    """

    chart: str
    charts: tuple[tuple[str, str], ...]
    word: str
    vouchers: tuple[VoucherView, ...]
    count: int
    debit: Decimal
    credit: Decimal
    unmapped: tuple[tuple[str, Unmapped], ...]
    next: int | None


def vouchers(
    door: Door,
    chart: str,
    start: date,
    end: date,
    gathered: Gathered = "document",
    *,
    after: int = 0,
    limit: int | None = None,
) -> VouchersView:
    """Vouchers of ``chart`` (the first one when empty) from ``start`` to ``end``.

    Args:
        after: how many to leave out. limit: how many to show at most; all of them when None.

    Raises:
        Refused: ``forbidden`` when the page is not the person's, ``missing`` for an unknown chart.
    """
    if not may_open(door, "vouchers"):
        raise Refused([problem("permission.page_denied")], "forbidden")
    charts = door.bundle.vouchers
    definition = charts.get(chart) if chart else next(iter(charts.values()), None)
    if definition is None:
        raise Refused([problem("voucher.unknown", name=chart, **suggestion(chart, charts))], "missing")
    with door.reading() as unit:
        derived = derive(definition, _movements(door, unit, definition, start, end), gathered)
        shown, following = part_of(derived.vouchers, after, limit)
        names = Names(door.language)
        for voucher in shown:
            for line in voucher.lines:
                names.want_id(_partner_form(door, line.ledger), line.partner or None)
        names.load(unit)
        # Whoever sees the books sees what they are of, though a document itself may not be theirs to open.
        sources = {(one.form, one.document) for one in shown if one.form}
        known = documents.numbers(unit.connection, unit.tables, sources, dict.fromkeys(unit.tables.forms))
    made = tuple(
        VoucherView(
            number=number,
            day=one.day,
            form=one.form,
            form_label=door.bundle.forms[one.form].label.text(door.language) if one.form in door.bundle.forms else "",
            document=one.document,
            source=known.get((one.form, one.document), ""),
            lines=tuple(
                VoucherLineView(
                    account=line.account,
                    account_name=definition.accounts[line.account].text(door.language),
                    debit=line.debit,
                    credit=line.credit,
                    partner=names.name(_partner_form(door, line.ledger), line.partner) if line.partner else "",
                )
                for line in one.lines
            ),
            total=one.debit,
        )
        for number, one in enumerate(shown, start=after + 1)
    )
    return VouchersView(
        chart=definition.voucher,
        charts=tuple((key, each.label.text(door.language)) for key, each in charts.items()),
        word=definition.word,
        vouchers=made,
        count=len(derived.vouchers),
        debit=sum((one.debit for one in derived.vouchers), Decimal(0)),
        credit=sum((one.credit for one in derived.vouchers), Decimal(0)),
        unmapped=tuple((move_label(door, one.move), one) for one in derived.unmapped),
        next=following,
    )


def export(door: Door, view: VouchersView, path: Path, kind: FileKind) -> int:
    """Write the lines of ``view``, one row each, as 金蝶 and 用友 import them; returns how many."""
    heads = [
        WriteColumn(header=door.house.catalogue.ui(f"voucher.{name}", door.language), width=16) for name in COLUMNS
    ]
    if kind == "csv":
        return write_csv(path, heads, _rows(view))
    return write_xlsx(path, heads, _rows(view), sheet=door.house.catalogue.ui("page.vouchers", door.language))


def _rows(view: VouchersView) -> Iterator[list[Cell]]:
    for one in view.vouchers:
        for line in one.lines:
            yield [
                one.day, view.word, Decimal(one.number), f"{one.form_label} {one.source}".strip(), line.account,
                line.account_name, line.debit or None, line.credit or None, line.partner, one.source,
            ]  # fmt: skip


def _movements(door: Door, unit: Unit, definition: VoucherDef, start: date, end: date) -> Iterator[Movement]:
    entries = tuple(finance.booked(unit.connection, start, end))
    products = _categories(
        unit, door.bundle.app.dimensions.product or "", definition.product_category, {one.product for one in entries}
    )
    subjects: dict[str, Mapping[int, str]] = {}
    for ledger in {one.ledger for one in entries if one.subject}:
        form = next(iter(subject_forms(door.bundle, ledger)), "")
        ids = {one.subject for one in entries if one.ledger == ledger}
        subjects[ledger] = _categories(unit, form, definition.subject_category, ids)
    for one in entries:
        category = subjects.get(one.ledger, {}).get(one.subject, "") if one.subject else products.get(one.product, "")
        yield Movement(
            ledger=one.ledger, move=one.move, element=one.element, category=category, value=one.value, form=one.form,
            document=one.document, day=one.day, partner=one.partner,
        )  # fmt: skip


def _categories(unit: Unit, form: str, field: str | None, ids: Iterable[int]) -> Mapping[int, str]:
    compiled = unit.bundle.forms.get(form)
    wanted = {identity for identity in ids if identity}
    if compiled is None or field is None or field not in compiled.fields or not wanted:
        return {}
    rows = documents.load_rows(unit.connection, unit.tables, form, wanted, frozenset({field}))
    return {identity: str(row.values.get(field) or "") for identity, row in rows.items()}


def _partner_form(door: Door, ledger: str) -> str:
    parts = door.bundle.app.dimensions
    return (parts.customer if ledger in CUSTOMER_LEDGERS else parts.supplier) or ""
