"""Where the goods of a place are: by bin, lot, serial number and status, straight from the balances, with lot dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from runtime.storage.app_tables import AppTables
from runtime.storage.ledger_tables import balance, lot
from runtime.storage.places import PlaceQuery, place_conditions
from runtime.storage.records import contains

PLACES: sa.BindParameter[Any] = sa.bindparam("products", expanding=True)
HELD = sa.or_(balance.c.quantity != 0, balance.c.aux != 0)
DETAILS = (
    sa.select(balance.c.product, balance.c.warehouse, sa.func.count())
    .where(balance.c.ledger == "stock", balance.c.grain == "detail", HELD, balance.c.product.in_(PLACES))
    .group_by(balance.c.product, balance.c.warehouse)
)
NEVER = date(9999, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Goods of one lot, serial number and status in one bin; ``quantity`` in base units, ``aux`` the second one. Empty
    text and 0: not kept."""

    key: str
    product: int
    warehouse: int
    bin: int
    lot: str
    serial: str
    status: str
    quantity: Decimal
    aux: Decimal | None
    made: date | None
    expires: date | None
    received: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailQuery(PlaceQuery):
    """Which goods.

    Attributes:
        lot: part of a lot number or of a serial number. status: exactly this one, ``ok`` for goods without one.
        expires_by: only lots whose last good day is this one or before. offset: rows of the pages before.
    """

    lot: str = ""
    status: str = ""
    expires_by: date | None = None
    offset: int = 0
    limit: int = 50


def detailed_places(connection: sa.Connection, products: Iterable[int]) -> Mapping[tuple[int, int], int]:
    """How many lots, bins and so on there are to tell apart, by (product, warehouse)."""
    wanted = sorted(set(products))
    return {(row[0], row[1]): row[2] for row in connection.execute(DETAILS, {"products": wanted})} if wanted else {}


def details(connection: sa.Connection, tables: AppTables, query: DetailQuery) -> tuple[Detail, ...]:
    """A page of details, those that expire first at the head of their product; one more than ``limit`` when there is a
    next page."""
    c = balance.c
    conditions = [c.ledger == "stock", c.grain == "detail", HELD, *place_conditions(tables, query)]
    if query.lot:
        wanted = query.lot.lower()
        conditions.append(sa.or_(*(contains(sa.func.lower(each), wanted) for each in (c.lot, c.serial))))
    if query.status:
        conditions.append(c.status == ("" if query.status == "ok" else query.status))
    if query.expires_by is not None:
        conditions.append(lot.c.expires <= query.expires_by)
    known = sa.and_(lot.c.product == c.product, lot.c.lot == c.lot)
    rows = connection.execute(
        sa.select(
            c.key, c.product, c.warehouse, c.bin, c.lot, c.serial, c.status, c.quantity, c.aux,
            lot.c.made, lot.c.expires, lot.c.received,
        )
        .select_from(balance.outerjoin(lot, known))
        .where(*conditions)
        .order_by(
            c.product, c.warehouse, sa.func.coalesce(lot.c.expires, sa.literal(NEVER, sa.Date())), c.lot, c.bin, c.key
        )
        .offset(query.offset)
        .limit(query.limit + 1)
    )  # fmt: skip
    return tuple(Detail(**row) for row in rows.mappings())
