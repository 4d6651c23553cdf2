"""What is available of the products a look-up found, told in all their units (可用量 3箱1瓶)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from engine.permissions import stock_measures
from runtime.facade.base_units import counted
from runtime.facade.door import Door
from runtime.facade.stock_rights import allowed
from runtime.storage import stock
from runtime.storage.records import record_ids


def available(door: Door, form: str, records: Collection[int]) -> Mapping[int, str]:
    """By record, how much of it is available in the warehouses the person sees stock of.

    Empty for records that are no products, and for whoever does not see what is available. Products no ledger knows
    are absent: a service has no stock, and nobody wants to read that of it.
    """
    kept, warehouses = door.bundle.app.dimensions.product, door.bundle.app.dimensions.warehouse
    if form != kept or warehouses is None or "available" not in stock_measures(door.bundle, door.actor):
        return {}
    with door.reading() as unit:
        found = stock.available_at(unit.connection, records, door.house.now().date())
        condition = allowed(door, unit, warehouses)
        if condition is not None:
            among = {warehouse for _, warehouse in found}
            seen = set(record_ids(unit.connection, unit.tables, warehouses, condition, among))
            found = {place: quantity for place, quantity in found.items() if place[1] in seen}
        totals: dict[int, Decimal] = {}
        for (product, _), quantity in found.items():
            totals[product] = totals.get(product, Decimal(0)) + quantity
        units = counted(door, unit, totals)
    return {product: units.told(product, quantity) for product, quantity in totals.items()}
