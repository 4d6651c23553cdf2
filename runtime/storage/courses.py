"""What the course of costs needs from the entries: those after a day, those that depend on others, last prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.ledger.entry import Entry
from engine.values import ZERO, divided
from runtime.storage.ledger_tables import entry
from runtime.storage.ledgers import SELECT, entries_from

CHUNK = 900


def stock_from(connection: sa.Connection, product: int, warehouse: int, day: date) -> Sequence[Entry]:
    """Stock entries of a product (in a warehouse; 0: anywhere) dated ``day`` or later, in cost order."""
    query = SELECT.where(entry.c.ledger == "stock", entry.c.product == product, entry.c.biz_date >= day)
    if warehouse:
        query = query.where(entry.c.warehouse == warehouse)
    return entries_from(connection.execute(query.order_by(entry.c.biz_date, entry.c.id)))


def subject_from(connection: sa.Connection, subject: int, day: date) -> Sequence[Entry]:
    """Entries in work in process of a subject, and stock entries that share in what it held, from ``day`` on."""
    query = SELECT.where(
        entry.c.subject == subject, entry.c.ledger.in_(("wip", "stock")), entry.c.subject != 0, entry.c.biz_date >= day
    )
    return entries_from(connection.execute(query.order_by(entry.c.biz_date, entry.c.id)))


def depending_on(connection: sa.Connection, origins: Iterable[int], ledgers: Sequence[str]) -> Sequence[Entry]:
    """Entries that take their cost from the given ones, in posting order."""
    wanted = sorted(set(origins))
    found: list[Entry] = []
    for start in range(0, len(wanted), CHUNK):
        query = SELECT.where(
            entry.c.origin.in_(wanted[start : start + CHUNK]), entry.c.origin != 0, entry.c.ledger.in_(ledgers)
        )
        found.extend(entries_from(connection.execute(query)))
    return sorted(found, key=lambda one: one.id or 0)


def entries_by_id(connection: sa.Connection, ids: Iterable[int]) -> Mapping[int, Entry]:
    """The entries with these ids."""
    wanted = sorted(set(ids))
    found: dict[int, Entry] = {}
    for start in range(0, len(wanted), CHUNK):
        for one in entries_from(connection.execute(SELECT.where(entry.c.id.in_(wanted[start : start + CHUNK])))):
            found[one.id or 0] = one
    return found


def reversed_among(connection: sa.Connection, ids: Iterable[int]) -> frozenset[int]:
    """Which of the entries have been reversed."""
    wanted = sorted(set(ids))
    found: set[int] = set()
    for start in range(0, len(wanted), CHUNK):
        query = sa.select(entry.c.mirror_of).where(entry.c.mirror_of.in_(wanted[start : start + CHUNK]))
        found.update(row[0] for row in connection.execute(query))
    return frozenset(found)


def last_cost(connection: sa.Connection, pool: Mapping[str, object], before: date | None = None) -> Decimal:
    """Unit cost of the last entry that moved goods of a pool (given by its dimensions), dated before a day."""
    return _price(connection, pool, before, entry.c.value, entry.c.quantity != 0)


def latest_price(connection: sa.Connection, pool: Mapping[str, object], before: date | None = None) -> Decimal:
    """Unit cost of the latest receipt at a stated price of a pool, dated before a day."""
    return _price(connection, pool, before, entry.c.stated, entry.c.quantity > 0, entry.c.basis == "given")


def _price(
    connection: sa.Connection,
    pool: Mapping[str, object],
    before: date | None,
    amount: sa.Column[Decimal],
    *conditions: sa.ColumnElement[bool],
) -> Decimal:
    query = (
        sa.select(amount, entry.c.quantity)
        .where(
            entry.c.ledger == "stock", entry.c.owner == 0, entry.c.mirror_of.is_(None), *conditions,
            *(entry.c[name] == value for name, value in pool.items()),
        )
        .order_by(entry.c.biz_date.desc(), entry.c.id.desc())
        .limit(1)
    )  # fmt: skip
    if before is not None:
        query = query.where(entry.c.biz_date < before)
    row = connection.execute(query).first()
    return divided(row[0], row[1]) if row is not None else ZERO
