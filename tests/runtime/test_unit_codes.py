"""Barcodes of units: a scanned case is found with its unit, by whoever may read the product, while it is in use."""

from __future__ import annotations

from pathlib import Path

from runtime.facade import lists, unit_codes
from tests.houses import CATALOG, do, furnished, make_home

LINK = ("sales_order", "lines.product")


def test_the_barcode_of_a_case_finds_product_and_unit(tmp_path: Path, database_url: str) -> None:
    home = make_home(tmp_path, CATALOG / "general", None if database_url.startswith("sqlite") else database_url)
    door = furnished(home)
    do(door, "unit", "save", {"name": "箱"})
    nuts = {"code": "M01", "name": "螺母", "category": "C1", "base_unit": "件", "barcode": "6900000000014"}
    case = {"unit": "箱", "rate": 12, "barcode": "16900000000011"}
    made = do(door, "product", "save", {**nuts, "units": [case, {"unit": "件", "rate": 1}]}).document
    (found,) = unit_codes.by_code(door, "product", "16900000000011", LINK)
    assert (found.record.id, found.unit_text) == (made, "箱")
    assert unit_codes.filled_unit(door, *LINK) == "unit"
    # Part of a code finds nothing; the code of the product itself is found by the ordinary look-up.
    assert unit_codes.by_code(door, "product", "1690000000001", LINK) == ()
    assert unit_codes.by_code(door, "product", "6900000000014", LINK) == ()
    assert [hit.id for hit in lists.look_up(door, "product", "6900000000014", link=LINK)] == [made]
    do(door, "product", "disable", document=made)
    assert unit_codes.by_code(door, "product", "16900000000011", LINK) == ()
    assert unit_codes.filled_unit(door, "sales_order", "customer") == ""
    assert unit_codes.by_code(door, "customer", "16900000000011") == ()
