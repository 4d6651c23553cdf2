"""Figures about products that decisions and the stock page ask for: totals over warehouses, last known unit costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import sqlalchemy as sa

from engine.values import divided
from runtime.storage.ledger_tables import balance, entry

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


def last_costs(connection: sa.Connection, products: Iterable[int]) -> Mapping[int, Decimal]:
    """Unit cost of the last valued stock move of each product; products never moved are absent."""
    latest = (
        sa.select(sa.func.max(entry.c.id).label("id"))
        .where(entry.c.ledger == "stock", entry.c.quantity != 0, entry.c.product.in_(sorted(set(products))))
        .group_by(entry.c.product)
        .subquery()
    )
    query = sa.select(entry.c.product, entry.c.quantity, entry.c.value).join(latest, latest.c.id == entry.c.id)
    return {row[0]: divided(row[2], row[1]) for row in connection.execute(query)}
