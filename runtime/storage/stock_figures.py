"""Figures about products that decisions and the stock page ask for: totals over warehouses, last known unit costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import sqlalchemy as sa

from runtime.storage.ledger_tables import balance

UNUSABLE = "unusable"
TOTALS = (
    sa.select(balance.c.ledger, balance.c.grain, balance.c.product, sa.func.sum(balance.c.quantity))
    .where(
        balance.c.ledger.in_(sa.bindparam("ledgers", expanding=True)),
        balance.c.grain.in_(("place", UNUSABLE)),
        balance.c.product.in_(sa.bindparam("products", expanding=True)),
    )
    .group_by(balance.c.ledger, balance.c.grain, balance.c.product)
)


def totals(
    connection: sa.Connection, products: Iterable[int], ledgers: Iterable[str]
) -> Mapping[tuple[str, int], Decimal]:
    """Quantity by (ledger, product) over all warehouses, from the balances; what of the stock nobody may be promised
    stands under (``unusable``, product)."""
    asked = {"ledgers": sorted(ledgers), "products": sorted(set(products))}
    return {
        (grain if grain == UNUSABLE else ledger, product): quantity
        for ledger, grain, product, quantity in connection.execute(TOTALS, asked)
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
