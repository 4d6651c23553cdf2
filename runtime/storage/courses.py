"""What the course of costs needs from the entries: those after a day, those that depend on others, last prices.

A back-dated document asks for what depends on ten thousand entries at once; so many ids travel as one parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.ledger.entry import NAMES, Entry
from engine.values import MONEY_SCALE, ZERO, divided
from runtime.storage.column_types import Scaled
from runtime.storage.ledger_tables import entry
from runtime.storage.ledgers import SELECT, entries_from
from runtime.storage.row_reading import Reader

READER = Reader(entry)


def stock_from(connection: sa.Connection, product: int, warehouse: int, day: date) -> Sequence[Entry]:
    """Stock entries of a product (in a warehouse; 0: anywhere) dated ``day`` or later, in cost order."""
    query = SELECT.where(entry.c.ledger == "stock", entry.c.product == product, entry.c.biz_date >= day)
    if warehouse:
        query = query.where(entry.c.warehouse == warehouse)
    return entries_from(connection.execute(query.order_by(entry.c.biz_date, entry.c.id)).all())


def subject_from(connection: sa.Connection, subject: int, day: date) -> Sequence[Entry]:
    """Entries in work in process of a subject, and stock entries that share in what it held, from ``day`` on."""
    query = SELECT.where(
        entry.c.subject == subject, entry.c.ledger.in_(("wip", "stock")), entry.c.subject != 0, entry.c.biz_date >= day
    )
    return entries_from(connection.execute(query.order_by(entry.c.biz_date, entry.c.id)).all())


def depending_on(connection: sa.Connection, origins: Iterable[int], ledgers: Sequence[str]) -> Sequence[Entry]:
    """Entries that take their cost from the given ones, in posting order."""
    # The index of origins leaves out those that are 0; joined to a text, the ledger is not looked up instead, of which
    # there may be millions of entries.
    also = f"origin <> 0 AND ledger || '' IN ({', '.join(map(repr, ledgers))})"
    found = entries_from(READER.rows(connection, NAMES, "origin", set(origins), also))
    return sorted(found, key=lambda one: one.id or 0)


def entries_by_id(connection: sa.Connection, ids: Iterable[int]) -> Mapping[int, Entry]:
    """The entries with these ids."""
    return {one.id or 0: one for one in entries_from(READER.rows(connection, NAMES, "id", set(ids)))}


def reversed_among(connection: sa.Connection, ids: Iterable[int]) -> frozenset[int]:
    """Which of the entries have been reversed."""
    return frozenset(row[0] for row in READER.rows(connection, ("mirror_of",), "mirror_of", set(ids)))


def last_cost(connection: sa.Connection, pool: Mapping[str, object], before: date | None = None) -> Decimal:
    """Unit cost of the last goods of value that a pool (given by its dimensions) moved, dated before a day: a stated
    price, or the value as it was found in the end, corrections included. Zero when there were none."""
    correction = entry.alias("correction")
    added = (
        sa.select(sa.func.coalesce(sa.func.sum(sa.type_coerce(correction.c.value, sa.BigInteger())), 0))
        .where(correction.c.ledger == "stock", correction.c.origin == entry.c.id, correction.c.basis == "derived")
        .scalar_subquery()
    )
    found = sa.cast(sa.type_coerce(entry.c.value, sa.BigInteger()) + added, sa.BigInteger())
    stated = sa.type_coerce(entry.c.stated, sa.BigInteger())
    priced = sa.and_(entry.c.quantity > 0, entry.c.basis == "given", entry.c.stated > 0)
    amount = sa.case((priced, stated), else_=found)
    moved = (entry.c.quantity != 0, entry.c.basis != "neutral", amount != 0)
    row = _newest(connection, pool, before, sa.type_coerce(amount, Scaled(MONEY_SCALE)), moved)
    return ZERO if row is None else abs(divided(row[2], row[1]))


def latest_price(connection: sa.Connection, pool: Mapping[str, object], before: date | None = None) -> Decimal:
    """Unit cost of the latest receipt at a stated price of a pool, dated before a day; what was free has no price."""
    priced = (entry.c.quantity > 0, entry.c.basis == "given", entry.c.stated > 0)
    row = _newest(connection, pool, before, entry.c.stated, priced)
    return ZERO if row is None else divided(row[2], row[1])


def _newest(
    connection: sa.Connection,
    pool: Mapping[str, object],
    before: date | None,
    amount: sa.ColumnElement[Decimal],
    conditions: Iterable[sa.ColumnElement[bool]],
) -> tuple[int, Decimal, Decimal] | None:
    """Id, quantity and amount of the newest entry in cost order that still counts."""
    reversing = entry.alias()
    query = (
        sa.select(entry.c.id, entry.c.quantity, amount)
        .where(
            entry.c.ledger == "stock", entry.c.owner == 0, entry.c.mirror_of.is_(None),
            *conditions,
            *(entry.c[name] == value for name, value in pool.items()),
            ~sa.exists().where(reversing.c.mirror_of == entry.c.id),
        )
        .order_by(entry.c.biz_date.desc(), entry.c.id.desc())
        .limit(1)
    )  # fmt: skip
    if before is not None:
        query = query.where(entry.c.biz_date < before)
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1], row[2])
