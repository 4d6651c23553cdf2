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
