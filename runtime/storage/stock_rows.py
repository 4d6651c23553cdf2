"""Stock row by row: what lies in which bin, of which lot and serial number, in which status; and the dates of lots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.ledger.declared import UNUSABLE
from engine.values import QUANTITY_SCALE
from runtime.storage.column_types import unscaled
from runtime.storage.driver import among, day_value, fetched, listed, placeholders
from runtime.storage.ledger_tables import balance, lot

CHUNK = 500
COLUMNS = ("product", "warehouse", "bin", "lot", "serial", "status", "quantity")


@dataclass(frozen=True, slots=True)
class DetailRow:
    """A balance of the grain ``detail``; goods of others are left out."""

    product: int
    warehouse: int
    bin: int
    lot: str
    serial: str
    status: str
    quantity: Decimal


def detail_rows(
    connection: sa.Connection, places: Iterable[tuple[int, int]], *, pieces: bool = False
) -> tuple[DetailRow, ...]:
    """The rows at these places (product, warehouse) that hold something: one query.

    Args:
        pieces: as well those of which only a second quantity is left.
    """
    wanted = set(places)
    held = balance.c.quantity > Decimal(0)
    if pieces:
        held = sa.or_(held, sa.and_(balance.c.quantity == Decimal(0), balance.c.aux != Decimal(0)))
    products = sorted({product for product, _ in wanted})
    found: list[DetailRow] = []
    for start in range(0, len(products), CHUNK):
        query = sa.select(*(balance.c[name] for name in COLUMNS)).where(
            balance.c.grain == "detail",
            balance.c.ledger == "stock",
            balance.c.product.in_(products[start : start + CHUNK]),
            balance.c.warehouse.in_(sorted({warehouse for _, warehouse in wanted})),
            balance.c.owner == 0,
            held,
        )
        found += [DetailRow(*row) for row in connection.execute(query) if (row[0], row[1]) in wanted]
    return tuple(found)


# Balances that are our own goods of a lot in a status that may be used.
USABLE = (
    "sys_balance.grain = 'detail' AND sys_balance.ledger = 'stock' AND sys_balance.owner = 0 AND sys_balance.lot <> ''"
    f" AND sys_balance.status NOT IN ({', '.join(repr(status) for status in sorted(UNUSABLE))})"
    " AND sys_balance.quantity > 0"
)
OF_PRODUCTS: sa.BindParameter[int] = sa.bindparam("products", expanding=True)
DATED = (
    sa.select(balance.c.product, balance.c.warehouse, lot.c.expires, sa.func.sum(balance.c.quantity))
    .join(lot, sa.and_(lot.c.product == balance.c.product, lot.c.lot == balance.c.lot))
    .where(sa.text(USABLE), balance.c.product.in_(OF_PRODUCTS), lot.c.expires.is_not(None))
    .group_by(balance.c.product, balance.c.warehouse, lot.c.expires)
    .order_by(lot.c.expires)
)
# Said of both tables, else PostgreSQL reads every lot there is when it knows no better.
EXPIRED_ROWS = (
    "sys_balance JOIN sys_lot ON sys_lot.product = sys_balance.product AND sys_lot.lot = sys_balance.lot"
    f" WHERE {USABLE} AND sys_balance.product {{among}} AND sys_lot.product {{among}} AND sys_lot.expires < {{day}}"
)
EXPIRED = (
    f"SELECT sys_balance.product, sys_balance.warehouse, sum(sys_balance.quantity) FROM {EXPIRED_ROWS}"
    " GROUP BY sys_balance.product, sys_balance.warehouse"
)


def dated_stock(
    connection: sa.Connection, products: Iterable[int]
) -> Mapping[tuple[int, int], tuple[tuple[date, Decimal], ...]]:
    """Last good day and quantity of usable goods whose lot has one, by (product, warehouse), the earliest first."""
    wanted = sorted(set(products))
    found: dict[tuple[int, int], list[tuple[date, Decimal]]] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = connection.execute(DATED, {"products": wanted[start : start + CHUNK]})
        for product, warehouse, expires, quantity in rows:
            found.setdefault((product, warehouse), []).append((expires, quantity))
    return {place: tuple(rows) for place, rows in found.items()}


def expired_stock(connection: sa.Connection, products: Iterable[int], today: date) -> Mapping[tuple[int, int], Decimal]:
    """Usable goods past the last good day of their lot (过期), by (product, warehouse): on hand, never available."""
    wanted = listed(connection, sorted(set(products)))
    sql = EXPIRED.format(among=among(connection), day=placeholders(connection, 1))
    rows = fetched(connection, sql, (wanted, wanted, day_value(connection, today)))
    return {(product, warehouse): unscaled(quantity, QUANTITY_SCALE) for product, warehouse, quantity in rows}


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
