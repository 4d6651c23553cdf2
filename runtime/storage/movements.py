"""Stock movements by month from the month balances alone: no entry is read, whatever the number of months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from engine.values import MONEY_SCALE, QUANTITY_SCALE
from runtime.storage.app_tables import AppTables
from runtime.storage.column_types import Scaled
from runtime.storage.ledger_tables import balance
from runtime.storage.places import PlaceQuery, place_conditions

Place = tuple[int, int]  # product, warehouse (0: all together)
OPENING = ""
QUANTITY = sa.func.sum(balance.c.quantity, type_=Scaled(QUANTITY_SCALE))
AUX = sa.func.coalesce(sa.func.sum(balance.c.aux), 0, type_=Scaled(QUANTITY_SCALE))
VALUE = sa.func.sum(balance.c.value, type_=Scaled(MONEY_SCALE))


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthQuery(PlaceQuery):
    """Which months (``YYYYMM``, both included), of what.

    Attributes:
        by_warehouse: a row per product and warehouse; else per product.
        after: place of the last row of the page before.
    """

    since: int
    until: int
    by_warehouse: bool = False
    after: Place | None = None
    limit: int = 50


def moved_places(connection: sa.Connection, tables: AppTables, query: MonthQuery) -> Sequence[Place]:
    """A page of places that held or moved something, one more than ``limit`` when there is a next page."""
    keys = _keys(query)
    conditions = _conditions(tables, query)
    if query.after is not None:
        product, warehouse = query.after
        further = balance.c.product > product
        if query.by_warehouse:
            further = sa.or_(further, sa.and_(balance.c.product == product, balance.c.warehouse > warehouse))
        conditions.append(further)
    within = sa.func.sum(sa.case((balance.c.month >= query.since, 1), else_=0))
    found = (
        sa.select(*keys)
        .where(*conditions)
        .group_by(*keys)
        .having(sa.or_(within > 0, QUANTITY != 0, VALUE != 0, AUX != 0))
        .order_by(*keys)
        .limit(query.limit + 1)
    )
    return [(row[0], row[1] if query.by_warehouse else 0) for row in connection.execute(found)]


def month_sums(
    connection: sa.Connection, tables: AppTables, query: MonthQuery, places: Sequence[Place] | None
) -> Mapping[Place, Mapping[str, tuple[Decimal, Decimal, Decimal]]]:
    """By place, quantity, value and second quantity of the opening (key ``""``) and of every move type in the
    months.

    Args:
        places: only these; None: all together under the place (0, 0).
    """
    bucket = sa.case((balance.c.month < query.since, OPENING), else_=balance.c.move).label("bucket")
    keys = [] if places is None else _keys(query)
    conditions = _conditions(tables, query)
    if places is not None:
        conditions.append(balance.c.product.in_(sorted({product for product, _ in places})))
    rows = connection.execute(sa.select(*keys, bucket, QUANTITY, VALUE, AUX).where(*conditions).group_by(*keys, bucket))
    wanted = None if places is None else set(places)
    found: dict[Place, dict[str, tuple[Decimal, Decimal, Decimal]]] = {}
    for *key, name, quantity, value, aux in rows:
        place = (0, 0) if not key else (key[0], key[1] if query.by_warehouse else 0)
        if wanted is None or place in wanted:
            found.setdefault(place, {})[name] = (quantity, value, aux)
    return found


def _keys(query: MonthQuery) -> list[sa.Column[int]]:
    return [balance.c.product, balance.c.warehouse] if query.by_warehouse else [balance.c.product]


def _conditions(tables: AppTables, query: MonthQuery) -> list[sa.ColumnElement[bool]]:
    return [
        balance.c.ledger == "stock", balance.c.grain == "month", balance.c.month <= query.until,
        *place_conditions(tables, query),
    ]  # fmt: skip
