"""Stock row by row: what lies in which bin, of which lot and serial number, in which status; and the dates of lots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.ledger.declared import UNUSABLE
from runtime.storage.ledger_tables import balance, lot

CHUNK = 500
COLUMNS = ("product", "warehouse", "bin", "lot", "serial", "status", "quantity")


@dataclass(frozen=True, slots=True)
class DetailRow:
    """A positive balance of the grain ``detail``; goods of others are left out."""

    product: int
    warehouse: int
    bin: int
    lot: str
    serial: str
    status: str
    quantity: Decimal


def detail_rows(connection: sa.Connection, places: Iterable[tuple[int, int]]) -> tuple[DetailRow, ...]:
    """The rows at these places (product, warehouse): one query."""
    wanted = set(places)
    products = sorted({product for product, _ in wanted})
    found: list[DetailRow] = []
    for start in range(0, len(products), CHUNK):
        query = sa.select(*(balance.c[name] for name in COLUMNS)).where(
            balance.c.grain == "detail",
            balance.c.ledger == "stock",
            balance.c.product.in_(products[start : start + CHUNK]),
            balance.c.warehouse.in_(sorted({warehouse for _, warehouse in wanted})),
            balance.c.owner == 0,
            balance.c.quantity > Decimal(0),
        )
        found += [DetailRow(*row) for row in connection.execute(query) if (row[0], row[1]) in wanted]
    return tuple(found)


def usable_details() -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions on balances that are our own goods of a lot in a status that may be used."""
    return (
        balance.c.grain == "detail",
        balance.c.ledger == "stock",
        balance.c.owner == 0,
        balance.c.lot != "",
        balance.c.status.not_in(sorted(UNUSABLE)),
        balance.c.quantity > Decimal(0),
    )


OF_PRODUCTS: sa.BindParameter[int] = sa.bindparam("products", expanding=True)
BY_LAST_DAY = (
    sa.select(balance.c.product, balance.c.warehouse, lot.c.expires, sa.func.sum(balance.c.quantity))
    .join(lot, sa.and_(lot.c.product == balance.c.product, lot.c.lot == balance.c.lot))
    # Said of both tables, else PostgreSQL reads every lot there is when it knows no better.
    .where(*usable_details(), balance.c.product.in_(OF_PRODUCTS), lot.c.product.in_(OF_PRODUCTS))
    .group_by(balance.c.product, balance.c.warehouse, lot.c.expires)
    .order_by(lot.c.expires)
)
DATED = BY_LAST_DAY.where(lot.c.expires.is_not(None))
EXPIRED = BY_LAST_DAY.where(lot.c.expires < sa.bindparam("before"))


def dated_stock(
    connection: sa.Connection, products: Iterable[int], before: date | None = None
) -> Mapping[tuple[int, int], tuple[tuple[date, Decimal], ...]]:
    """Last good day and quantity of usable goods whose lot has one, by (product, warehouse), the earliest first.

    Args:
        before: only goods whose last good day is before this one, that is expired on it.
    """
    wanted = sorted(set(products))
    query, day = (DATED, {}) if before is None else (EXPIRED, {"before": before})
    found: dict[tuple[int, int], list[tuple[date, Decimal]]] = {}
    for start in range(0, len(wanted), CHUNK):
        asked = {"products": wanted[start : start + CHUNK], **day}
        for product, warehouse, expires, quantity in connection.execute(query, asked):
            found.setdefault((product, warehouse), []).append((expires, quantity))
    return {place: tuple(rows) for place, rows in found.items()}


def expired_stock(connection: sa.Connection, products: Iterable[int], today: date) -> Mapping[tuple[int, int], Decimal]:
    """Usable goods past the last good day of their lot (过期), by (product, warehouse): on hand, never available."""
    rows = dated_stock(connection, products, today)
    return {place: sum((quantity for _, quantity in each), Decimal(0)) for place, each in rows.items()}


def lots_of(
    connection: sa.Connection, keys: Iterable[tuple[int, str]]
) -> Mapping[tuple[int, str], tuple[date | None, date | None, date]]:
    """Made, expires and received of the lots, by (product, lot)."""
    wanted = sorted({key for key in keys if key[1]})
    found: dict[tuple[int, str], tuple[date | None, date | None, date]] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        query = sa.select(lot.c.product, lot.c.lot, lot.c.made, lot.c.expires, lot.c.received).where(
            sa.tuple_(lot.c.product, lot.c.lot).in_(chunk)
        )
        found.update({(row[0], row[1]): (row[2], row[3], row[4]) for row in connection.execute(query)})
    return found
