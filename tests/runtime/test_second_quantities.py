"""Catch weight goods: what expressions are told of their second quantity, and where people read it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from engine.expressions.ledger_functions import aux_at, aux_share
from engine.expressions.types import Row
from engine.problems import Refused
from runtime.facade import balances, documents, entry_story, lots, movements, stock, trace
from runtime.facade.door import Door
from runtime.facade.movements import MovementRequest
from tests.houses import CATALOG, codes, do, furnished, make_home

PLACE = Row(21, {})
KEY = (21, 0, "L1", "", "")


def goods(**figures: object) -> Row:
    """A product that carries these figures."""
    return Row(1, {f"${name}": value for name, value in figures.items()})


def test_what_was_posted_after_the_moment_is_taken_off():
    moved = ((datetime(2026, 3, 2, 12), KEY, Decimal(-3)),)
    carried = goods(aux_at=({KEY: Decimal(9)}, moved))
    before, after = datetime(2026, 3, 2, 11), datetime(2026, 3, 2, 13)
    assert aux_at(carried, PLACE, before, None, "L1", None, None) == 12
    assert aux_at(carried, PLACE, after, None, "L1", None, None) == 9
    assert aux_at(carried, PLACE, after, None, None, None, "ok") == 0


def test_all_that_is_there_has_all_of_the_second_quantity():
    carried = goods(aux_share={KEY: (Decimal("41.2"), Decimal(7))})
    assert aux_share(carried, PLACE, Decimal("41.2"), None, "L1", None, None) == 7
    assert aux_share(carried, PLACE, Decimal("0.1"), None, "L1", None, None) == Decimal("0.016990")


def test_of_nothing_no_share_is_proposed():
    empty = goods(aux_share={KEY: (Decimal(0), Decimal(1))})
    assert aux_share(empty, PLACE, Decimal(1), None, "L1", None, None) is None
    assert aux_share(empty, PLACE, Decimal(1), None, "L2", None, None) is None
    assert aux_share(empty, PLACE, None, None, "L1", None, None) is None


@pytest.fixture
def door(tmp_path: Path, database_url: str) -> Door:
    """Fish kept by kg and piece: a lot of 41.2 kg in 10 pieces came, 8.3 kg in 2 left; beside it screws."""
    home = make_home(tmp_path, CATALOG / "general", None if database_url.startswith("sqlite") else database_url)
    door = furnished(home)
    for name in ("公斤", "条"):
        do(door, "unit", "save", {"name": name})
    fish = {"code": "F01", "name": "三文鱼", "category": "C1", "base_unit": "公斤", "lot_managed": True}
    do(door, "product", "save", fish | {"catch_weight": True, "aux_unit": "条", "aux_rate": "4"})
    came = {"product": "F01", "qty": "41.2", "aux_qty": "10", "lot_no": "L1", "cost_price": "50"}
    screws = {"product": "A032", "qty": "5", "cost_price": "1"}
    do(door, "other_receipt", "approve", {"warehouse": "W1", "lines": [came, screws]})
    gone = {"product": "F01", "qty": "8.3", "lot_no": "L1"}
    do(door, "other_issue", "approve", {"warehouse": "W1", "lines": [gone]})
    return door


def test_every_page_of_stock_tells_both_quantities(door: Door) -> None:
    levels = {one.product_text: one for one in stock.levels(door).rows}
    told = {name: (one.figures["on_hand"], one.aux, one.second) for name, one in levels.items()}
    assert told == {"F01 三文鱼": (Decimal("32.9"), 8, "8 条"), "A032 螺丝": (5, 0, "")}
    fish = levels["F01 三文鱼"]
    (lot,) = lots.details(door).rows
    assert (lot.lot, lot.quantity, lot.second) == ("L1", Decimal("32.9"), "8 条")
    assert [(one.quantity, one.second) for one in stock.entries(door, product=fish.product)] == [
        (Decimal("-8.3"), "-2 条"), (Decimal("41.2"), "10 条"),
    ]  # fmt: skip
    newest = stock.entries(door, product=fish.product)[0]
    assert entry_story.entry_story(door, newest.id).second == "-2 条"
    kept = {one.parts[0].text: one for one in balances.balances(door, "stock").rows}
    assert {name: one.second for name, one in kept.items()} == {"F01 三文鱼": "8 条", "A032 螺丝": ""}
    assert [one.second for one in balances.entries(door, kept["F01 三文鱼"].key).rows] == ["-2 条", "10 条"]
    traced = trace.trace(door, fish.product, "L1").start
    assert (traced.second, sorted(one.second for one in traced.moves)) == ("8 条", ["-2 条", "10 条"])


def test_months_add_up_in_both_quantities(door: Door) -> None:
    view = movements.report(door, MovementRequest(since="2026-01", until="2026-01"))
    rows = {one.product_text: one for one in view.rows}
    fish = rows["F01 三文鱼"]
    assert (fish.second, fish.came_in[2], fish.went_out[2], fish.closing[2]) == ("条", 10, 2, 8)
    assert (rows["A032 螺丝"].second, rows["A032 螺丝"].closing[2]) == ("", 0)
    (later,) = (
        one
        for one in movements.report(door, MovementRequest(since="2026-02", until="2026-02")).rows
        if one.product == fish.product
    )
    assert (later.opening[2], later.closing[2]) == (8, 8)


def test_a_place_that_holds_pieces_only_is_still_shown(door: Door) -> None:
    """Weight and pieces that did not end together are for a person to look at."""
    rest = {"product": "F01", "qty": "32.9", "aux_qty": "7", "lot_no": "L1"}
    do(door, "other_issue", "approve", {"warehouse": "W1", "lines": [rest]}, confirmed=True)
    fish = next(one for one in stock.levels(door).rows if one.product_text == "F01 三文鱼")
    assert (fish.figures["on_hand"], fish.second) == (0, "1 条")
    assert [(one.quantity, one.second) for one in lots.details(door).rows] == [(0, "1 条")]


def test_the_file_of_the_months_tells_both_quantities(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    assert movements.export(door, MovementRequest(since="2026-01", until="2026-01"), path) == 3
    sheet = openpyxl.load_workbook(path).active
    rows = list(sheet.values)
    heads = [str(head) for head in rows[0]]
    fish = dict(zip(heads, next(row for row in rows if row[0] == "F01 三文鱼"), strict=True))
    screws = dict(zip(heads, next(row for row in rows if row[0] == "A032 螺丝"), strict=True))
    assert (fish["辅助单位"], fish["期末 数量"], fish["期末 辅助数量"]) == ("条", 32.9, 8)
    assert screws["辅助单位"] in ("", None) and screws["期末 辅助数量"] is None


def test_a_loss_of_pieces_alone_can_be_taken_back_in_red(door: Door) -> None:
    line = {"product": "F01", "lot_no": "L1", "count_qty": "32.9", "count_aux": "7", "cause": "typing"}
    do(door, "stocktake", "approve", {"warehouse": "W1", "type": "spot", "lines": [line]}, confirmed=True)
    door.house.jobs.drain()
    fish = next(one for one in stock.levels(door).rows if one.second)
    loss = stock.entries(door, product=fish.product)[0]
    assert (loss.form, loss.quantity, loss.value, fish.second) == ("stocktake_loss", 0, 0, "7 条")
    do(door, "stocktake_loss", "red_flush", document=loss.document, reason="数错了")
    assert next(one.second for one in stock.levels(door).rows if one.second) == "8 条"
    assert documents.read(door, "stocktake_loss", loss.document).status == "reversed"


def test_more_pieces_than_can_be_kept_are_refused(door: Door) -> None:
    line = {"product": "F01", "qty": "1", "aux_qty": "9000000000000", "lot_no": "L1", "cost_price": "1"}
    receipt = {"warehouse": "W1", "lines": [line]}
    do(door, "other_receipt", "approve", receipt, confirmed=True)
    with pytest.raises(Refused) as refused:
        do(door, "other_receipt", "approve", receipt, confirmed=True)
    assert codes(refused.value) == ["ledger.balance_out_of_range"]
