"""Products by what the stock ledger says of them in one warehouse: what lies there, what moved since a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from engine.document import DocStatus
from runtime.storage.app_tables import AppTables
from runtime.storage.ledger_tables import balance, entry
from runtime.storage.places import Clause
from runtime.storage.records import header_column

STOCK = "stock"


def stocked_products(
    connection: sa.Connection,
    tables: AppTables,
    form: str,
    warehouse: int,
    since: date | None,
    conditions: Iterable[Clause],
) -> tuple[tuple[int, bool], ...]:
    """Identity of each product, and whether it is disabled, in the order of the natural key.

    Args:
        form: the form of products. since: what moved on that day or later; None: what is on hand.
        conditions: on the product's record.
    """
    of_form = tables.forms[form]
    header = of_form.header
    natural = of_form.form.definition.keys[:1]
    order = [header_column(of_form, name) for key in natural for name in key]
    there = _on_hand(header.c.id, warehouse) if since is None else _moved(header.c.id, warehouse, since)
    query = sa.select(header.c.id, header.c.doc_status).where(there, *conditions).order_by(*order, header.c.id)
    return tuple((identity, status == DocStatus.DISABLED) for identity, status in connection.execute(query))


def _on_hand(product: sa.Column[int], warehouse: int) -> Clause:
    """Anything booked that is not zero: below zero as well, and lots that are so only together."""
    return sa.exists().where(
        balance.c.ledger == STOCK,
        balance.c.grain.in_(("place", "detail")),
        balance.c.product == product,
        balance.c.warehouse == warehouse,
        balance.c.owner == 0,
        sa.or_(balance.c.quantity != 0, balance.c.aux != 0),
    )


def _moved(product: sa.Column[int], warehouse: int, since: date) -> Clause:
    """Entries that only tell a cost move nothing."""
    return sa.exists().where(
        entry.c.ledger == STOCK,
        entry.c.product == product,
        entry.c.biz_date >= since,
        entry.c.warehouse == warehouse,
        entry.c.owner == 0,
        entry.c.quantity != 0,
    )
