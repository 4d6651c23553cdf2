"""Counting stock: accuracy of a large count, what a blind counter is told, the books at the moment of counting."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from runtime.facade import documents, stock
from runtime.facade.door import Door
from tests.houses import CATALOG, Home, do, furnished, make_home

SECRETS = ("book_qty", "diff_qty", "moved_qty")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path, CATALOG / "general")


def opened(home: Home, quantities: dict[str, int]) -> Door:
    door = furnished(home)
    lines = [{"product": code, "unit": "件", "qty": many, "cost_price": 2} for code, many in quantities.items()]
    do(door, "opening_stock", "approve", {"warehouse": "W1", "lines": lines})
    return door


def test_four_of_five_hundred_lines_differ(home: Home) -> None:
    door = furnished(home)
    codes = [f"P{number:03}" for number in range(500)]
    for code in codes:
        do(door, "product", "save", {"code": code, "name": f"商品{code}", "category": "C1", "base_unit": "件"})
    lines = [{"product": code, "unit": "件", "qty": 10, "cost_price": 2} for code in codes]
    do(door, "opening_stock", "approve", {"warehouse": "W1", "lines": lines})
    counted = [{"product": code, "count_qty": 10} for code in codes]
    for number, found in ((3, 9), (77, 12), (250, 0), (499, 11)):
        counted[number] = {"product": codes[number], "count_qty": found, "cause": "missed"}
    count = do(door, "stocktake", "submit", {"warehouse": "W1", "lines": counted}).document
    view = documents.read(door, "stocktake", count)
    assert view.values["accuracy"].text == "99.2"
    assert view.values["diff_lines"].text == "4"
    do(door, "stocktake", "approve", document=count)
    home.jobs.drain()
    rows = stock.levels(door, limit=1000).rows
    assert sum((row.figures["on_hand"] for row in rows), Decimal(0)) == Decimal(5000 - 1 + 2 - 10 + 1)


def test_a_blind_counter_is_not_told_what_is_booked(home: Home) -> None:
    home.door("keeper")
    door = opened(home, {"A032": 10})
    do(door, "warehouse", "save", {"keeper": "keeper"}, document=documents_id(door))
    data = {"warehouse": "W1", "blind": True, "lines": [{"product": "A032", "count_qty": 9}]}
    keeper = home.door("keeper")
    count = do(keeper, "stocktake", "save", data).document
    do(keeper, "stocktake", "save", {"remark": "再看看"}, document=count)
    mine, theirs = documents.read(keeper, "stocktake", count), documents.read(door, "stocktake", count)
    for key in SECRETS:
        assert mine.lines["lines"][0].cells[key].value is None
    assert theirs.lines["lines"][0].cells["diff_qty"].text == "-1"
    told = {change.label for one in mine.history for change in one.changes}
    assert not [label for label in told if "账存" in label or "差异" in label]
    patch = documents.patch_from_json(keeper.form("stocktake"), data)
    preview = documents.preview(keeper, "stocktake", None, patch)
    assert all(preview.lines["lines"][0].cells[key].value is None for key in SECRETS)


def documents_id(door: Door) -> int:
    """The main warehouse."""
    return next(row.warehouse for row in stock.levels(door).rows)
