"""Stock told in several units: 37 pieces of which twelve are a case read as three cases and one piece."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runtime.facade import lots, stock
from tests.houses import CATALOG, do, furnished, make_home


def test_stock_pages_tell_all_units_of_a_product(tmp_path: Path, database_url: str) -> None:
    server = None if database_url.startswith("sqlite") else database_url
    door = furnished(make_home(tmp_path, CATALOG / "general", server))
    do(door, "unit", "save", {"name": "箱"})
    cream = {"code": "M01", "name": "奶油", "category": "C1", "base_unit": "件", "lot_managed": True}
    do(door, "product", "save", {**cream, "units": [{"unit": "箱", "rate": 12}]})
    lines = [
        {"product": "M01", "unit": "箱", "qty": 2, "lot_no": "L1", "cost_price": 2},
        {"product": "M01", "qty": 13, "lot_no": "L2", "cost_price": 2},
        {"product": "A032", "qty": 5, "cost_price": 2},
    ]
    do(door, "opening_stock", "approve", {"warehouse": "W1", "lines": lines})
    levels = {row.product_text: row for row in stock.levels(door).rows}
    assert levels["M01 奶油"].unit == "件"
    assert levels["M01 奶油"].mixed == {"on_hand": "3箱1件", "available": "3箱1件"}
    assert levels["A032 螺丝"].mixed == {}
    english = replace(door, actor=replace(door.actor, language="en"))
    assert {row.mixed["on_hand"] for row in stock.levels(english).rows if row.mixed} == {"3 箱 1 件"}
    assert {row.lot: row.mixed for row in lots.details(door, search="M01").rows} == {"L1": "2箱", "L2": "1箱1件"}
