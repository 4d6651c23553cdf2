"""Stock told in several units: 37 pieces of which twelve are a case read as three cases and one piece."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.facade import lists, lots, movements, on_offer, stock, trace
from runtime.facade.door import Door
from runtime.facade.movements import MovementRequest
from tests.houses import CATALOG, Home, do, furnished, make_home


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Home:
    return make_home(tmp_path, CATALOG / "general", None if database_url.startswith("sqlite") else database_url)


def stocked(home: Home) -> Door:
    """37 tubs of cream in two lots, twelve of which are a case, and five screws."""
    door = furnished(home)
    do(door, "unit", "save", {"name": "箱"})
    cream = {"code": "M01", "name": "奶油", "category": "C1", "base_unit": "件", "lot_managed": True}
    do(door, "product", "save", {**cream, "units": [{"unit": "箱", "rate": 12}]})
    lines = [
        {"product": "M01", "unit": "箱", "qty": 2, "lot_no": "L1", "cost_price": 2},
        {"product": "M01", "qty": 13, "lot_no": "L2", "cost_price": 2},
        {"product": "A032", "qty": 5, "cost_price": 2},
    ]
    do(door, "opening_stock", "approve", {"warehouse": "W1", "lines": lines})
    return door


def test_stock_pages_tell_all_units_of_a_product(home: Home) -> None:
    door = stocked(home)
    levels = {row.product_text: row for row in stock.levels(door).rows}
    assert levels["M01 奶油"].unit == "件"
    assert levels["M01 奶油"].mixed == {"on_hand": "3箱1件", "available": "3箱1件"}
    assert levels["A032 螺丝"].mixed == {}
    english = replace(door, actor=replace(door.actor, language="en"))
    assert {row.mixed["on_hand"] for row in stock.levels(english).rows if row.mixed} == {"3 箱 1 件"}
    assert {row.lot: row.mixed for row in lots.details(door, search="M01").rows} == {"L1": "2箱", "L2": "1箱1件"}
    month = movements.report(door, MovementRequest(since="2026-01", until="2026-01")).rows
    assert {row.product_text: row.mixed for row in month} == {"M01 奶油": "3箱1件", "A032 螺丝": ""}
    assert trace.trace(door, levels["M01 奶油"].product, "L2").start.mixed == "1箱1件"


def test_a_look_up_tells_what_is_available(home: Home) -> None:
    door = stocked(home)
    do(door, "sales_order", "approve", {"customer": "K1", "warehouse": "W1", "lines": [{"product": "M01", "qty": 2}]})
    hits = {hit.text: hit.id for hit in lists.look_up(door, "product", "")}
    offered = on_offer.available(door, "product", set(hits.values()))
    assert {name: offered.get(identity) for name, identity in hits.items()} == {
        "M01 奶油": "2箱11件",
        "A032 螺丝": "5件",
        "A033 螺栓": None,
    }
    assert on_offer.available(door, "customer", set(hits.values())) == {}
    # A keeper is told of the warehouses that are theirs, and whoever sees no stock is told nothing.
    keeper = home.door("keeper")
    do(door, "warehouse", "save", {"code": "W3", "name": "冷库", "keeper": keeper.actor.user})
    lines = [{"product": "M01", "qty": 12, "lot_no": "L3", "cost_price": 2}]
    do(door, "opening_stock", "approve", {"warehouse": "W3", "lines": lines})
    assert on_offer.available(keeper, "product", set(hits.values())) == {hits["M01 奶油"]: "1箱"}
    assert on_offer.available(home.door("cashier"), "product", set(hits.values())) == {}
