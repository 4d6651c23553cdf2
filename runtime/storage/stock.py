"""The stock page: levels per product and warehouse straight from the balances, paged by key.

One query finds the page of places, one fetches their figures in all ledgers and their cost pools; nothing reads
entries, so the page costs the same after a million of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeAlias

import sqlalchemy as sa

from engine.values import MONEY_SCALE, QUANTITY_SCALE, ZERO, divided, rounded
from runtime.storage import driver
from runtime.storage.app_tables import AppTables
from runtime.storage.column_types import unscaled
from runtime.storage.ledger_tables import balance, entry, lot
from runtime.storage.places import Clause, PlaceQuery, place_conditions
from runtime.storage.records import ids_where
from runtime.storage.stock_rows import EXPIRED_ROWS, USABLE

Quantities: TypeAlias = Mapping[tuple[str, int, int], Decimal]
Pools: TypeAlias = Mapping[tuple[int, int], tuple[Decimal, Decimal]]
LEDGERS = ("stock", "reservation", "supply")
FIGURES = (
    "SELECT ledger, grain, product, warehouse, quantity, value, aux FROM sys_balance"
    " WHERE grain IN ('place', 'cost', 'unusable') AND product {among}"
    f" AND ledger IN ({', '.join(map(repr, LEDGERS))})"
    " UNION ALL"
    " SELECT 'stock', 'expired', sys_balance.product, sys_balance.warehouse, sum(sys_balance.quantity), 0, NULL"
    f" FROM {EXPIRED_ROWS} GROUP BY sys_balance.product, sys_balance.warehouse"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Figures of one place, in base units; ``unusable`` and ``expired`` of what is on hand nobody may be promised;
    ``value`` is its share of the cost pool; ``aux`` the second quantity on hand."""

    product: int
    warehouse: int
    on_hand: Decimal
    unusable: Decimal
    expired: Decimal
    reserved: Decimal
    in_transit: Decimal
    value: Decimal
    aux: Decimal

    @property
    def available(self) -> Decimal:
        """可用量 = 现存量 − 不可用量 − 过期量 − 占用量."""
        return self.on_hand - self.unusable - self.expired - self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelQuery(PlaceQuery):
    """Which page of places. ``after``: (product, warehouse) of the last place of the page before; ``places``: decimals
    of money; ``today``: goods whose last good day is before it are expired."""

    today: date

    below_safety: str = ""
    nonzero: bool = True
    after: tuple[int, int] | None = None
    limit: int = 50
    places: int = 2


def levels(
    connection: sa.Connection, tables: AppTables, query: LevelQuery
) -> tuple[tuple[Level, ...], Mapping[int, Decimal]]:
    """A page of places, ordered by product and warehouse, one more than ``limit`` when there is a next page; and what
    is available of their products over all warehouses."""
    conditions = [balance.c.grain == "place", balance.c.ledger.in_(LEDGERS), *place_conditions(tables, query)]
    if query.nonzero:
        conditions.append(sa.or_(balance.c.quantity != 0, balance.c.aux != 0))
    if query.after is not None:
        product, warehouse = query.after
        conditions.append(
            sa.or_(balance.c.product > product, sa.and_(balance.c.product == product, balance.c.warehouse > warehouse))
        )
    if query.below_safety:
        conditions.append(balance.c.product.in_(_below_safety(tables, query)))
    page = (
        sa.select(balance.c.product, balance.c.warehouse)
        .where(*conditions)
        .group_by(balance.c.product, balance.c.warehouse)
        .order_by(balance.c.product, balance.c.warehouse)
        .limit(query.limit + 1)
    )
    return _figures(connection, [(row[0], row[1]) for row in connection.execute(page)], query)


def available_at(
    connection: sa.Connection, products: Collection[int], today: date
) -> Mapping[tuple[int, int], Decimal]:
    """Available quantity by product and warehouse; nothing for places where no goods ever were or were reserved."""
    return _available(_kept(connection, products, today).quantities) if products else {}


def _available(quantities: Quantities) -> Mapping[tuple[int, int], Decimal]:
    found: dict[tuple[int, int], Decimal] = {}
    for (what, product, warehouse), quantity in quantities.items():
        if what != "supply":
            place = (product, warehouse)
            found[place] = found.get(place, ZERO) + (quantity if what == "stock" else -quantity)
    return found


class _Kept(NamedTuple):
    """Quantities by what they are (a ledger, ``unusable``, ``expired``), product and warehouse; the cost pools; and
    second quantities by product and warehouse."""

    quantities: Quantities
    pools: Pools
    seconds: Mapping[tuple[int, int], Decimal]


def _kept(connection: sa.Connection, products: Iterable[int], today: date) -> _Kept:
    asked = driver.listed(connection, sorted(set(products)))
    sql = FIGURES.format(among=driver.among(connection), day=driver.placeholders(connection, 1))
    quantity: dict[tuple[str, int, int], Decimal] = {}
    pools: dict[tuple[int, int], tuple[Decimal, Decimal]] = {}
    seconds: dict[tuple[int, int], Decimal] = {}
    for ledger, grain, product, warehouse, number, amount, aux in driver.fetched(
        connection, sql, (asked, asked, asked, driver.day_value(connection, today))
    ):
        units, value = unscaled(number, QUANTITY_SCALE), unscaled(amount, MONEY_SCALE)
        if grain != "cost":
            quantity[ledger if grain == "place" else grain, product, warehouse] = units
            if aux and grain == "place":
                seconds[product, warehouse] = unscaled(aux, QUANTITY_SCALE)
        elif ledger == "stock":
            held, worth = pools.get((product, warehouse), (ZERO, ZERO))
            pools[product, warehouse] = (held + units, worth + value)
    return _Kept(quantity, pools, seconds)


def _figures(
    connection: sa.Connection, places: list[tuple[int, int]], query: LevelQuery
) -> tuple[tuple[Level, ...], Mapping[int, Decimal]]:
    if not places:
        return (), {}
    quantity, pools, seconds = _kept(connection, {product for product, _ in places}, query.today)
    available: dict[int, Decimal] = {}
    for (product, _), figure in _available(quantity).items():
        available[product] = available.get(product, ZERO) + figure
    levels = tuple(
        Level(
            product=product,
            warehouse=warehouse,
            on_hand=quantity.get(("stock", product, warehouse), ZERO),
            unusable=quantity.get(("unusable", product, warehouse), ZERO),
            expired=quantity.get(("expired", product, warehouse), ZERO),
            reserved=quantity.get(("reservation", product, warehouse), ZERO),
            in_transit=quantity.get(("supply", product, warehouse), ZERO),
            value=_share(quantity.get(("stock", product, warehouse), ZERO), pools, product, warehouse, query.places),
            aux=seconds.get((product, warehouse), ZERO),
        )
        for product, warehouse in places
    )
    return levels, available


def _share(
    on_hand: Decimal,
    pools: Mapping[tuple[int, int], tuple[Decimal, Decimal]],
    product: int,
    warehouse: int,
    decimals: int,
) -> Decimal:
    units, value = pools.get((product, warehouse)) or pools.get((product, 0)) or (ZERO, ZERO)
    if units == ZERO:
        return ZERO
    return value if on_hand == units else rounded(divided(value * on_hand, units), decimals)


def _below_safety(tables: AppTables, query: LevelQuery) -> sa.Select[tuple[int]]:
    """Products whose available quantity over all warehouses is below the field named ``below_safety``."""
    header = tables.forms[query.product_form]
    safety = header.rows.fields[query.below_safety]
    counts = sa.and_(balance.c.ledger == "stock", balance.c.grain == "place")
    signed = sa.case((counts, balance.c.quantity), else_=-balance.c.quantity)
    available = (
        sa.select(
            balance.c.product.label("product"), sa.func.sum(sa.type_coerce(signed, sa.BigInteger())).label("available")
        )
        .where(balance.c.grain.in_(("place", "unusable")), balance.c.ledger.in_(("stock", "reservation")))
        .group_by(balance.c.product)
        .subquery()
    )
    expired = (
        sa.select(
            balance.c.product.label("product"),
            sa.func.sum(sa.type_coerce(balance.c.quantity, sa.BigInteger())).label("expired"),
        )
        .join(lot, sa.and_(lot.c.product == balance.c.product, lot.c.lot == balance.c.lot))
        .where(sa.text(USABLE), lot.c.expires < query.today)
        .group_by(balance.c.product)
        .subquery()
    )
    left = sa.func.coalesce(available.c.available, 0) - sa.func.coalesce(expired.c.expired, 0)
    return (
        sa.select(header.header.c.id)
        .outerjoin(available, available.c.product == header.header.c.id)
        .outerjoin(expired, expired.c.product == header.header.c.id)
        .where(safety.is_not(None), sa.type_coerce(safety, sa.BigInteger()) > left)
    )


def among(tables: AppTables, warehouse_form: str, allowed: Clause) -> Clause:
    """The condition on entries whose warehouse is one of the allowed."""
    return entry.c.warehouse.in_(ids_where(tables, warehouse_form, allowed))
