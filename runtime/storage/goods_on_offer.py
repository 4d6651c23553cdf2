"""What is available of some products, by place, as the stock page counts it; for look-ups that name many products."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.values import ZERO
from runtime.storage.ledger_tables import balance
from runtime.storage.stock_rows import expired_stock

COUNTED = sa.or_(
    sa.and_(balance.c.ledger == "stock", balance.c.grain.in_(("place", "unusable"))),
    sa.and_(balance.c.ledger == "reservation", balance.c.grain == "place"),
)


def available(connection: sa.Connection, products: Collection[int], today: date) -> Mapping[tuple[int, int], Decimal]:
    """可用量 in base units by product and warehouse; nothing for goods no ledger knows.

    Args:
        today: goods whose last good day is before it are not available.
    """
    query = sa.select(
        balance.c.ledger, balance.c.grain, balance.c.product, balance.c.warehouse, balance.c.quantity
    ).where(COUNTED, balance.c.product.in_(sorted(products)))
    found: dict[tuple[int, int], Decimal] = {}
    for ledger, grain, product, warehouse, quantity in connection.execute(query) if products else ():
        there = ledger == "stock" and grain == "place"
        found[product, warehouse] = found.get((product, warehouse), ZERO) + (quantity if there else -quantity)
    for place, quantity in (expired_stock(connection, {each for each, _ in found}, today) if found else {}).items():
        found[place] = found.get(place, ZERO) - quantity
    return found
