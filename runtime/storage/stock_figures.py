"""Figures about products that decisions and the stock page ask for: totals over warehouses, last known unit costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.values import QUANTITY_SCALE
from runtime.storage.column_types import unscaled
from runtime.storage.driver import among, day_value, fetched, listed, placeholders
from runtime.storage.ledger_tables import balance
from runtime.storage.stock_rows import EXPIRED_ROWS

UNUSABLE = "unusable"
TOTALS = (
    "SELECT ledger, grain, product, sum(quantity) FROM sys_balance"
    f" WHERE grain IN ('place', '{UNUSABLE}') AND product {{among}} AND ledger {{among}}"
    " GROUP BY ledger, grain, product"
)
EXPIRED = "expired"
WITH_EXPIRED = (
    f"{TOTALS} UNION ALL SELECT sys_balance.ledger, '{EXPIRED}', sys_balance.product, sum(sys_balance.quantity)"
    f" FROM {EXPIRED_ROWS} GROUP BY sys_balance.ledger, sys_balance.product"
)


def totals(
    connection: sa.Connection, products: Iterable[int], ledgers: Iterable[str], today: date
) -> Mapping[tuple[str, int], Decimal]:
    """Quantity by (ledger, product) over all warehouses, from the balances; what of the stock nobody may be promised
    stands under (``unusable``, product), what has passed its last good day under (``expired``, product)."""
    wanted = listed(connection, sorted(set(products)))
    sql = WITH_EXPIRED.format(among=among(connection), day=placeholders(connection, 1))
    asked = (wanted, listed(connection, sorted(ledgers)), wanted, wanted, day_value(connection, today))
    return {
        (ledger if grain == "place" else grain, product): unscaled(quantity, QUANTITY_SCALE)
        for ledger, grain, product, quantity in fetched(connection, sql, asked)
    }


def at_places(connection: sa.Connection, places: Iterable[tuple[int, int]]) -> Mapping[tuple[int, int], Decimal]:
    """Stock on hand by (product, warehouse); nothing for a place nobody ever moved goods at."""
    wanted = set(places)
    query = sa.select(balance.c.product, balance.c.warehouse, balance.c.quantity).where(
        balance.c.ledger == "stock",
        balance.c.grain == "place",
        balance.c.product.in_(sorted({product for product, _ in wanted})),
    )
    rows = connection.execute(query).all() if wanted else ()
    return {(row[0], row[1]): row[2] for row in rows if (row[0], row[1]) in wanted}
