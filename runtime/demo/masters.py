"""Master records and opening stock of the demo company, as rows an import takes: text by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from runtime.demo import tracking
from runtime.demo.company import UNIT, Order, RowValues, Tables, customer_code, main_warehouses, warehouse_code

KEPT = ("L01", "L06", "L07", "L50")  # the storekeeper's warehouses


def masters(tables: Tables, sold: Sequence[Order]) -> Sequence[tuple[str, Sequence[RowValues]]]:
    """Forms and their rows, in the order they must be imported; only the customers of the orders that are replayed."""
    groups = {row["ProductCategoryID"]: row["Name"] for row in tables("ProductCategory")}
    prices = {row["ProductID"]: row for row in sorted(tables("ProductVendor"), key=lambda row: row["BusinessEntityID"])}
    vendors = {row["BusinessEntityID"]: row["AccountNumber"] for row in tables("Vendor")}
    buyers = {order.partner for order in sold}
    regions = _regions(tables)
    main = main_warehouses(tables)
    return (
        ("unit", [{"name": UNIT}, {"name": "箱"}, {"name": "打"}]),
        (
            "product_category",
            [
                {"code": "C9", "name": "Parts"},
                *({"code": f"C{key}", "name": name} for key, name in groups.items()),
            ],
        ),
        (
            "product_category",
            [
                {
                    "code": f"C{row['ProductCategoryID']}{row['ProductSubcategoryID'].rjust(2, '0')}",
                    "name": row["Name"],
                    "parent": f"C{row['ProductCategoryID']}",
                }
                for row in tables("ProductSubcategory")
            ],
        ),
        ("warehouse", [{"code": tracking.TRANSIT, "name": "In transit", "type": "transit"}]),
        (
            "warehouse",
            [
                {
                    **tracking.warehouse_fields(warehouse_code(row["LocationID"])),
                    "code": warehouse_code(row["LocationID"]),
                    "name": row["Name"],
                    **({"keeper": "keeper"} if warehouse_code(row["LocationID"]) in KEPT else {}),
                }
                for row in tables("Location")
            ],
        ),
        (
            "bin",
            [
                {"code": code, "warehouse": tracking.BINNED, "zone": code[-3], "pick_seq": str(number)}
                for number, code in enumerate(tracking.BINS, start=1)
            ],
        ),
        (
            "supplier",
            [
                {
                    "code": row["AccountNumber"],
                    "name": row["Name"],
                    "level": "a" if row["CreditRating"] == "1" else "b" if row["CreditRating"] == "2" else "c",
                    "standing": "qualified" if row["ActiveFlag"] == "1" else "trial",
                }
                for row in tables("Vendor")
            ],
        ),
        (
            "customer",
            [
                {
                    "code": customer_code(row["CustomerKey"]),
                    "name": f"{row['FirstName'].title()} {row['LastName'].title()}",
                    "category": "retail",
                    "salesperson": "sales",
                    "region": regions.get(customer_code(row["CustomerKey"]), ""),
                }
                for row in tables("SalesCustomers")
                if customer_code(row["CustomerKey"]) in buyers
            ],
        ),
        ("product", [_product(row, prices.get(row["ProductID"]), vendors, main, tables) for row in tables("Product")]),
    )


def _product(
    row: RowValues, price: RowValues | None, vendors: Mapping[str, str], main: Mapping[str, str], tables: Tables
) -> RowValues:
    category = next(
        (
            f"C{each['ProductCategoryID']}{each['ProductSubcategoryID'].rjust(2, '0')}"
            for each in tables("ProductSubcategory")
            if each["ProductSubcategoryID"] == row["ProductSubcategoryID"]
        ),
        "C9",
    )
    made = row["MakeFlag"] == "1"
    values = {
        "code": row["ProductNumber"],
        "name": row["Name"],
        "category": category,
        "item_type": "finished" if row["FinishedGoodsFlag"] == "1" else "semi" if made else "raw",
        "spec": " ".join(part for part in (row["Color"], row["Size"]) if part),
        "base_unit": UNIT,
        "safety_stock": row["SafetyStockLevel"],
        "reorder_point": row["ReorderPoint"],
        "sale_price": _figure(row["ListPrice"]),
        "cost": _figure(row["StandardCost"]),
        "default_warehouse": main.get(row["ProductID"], ""),
        **tracking.product_fields(row["ProductNumber"]),
    }
    if price is not None:
        values |= {
            "default_supplier": vendors[price["BusinessEntityID"]],
            "purchase_price": _figure(price["StandardPrice"]),
            "lead_days": price["AverageLeadTime"],
            "moq": price["MinOrderQty"],
        }
    return {key: value for key, value in values.items() if value}


def opening(tables: Tables, tracked: tracking.Tracking) -> Sequence[RowValues]:
    """Rows of the opening stock sheet, warehouse by warehouse; ``tracked`` learns of the lots they make."""
    codes = {row["ProductID"]: row for row in tables("Product")}
    paid = {row["ProductID"]: row["StandardPrice"] for row in tables("ProductVendor")}
    rows = []
    for row in sorted(tables("ProductInventory"), key=lambda each: (int(each["LocationID"]), int(each["ProductID"]))):
        product = codes[row["ProductID"]]
        if int(row["Quantity"]):
            cost = _figure(product["StandardCost"]) or _figure(paid.get(row["ProductID"], "")) or "1"
            place = warehouse_code(row["LocationID"])
            for quantity, values in tracked.opening(product["ProductNumber"], place, Decimal(row["Quantity"])):
                rows.append(
                    {
                        "warehouse": place,
                        "lines.product": product["ProductNumber"],
                        "lines.unit": UNIT,
                        "lines.qty": str(quantity),
                        "lines.cost_price": cost,
                        **{f"lines.{key}": value for key, value in values.items()},
                    }
                )
    return rows


def _regions(tables: Tables) -> Mapping[str, str]:
    names = {row["TerritoryID"]: row["Name"] for row in tables("SalesTerritory")}
    return {customer_code(row["CustomerKey"]): names.get(row["TerritoryKey"], "") for row in tables("SalesOrders")}


def _figure(text: str) -> str:
    """``.0000`` → nothing, ``12.5000`` → ``12.5``."""
    value = Decimal(text or 0)
    return f"{value.normalize():f}" if value else ""
