"""What a plan of the demo company is made of. Data only, and the codes AdventureWorks ids become."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from runtime.demo.source import Table

Tables: TypeAlias = Callable[[str], Table]
RowValues: TypeAlias = Mapping[str, str]

SHIPPING = "L07"  # Finished Goods Storage
RECEIVING = "L06"  # Miscellaneous Storage
UNIT = "件"
DAY = timedelta(days=1)


class Fate(StrEnum):
    """How far an order gets."""

    DRAFT = "draft"
    PENDING = "pending"
    REJECTED = "rejected"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """A line as ordered: product code, quantity in base units, price without tax."""

    product: str
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What came in or went out of a line: ``line`` counts from 0."""

    line: int
    quantity: Decimal
    rejected: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A purchase or a sales order and what became of it.

    Attributes:
        kind: ``purchase_order`` or ``sales_order``. partner, warehouse: codes. due: expected arrival or promised date.
        executed_on: day of the receipt or delivery, None while nothing moves. waits: that document is left unapproved.
        entered_late: days after ``executed_on`` that its document is written, dated back.
    """

    kind: str
    reference: str
    day: date
    due: date
    partner: str
    warehouse: str
    lines: tuple[OrderLine, ...]
    fate: Fate
    executed_on: date | None = None
    executed: tuple[Executed, ...] = ()
    waits: bool = False
    entered_late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Stock that moves without an order: a transfer into the shipping warehouse, or own production coming in."""

    kind: str
    day: date
    source: str
    target: str
    lines: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The company.

    Attributes:
        masters: forms and rows (text by field), in the order they must be imported.
        opening: rows of the opening stock sheet. opening_day: its date.
        orders, movements: sorted by day. today: the day after the last one.
    """

    masters: Sequence[tuple[str, Sequence[RowValues]]]
    opening: Sequence[RowValues]
    opening_day: date
    orders: tuple[Order, ...]
    movements: tuple[Movement, ...]
    today: date


def warehouse_code(location: str) -> str:
    """``7`` → ``L07``."""
    return f"L{location.rjust(2, '0')}"


def customer_code(key: str) -> str:
    """``11000`` → ``K11000``."""
    return f"K{key}"


def main_warehouses(tables: Tables) -> Mapping[str, str]:
    """Where most of a product lies, by AdventureWorks product id."""
    best: dict[str, tuple[int, str]] = {}
    for row in tables("ProductInventory"):
        found = (int(row["Quantity"]), warehouse_code(row["LocationID"]))
        best[row["ProductID"]] = max(best.get(row["ProductID"], found), found)
    return {product: warehouse for product, (_, warehouse) in best.items()}
