"""AdventureWorks orders → what the company orders, sells, moves and ships, day by day. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from runtime.demo.company import (
    DAY,
    RECEIVING,
    SHIPPING,
    Executed,
    Fate,
    Movement,
    Order,
    OrderLine,
    RowValues,
    Tables,
    customer_code,
    main_warehouses,
)

WAITING_PURCHASES = 12  # the newest pending purchase orders stay in approval
DRAFT_SALES, WAITING_DELIVERIES = 6, 15
PROMISED = 10 * DAY
FEW = 5
EVERY_LATE, LATE = 15, 4
STATUS_PENDING, STATUS_APPROVED, STATUS_REJECTED = "1", "2", "3"


def purchases(tables: Tables, today: date, count: int | None) -> tuple[Order, ...]:
    """The newest ``count`` purchase orders (all when None), dates shifted, with their receipts."""
    lines: defaultdict[str, list[RowValues]] = defaultdict(list)
    for row in tables("PurchaseOrderDetail"):
        lines[row["PurchaseOrderID"]].append(row)
    codes = {row["ProductID"]: row["ProductNumber"] for row in tables("Product")}
    vendors = {row["BusinessEntityID"]: row["AccountNumber"] for row in tables("Vendor")}
    main = main_warehouses(tables)
    headers = sorted(tables("PurchaseOrderHeader"), key=lambda row: (row["OrderDate"], int(row["PurchaseOrderID"])))
    headers = headers[-count:] if count else headers
    shift = today - DAY - _last_busy_day(headers)
    waiting = {row["PurchaseOrderID"] for row in headers if row["Status"] == STATUS_PENDING}
    waiting = set(sorted(waiting, key=int)[-WAITING_PURCHASES:])
    orders = []
    for header in headers:
        reference, status = header["PurchaseOrderID"], header["Status"]
        details = lines[reference]
        fate = Fate.APPROVED
        if status == STATUS_REJECTED:
            fate = Fate.REJECTED
        elif reference in waiting:
            fate = Fate.PENDING
        done = fate is Fate.APPROVED and status not in (STATUS_PENDING, STATUS_APPROVED)
        received = date.fromisoformat(header["ShipDate"] or header["OrderDate"]) + shift
        executed = tuple(
            Executed(line=index, quantity=Decimal(row["StockedQty"]), rejected=Decimal(row["RejectedQty"]))
            for index, row in enumerate(details)
            if Decimal(row["StockedQty"]) > 0
        )
        orders.append(
            Order(
                kind="purchase_order",
                reference=reference.rjust(6, "0"),
                day=min(date.fromisoformat(header["OrderDate"]) + shift, today - DAY),
                due=max(date.fromisoformat(row["DueDate"]) for row in details) + shift,
                partner=vendors[header["VendorID"]],
                warehouse=main.get(details[0]["ProductID"], RECEIVING),
                lines=tuple(
                    OrderLine(
                        product=codes[row["ProductID"]],
                        quantity=Decimal(row["OrderQty"]),
                        price=Decimal(row["UnitPrice"]),
                    )
                    for row in details
                ),
                fate=fate,
                executed_on=min(received, today - DAY) if done and executed else None,
                executed=executed if done else (),
            )
        )
    return tuple(orders)


def _last_busy_day(headers: Sequence[RowValues]) -> date:
    """The newest day with more than a handful of orders; a straggler months later does not set the clock."""
    days = Counter(row["OrderDate"] for row in headers)
    busy = [day for day, count in days.items() if count >= FEW]
    return date.fromisoformat(max(busy or days))


def sales(tables: Tables, today: date, count: int | None) -> tuple[Order, ...]:
    """Orders without their deliveries; those depend on the stock."""
    products = {row["ProductKey"]: (row["ProductSKU"], Decimal(row["ProductPrice"])) for row in tables("SalesProducts")}
    lines: defaultdict[tuple[date, str], list[RowValues]] = defaultdict(list)
    days: dict[str, date] = {}
    for row in tables("SalesOrders"):
        day = days.get(row["OrderDate"])
        if day is None:
            day = days[row["OrderDate"]] = datetime.strptime(row["OrderDate"], "%m/%d/%Y").date()
        lines[day, row["OrderNumber"]].append(row)
    keys = sorted(lines)
    keys = keys[-count:] if count else keys
    shift = today - DAY - keys[-1][0]
    drafts = set(keys[-DRAFT_SALES:])
    return tuple(
        Order(
            kind="sales_order",
            reference=key[1],
            day=key[0] + shift,
            due=key[0] + shift + PROMISED,
            partner=customer_code(lines[key][0]["CustomerKey"]),
            warehouse=SHIPPING,
            lines=tuple(
                OrderLine(
                    product=products[row["ProductKey"]][0],
                    quantity=Decimal(row["OrderQuantity"]),
                    price=products[row["ProductKey"]][1],
                )
                for row in lines[key]
            ),
            fate=Fate.DRAFT if key in drafts else Fate.APPROVED,
        )
        for key in keys
    )


def to_shipping(stock: Counter[tuple[str, str]], sold: Sequence[Order], day: date) -> list[Movement]:
    """Goods that are sold but kept elsewhere are brought to the shipping warehouse on the first day."""
    wanted = {line.product for order in sold for line in order.lines}
    moved: defaultdict[str, list[tuple[str, Decimal]]] = defaultdict(list)
    for (product, warehouse), quantity in sorted(stock.items()):
        if product in wanted and warehouse != SHIPPING and quantity and not stock[product, SHIPPING]:
            moved[warehouse].append((product, Decimal(quantity)))
    for warehouse, lines in moved.items():
        for product, brought in lines:
            stock[product, warehouse] -= int(brought)
            stock[product, SHIPPING] += int(brought)
    return [
        Movement(kind="transfer", day=day, source=warehouse, target=SHIPPING, lines=tuple(lines))
        for warehouse, lines in sorted(moved.items())
    ]


def production(stock: Counter[tuple[str, str]], sold: Sequence[Order]) -> list[Movement]:
    """What production delivers on the first of every month: the month's demand less what is left."""
    demand: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for order in sold:
        for line in order.lines:
            demand[order.day.replace(day=1)][line.product] += int(line.quantity)
    left = Counter({product: quantity for (product, warehouse), quantity in stock.items() if warehouse == SHIPPING})
    first = min(order.day for order in sold)
    made = []
    for month in sorted(demand):
        missing = {product: need - left[product] for product, need in demand[month].items() if need > left[product]}
        left.update(missing)
        left.subtract(demand[month])
        if missing:
            lines = tuple((product, Decimal(quantity)) for product, quantity in sorted(missing.items()))
            made.append(Movement(kind="other_receipt", day=max(month, first), source="", target=SHIPPING, lines=lines))
    return made


def with_deliveries(
    stock: Counter[tuple[str, str]], sold: Sequence[Order], movements: Sequence[Movement]
) -> tuple[Order, ...]:
    """The orders with what can be delivered of each, in order of date: what is there, never more."""
    free = Counter({product: quantity for (product, warehouse), quantity in stock.items() if warehouse == SHIPPING})
    made = sorted((each for each in movements if each.kind == "other_receipt"), key=lambda each: each.day)
    approved = [order for order in sold if order.fate is Fate.APPROVED]
    waiting = {order.reference for order in approved[-WAITING_DELIVERIES:]}
    last_day = sold[-1].day
    result = []
    for order in sold:
        while made and made[0].day <= order.day:
            for product, quantity in made.pop(0).lines:
                free[product] += int(quantity)
        executed = []
        for index, line in enumerate(order.lines if order.fate is Fate.APPROVED else ()):
            taken = min(int(line.quantity), free[line.product])
            if taken > 0:
                free[line.product] -= taken
                executed.append(Executed(line=index, quantity=Decimal(taken)))
        result.append(
            replace(
                order,
                executed_on=min(order.day + DAY, last_day) if executed else None,
                executed=tuple(executed),
                waits=order.reference in waiting,
            )
        )
    return tuple(result)


def late(bought: Sequence[Order], today: date) -> tuple[Order, ...]:
    """Every so many receipts one is written days after the goods came, and dated back to that day."""
    done = [order.reference for order in bought if order.executed_on is not None]
    tardy = set(done[::EVERY_LATE])
    return tuple(
        replace(order, entered_late=min(LATE, (today - DAY - order.executed_on).days))
        if order.reference in tardy and order.executed_on is not None
        else order
        for order in bought
    )
