"""Which places (product and warehouse) are asked for: what every page about stock can be narrowed by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import sqlalchemy as sa

from runtime.storage.app_tables import AppTables
from runtime.storage.ledger_tables import balance
from runtime.storage.records import contains, ids_where
from runtime.storage.search_text import terms

Clause: TypeAlias = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceQuery:
    """Which places.

    Attributes:
        product_form, warehouse_form: the forms that play these parts. product, warehouse: only this one.
        warehouses: a condition on the warehouse record. search: words about the product.
    """

    product_form: str
    warehouse_form: str
    product: int | None = None
    warehouse: int | None = None
    warehouses: Clause | None = None
    search: str = ""


def place_conditions(tables: AppTables, query: PlaceQuery) -> list[Clause]:
    """The conditions on balances that ``query`` asks for; none for one that asks for every place."""
    found: list[Clause] = []
    if query.product is not None:
        found.append(balance.c.product == query.product)
    if query.warehouse is not None:
        found.append(balance.c.warehouse == query.warehouse)
    if query.warehouses is not None:
        found.append(balance.c.warehouse.in_(ids_where(tables, query.warehouse_form, query.warehouses)))
    if query.search:
        products = tables.forms[query.product_form].header
        hits = (contains(products.c.search, term) for term in terms(query.search))
        found.append(balance.c.product.in_(ids_where(tables, query.product_form, *hits)))
    return found
