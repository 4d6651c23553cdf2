"""Entries as finance reads them: of one partner over time, of a period for vouchers. One query each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.values import MONEY_SCALE
from runtime.storage.column_types import Scaled
from runtime.storage.ledger_tables import entry

OPEN_QUANTITIES = ("supply", "demand", "reservation", "freeze")


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """An entry with a value."""

    ledger: str
    move: str
    element: str
    value: Decimal
    form: str
    document: int
    day: date
    product: int
    partner: int
    subject: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """What one document did to one ledger of a partner on one day."""

    ledger: str
    move: str
    form: str
    document: int
    day: date
    value: Decimal
    due: date | None


def opening(connection: sa.Connection, ledgers: Iterable[str], partner: int, before: date) -> dict[str, Decimal]:
    """What the ledgers held of ``partner`` before a day, by ledger."""
    query = (
        sa.select(entry.c.ledger, sa.func.sum(entry.c.value, type_=Scaled(MONEY_SCALE)))
        .where(entry.c.ledger.in_(list(ledgers)), entry.c.partner == partner, entry.c.partner != 0)
        .where(entry.c.biz_date < before)
        .group_by(entry.c.ledger)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def turnover(
    connection: sa.Connection, ledgers: Iterable[str], partner: int, start: date, end: date
) -> tuple[Turned, ...]:
    """What happened to ``partner`` from ``start`` to ``end``, a row per document, ledger and move."""
    first = sa.func.min(entry.c.id)
    query = (
        sa.select(
            entry.c.ledger,
            entry.c.move,
            entry.c.form,
            entry.c.document,
            entry.c.biz_date,
            sa.func.sum(entry.c.value, type_=Scaled(MONEY_SCALE)),
            sa.func.max(entry.c.due),
        )
        .where(entry.c.ledger.in_(list(ledgers)), entry.c.partner == partner, entry.c.partner != 0)
        .where(entry.c.biz_date >= start, entry.c.biz_date <= end)
        .group_by(entry.c.ledger, entry.c.move, entry.c.form, entry.c.document, entry.c.biz_date)
        .order_by(entry.c.biz_date, first)
    )
    return tuple(
        Turned(
            ledger=row[0], move=row[1], form=row[2], document=row[3], day=row[4], value=row[5],
            due=date.fromisoformat(row[6]) if isinstance(row[6], str) else row[6],
        )
        for row in connection.execute(query)
    )  # fmt: skip


def booked(connection: sa.Connection, start: date, end: date) -> Iterator[Booked]:
    """Every valued entry of a period in the order of days and posting."""
    query = (
        sa.select(
            entry.c.ledger, entry.c.move, entry.c.element, entry.c.value, entry.c.form, entry.c.document,
            entry.c.biz_date, entry.c.product, entry.c.partner, entry.c.subject,
        )
        .where(entry.c.biz_date >= start, entry.c.biz_date <= end, entry.c.value != 0)
        .where(entry.c.ledger.not_in(OPEN_QUANTITIES))
        .order_by(entry.c.biz_date, entry.c.id)
    )  # fmt: skip
    return map(_booked, connection.execute(query))


def _booked(row: Sequence[object]) -> Booked:
    names = ("ledger", "move", "element", "value", "form", "document", "day", "product", "partner", "subject")
    return Booked(**dict(zip(names, row, strict=True)))  # type: ignore[arg-type]
