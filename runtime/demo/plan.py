"""AdventureWorks tables → the days of a company: master records, opening stock, and orders by date.

Pure apart from being handed tables: the same tables and day give the same plan. Dates are shifted so that the newest
order is of yesterday. Deliveries are planned against a running count of the stock, because an order that cannot be
filled stays open in the demo just as it would in life.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from runtime.demo.company import DAY, OrderLine, Plan, Tables, warehouse_code
from runtime.demo.masters import masters, opening
from runtime.demo.orders import late, production, purchases, sales, to_shipping, with_deliveries
from runtime.demo.tracking import Tracking

CENT = Decimal("0.01")


def plan(tables: Tables, today: date, purchase_count: int, sale_count: int, *, full: bool = False) -> Plan:
    """Plan a company whose newest orders are of the day before ``today``.

    Args:
        purchase_count, sale_count: how many orders of each kind, the newest ones.
        full: all of them, and production whenever finished goods run out.
    """
    bought = purchases(tables, today, None if full else purchase_count)
    sold = sales(tables, today, None if full else sale_count)
    opening_day = min(order.day for order in (*bought, *sold)) - DAY
    codes = {row["ProductID"]: row["ProductNumber"] for row in tables("Product")}
    stock: Counter[tuple[str, str]] = Counter()
    for row in tables("ProductInventory"):
        stock[codes[row["ProductID"]], warehouse_code(row["LocationID"])] += int(row["Quantity"])
    movements = to_shipping(stock, sold, opening_day)
    if full:
        movements += production(stock, sold)
    orders = with_deliveries(stock, sold, movements)
    return Plan(
        masters=masters(tables, sold),
        opening=opening(tables, Tracking(today, opening_day)),
        today=today,
        opening_day=opening_day,
        orders=tuple(
            sorted((*late(bought, today), *orders), key=lambda order: (order.day, order.kind, order.reference))
        ),
        movements=tuple(sorted(movements, key=lambda each: each.day)),
    )


def total_with_tax(lines: Sequence[OrderLine], rate: Decimal = Decimal(13)) -> Decimal:
    """Value of an order including tax, line by line as the form computes it."""
    amounts = [(line.quantity * line.price).quantize(CENT, ROUND_HALF_UP) for line in lines]
    return sum((each + (each * rate / 100).quantize(CENT, ROUND_HALF_UP) for each in amounts), Decimal(0))
