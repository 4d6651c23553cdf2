"""Who sees which rows and figures of the stock page of the general template."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import stock
from tests.houses import CATALOG, Home, codes, do, furnished, make_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path, CATALOG / "general")
    home.door("keeper")
    everybody = furnished(home)
    do(everybody, "warehouse", "save", {"code": "W3", "name": "孙的仓", "keeper": "keeper"})
    for warehouse, quantity in (("W1", 10), ("W3", 4)):
        lines = [{"product": "A032", "unit": "件", "qty": quantity, "cost_price": 2}]
        do(everybody, "opening_stock", "approve", {"warehouse": warehouse, "lines": lines})
    return home


def test_a_storekeeper_sees_their_warehouses_and_no_money(home: Home) -> None:
    view = stock.levels(home.door("keeper"))
    assert [(row.warehouse_text, row.figures["on_hand"]) for row in view.rows] == [("孙的仓", Decimal(4))]
    assert "value" not in view.measures
    assert {entry.warehouse_text for entry in stock.entries(home.door("keeper"))} == {"孙的仓"}


def test_finance_sees_every_warehouse_and_the_value(home: Home) -> None:
    view = stock.levels(home.door("finance"))
    found = {row.warehouse_text: (row.figures["on_hand"], row.figures["value"]) for row in view.rows}
    assert found == {"主仓": (Decimal(10), Decimal(20)), "孙的仓": (Decimal(4), Decimal(8))}


def test_a_salesperson_sees_what_is_available_and_nothing_else(home: Home) -> None:
    view = stock.levels(home.door("sales"))
    assert view.measures == ("available",)
    assert sum(row.figures["available"] for row in view.rows) == Decimal(14)
    with pytest.raises(Refused) as refused:
        stock.levels(home.door("automation"))
    assert codes(refused.value) == ["permission.stock_denied"]
