"""Packs the demo company's source data: AdventureWorks columns the demo replays, as gzipped CSV beside the template.

Run once when the data change: ``python -m tools.pack_demo_data OLTP_FOLDER SALES_FOLDER``, where the first folder holds
the CSV files of Microsoft's AdventureWorks sample database (tables by name, with a header row) and the second the
AdventureWorks sales files. The result is byte-for-byte reproducible. Does not run in tests or in the product.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

TARGET = Path(__file__).parent.parent / "templates_catalog" / "general" / "demo" / "adventureworks"
TABLES: Mapping[str, tuple[str, ...]] = {
    "Product": (
        "ProductID", "Name", "ProductNumber", "MakeFlag", "FinishedGoodsFlag", "Color", "SafetyStockLevel",
        "ReorderPoint", "StandardCost", "ListPrice", "Size", "Weight", "ProductSubcategoryID",
    ),
    "ProductCategory": ("ProductCategoryID", "Name"),
    "ProductSubcategory": ("ProductSubcategoryID", "ProductCategoryID", "Name"),
    "UnitMeasure": ("UnitMeasureCode", "Name"),
    "Location": ("LocationID", "Name"),
    "ProductInventory": ("ProductID", "LocationID", "Quantity"),
    "Vendor": ("BusinessEntityID", "AccountNumber", "Name", "CreditRating", "ActiveFlag"),
    "ProductVendor": ("ProductID", "BusinessEntityID", "AverageLeadTime", "StandardPrice", "MinOrderQty"),
    "PurchaseOrderHeader": ("PurchaseOrderID", "Status", "VendorID", "OrderDate", "ShipDate"),
    "PurchaseOrderDetail": (
        "PurchaseOrderID", "DueDate", "OrderQty", "ProductID", "UnitPrice", "ReceivedQty", "RejectedQty", "StockedQty",
    ),
    "SalesTerritory": ("TerritoryID", "Name"),
}  # fmt: skip
SALES: Mapping[str, tuple[str, ...]] = {
    "AdventureWorks_Customers": ("CustomerKey", "FirstName", "LastName"),
    "AdventureWorks_Products": ("ProductKey", "ProductSKU", "ProductPrice"),
}
SALES_YEARS = ("2017", "2018", "2019")
SALES_COLUMNS = ("OrderDate", "OrderNumber", "ProductKey", "CustomerKey", "TerritoryKey", "OrderQuantity")


def rows(path: Path, columns: tuple[str, ...]) -> Iterable[list[str]]:
    """The wanted columns of a CSV file, trimmed; a midnight time is cut from dates."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield [row[column].strip().removesuffix(" 00:00:00.000") for column in columns]


def pack(name: str, columns: tuple[str, ...], lines: Iterable[list[str]]) -> int:
    """Write one table; the bytes do not depend on when or where. Returns its size."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    path = TARGET / f"{name}.csv.gz"
    path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))
    return path.stat().st_size


def main() -> None:
    """Pack everything and print the sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("oltp", type=Path)
    parser.add_argument("sales", type=Path)
    arguments = parser.parse_args()
    TARGET.mkdir(parents=True, exist_ok=True)
    sizes = {
        name: pack(name, columns, rows(arguments.oltp / f"{name}.csv", columns)) for name, columns in TABLES.items()
    }
    for name, columns in SALES.items():
        short = name.removeprefix("AdventureWorks_")
        sizes[f"Sales{short}"] = pack(f"Sales{short}", columns, rows(arguments.sales / f"{name}.csv", columns))
    orders = (
        row for year in SALES_YEARS for row in rows(arguments.sales / f"AdventureWorks_Sales_{year}.csv", SALES_COLUMNS)
    )
    sizes["SalesOrders"] = pack("SalesOrders", SALES_COLUMNS, orders)
    shutil.copyfile(arguments.oltp / "LICENSE.txt", TARGET / "LICENSE-database.txt")
    shutil.copyfile(arguments.sales / "LICENSE", TARGET / "LICENSE-sales.txt")
    print(
        *(f"{name:24} {size:>9,}" for name, size in sizes.items()), f"{'total':24} {sum(sizes.values()):>9,}", sep="\n"
    )


if __name__ == "__main__":
    main()
