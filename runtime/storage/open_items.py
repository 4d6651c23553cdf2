"""Open documents: what a money ledger still holds of each document, with what it was and when it falls due.

Read from the balances of the grain ``document`` and the entries that refer to a document; nothing of it is stored with
the document itself. One query whatever the number of documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.values import MONEY_SCALE
from runtime.storage.app_tables import AppTables
from runtime.storage.column_types import Scaled
from runtime.storage.ledger_tables import balance, entry

GRAIN = "document"
SETTLED_LEDGERS = ("receivable", "payable", "advance", "prepaid")
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """A document in a money ledger.

    Attributes:
        total: what it opened. open: what is left of it. Signed: a return is negative.
        due: day it falls due, None when it never said. day: its business date.
    """

    ledger: str
    partner: int
    form: str
    document: int
    total: Decimal
    open: Decimal
    due: date | None
    day: date


def items_of(connection: sa.Connection, ledger: str, documents: Iterable[tuple[str, int]]) -> Mapping[str, OpenItem]:
    """The named documents as the ledger has them, by ``form/id``; those it has nothing of are absent."""
    wanted: dict[str, set[int]] = {}
    for form, document in documents:
        wanted.setdefault(form, set()).add(document)
    found: dict[str, OpenItem] = {}
    for form in sorted(wanted):
        ids = sorted(wanted[form])
        for start in range(0, len(ids), CHUNK):
            chosen = (entry.c.ref_form == form, entry.c.ref_document.in_(ids[start : start + CHUNK]))
            for item in _items(connection, _summed(ledger, *chosen)):
                found[f"{item.form}/{item.document}"] = item
    return found


def open_items(
    connection: sa.Connection, ledger: str, partner: int | None = None, limit: int | None = None
) -> tuple[OpenItem, ...]:
    """Every document with something open, of one partner or of all: the earliest due first, undated ones last."""
    kept = sa.select(balance.c.partner, balance.c.ref_form, balance.c.ref_document).where(
        balance.c.ledger == ledger, balance.c.grain == GRAIN, balance.c.partner != 0, balance.c.value != 0
    )
    if partner is not None:
        kept = kept.where(balance.c.partner == partner)
    open_ = kept.subquery()
    same = sa.and_(
        entry.c.partner == open_.c.partner,
        entry.c.ref_form == open_.c.ref_form,
        entry.c.ref_document == open_.c.ref_document,
    )
    query = _summed(ledger).join_from(entry, open_, same)
    items = sorted(_items(connection, query), key=lambda one: (one.due or date.max, one.day, one.document))
    return tuple(items if limit is None else items[:limit])


def settle_status(header: sa.Table, form: str, today: date) -> sa.ColumnElement[str]:
    """结算状态 of each row of ``header``: ``none``, ``partial``, ``done``, ``overdue``; NULL where nothing was opened.

    Derived from the ledgers, never stored (domain rule B0.4).
    """
    own = sa.and_(entry.c.form == entry.c.ref_form, entry.c.document == entry.c.ref_document)
    opened = sa.func.sum(sa.case((own, sa.type_coerce(entry.c.value, sa.BigInteger)), else_=0))
    left = sa.func.sum(sa.type_coerce(entry.c.value, sa.BigInteger))
    due = sa.func.max(sa.case((own, entry.c.due)))
    status = sa.case(
        (sa.and_(sa.func.coalesce(opened, 0) == 0, sa.func.coalesce(left, 0) == 0), None),
        (left == 0, "done"),
        (due < today, "overdue"),
        (left != opened, "partial"),
        else_="none",
    )
    return (
        sa.select(sa.type_coerce(status, sa.Text()))
        .where(
            entry.c.ref_form == form,
            entry.c.ref_document == header.c.id,
            entry.c.ref_document != 0,
            entry.c.ledger.in_(SETTLED_LEDGERS),
        )
        .correlate(header)
        .scalar_subquery()
    )


def status_of(connection: sa.Connection, tables: AppTables, form: str, document: int, today: date) -> str:
    """结算状态 of one document; empty where nothing was opened."""
    header = tables.forms[form].header
    query = sa.select(settle_status(header, form, today)).where(header.c.id == document)
    return connection.execute(query).scalar_one_or_none() or ""


def _summed(ledger: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    own = sa.and_(entry.c.form == entry.c.ref_form, entry.c.document == entry.c.ref_document)
    zero = sa.literal(0, Scaled(MONEY_SCALE))
    return (
        sa.select(
            entry.c.ledger,
            entry.c.partner,
            entry.c.ref_form,
            entry.c.ref_document,
            sa.func.sum(sa.case((own, entry.c.value), else_=zero), type_=Scaled(MONEY_SCALE)),
            sa.func.sum(entry.c.value, type_=Scaled(MONEY_SCALE)),
            sa.func.max(sa.case((own, entry.c.id))),
        )
        .where(entry.c.ledger == ledger, entry.c.ref_document != 0, *conditions)
        .group_by(entry.c.ledger, entry.c.partner, entry.c.ref_form, entry.c.ref_document)
    )


def _items(connection: sa.Connection, query: sa.Select[Any]) -> list[OpenItem]:
    rows: list[tuple[Any, ...]] = [tuple(row) for row in connection.execute(query)]
    last = [row[6] for row in rows if row[6] is not None]
    days: dict[int, tuple[date | None, date]] = {}
    for start in range(0, len(last), CHUNK):
        chosen = sa.select(entry.c.id, entry.c.due, entry.c.biz_date).where(entry.c.id.in_(last[start : start + CHUNK]))
        days.update({row[0]: (row[1], row[2]) for row in connection.execute(chosen)})
    return [
        OpenItem(
            ledger=row[0], partner=row[1], form=row[2], document=row[3], total=row[4], open=row[5],
            due=days[row[6]][0], day=days[row[6]][1],
        )
        for row in rows
        if row[6] in days
    ]  # fmt: skip
