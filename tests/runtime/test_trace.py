"""批次追溯 (domain acceptance 21): a lot of cream, fourteen lots of cake, 23 customers; and back from one cake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.problems import Refused
from runtime.facade import entry_story, lots, stock, trace
from runtime.facade.door import Door
from runtime.storage import lot_trace
from runtime.storage.lot_trace import LotKey
from runtime.verification import verify
from tests.houses import WORKSPACE, Home, codes, do, make_home

BAKERY = Path(__file__).parent.parent / "apps" / "bakery"
CAKES, CUSTOMERS = 14, 23
CREAM_EACH, CREAM, SOLD = 6, 100, 4


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Home:
    """Cream goes by way of the bakehouse into every cake; flour is not kept by lot."""
    home = make_home(tmp_path, BAKERY, None if database_url.startswith("sqlite") else database_url)
    door = home.everybody()
    for form, code, name in (
        ("warehouse", "W1", "原料库"),
        ("warehouse", "W2", "烘焙间"),
        ("supplier", "S1", "牧场"),
        ("supplier", "S2", "面粉厂"),
    ):
        do(door, form, "save", {"code": code, "name": name})
    for number in range(1, CUSTOMERS + 1):
        do(door, "customer", "save", {"code": f"K{number:02}", "name": f"门店{number:02}"})
    for code, name, life in (("M1", "奶油", 30), ("M2", "面粉", None), ("P1", "蛋糕", 3), ("P2", "切块", 2)):
        do(door, "product", "save", {"code": code, "name": name, "shelf_life": life})
    cream = {"product": "M1", "qty": CREAM, "lot": "C0101", "made": "2026-01-01", "amount": 500}
    flour = {"product": "M2", "qty": 400, "amount": 800}
    do(door, "receipt", "submit", {"warehouse": "W1", "supplier": "S1", "temperature": "4.5", "lines": [cream]})
    do(door, "receipt", "submit", {"warehouse": "W2", "supplier": "S2", "lines": [flour]})
    carried = [{"product": "M1", "qty": CREAM, "lot": "C0101"}]
    do(door, "move", "submit", {"warehouse": "W1", "to_warehouse": "W2", "lines": carried})
    for number in range(1, CAKES + 1):
        bake(door, f"T{number:02}")
    for number in range(CUSTOMERS):
        sold = [{"product": "P1", "qty": SOLD, "lot": f"T{number % CAKES + 1:02}"}]
        do(door, "delivery", "submit", {"warehouse": "W2", "customer": f"K{number + 1:02}", "lines": sold})
    return home


def bake(door: Door, lot: str) -> None:
    """One baking order: ten cakes of cream and flour."""
    order = do(door, "bake_order", "submit", {}).document
    materials = [{"product": "M1", "qty": CREAM_EACH, "lot": "C0101"}, {"product": "M2", "qty": 20}]
    do(door, "issue", "submit", {"warehouse": "W2", "bake_order": order, "lines": materials})
    cakes = [{"product": "P1", "qty": 10, "lot": lot, "made": "2026-01-05"}]
    do(door, "finish", "submit", {"warehouse": "W2", "bake_order": order, "lines": cakes})


def product(door: Door, code: str) -> int:
    """The id of a product, found by a lot or by what is in stock."""
    view = stock.levels(door, search=code, nonzero=False)
    return view.rows[0].product


def test_a_lot_of_cream_leads_to_every_customer(home: Home) -> None:
    door = home.everybody()
    view = trace.trace(door, product(door, "M1"), "C0101")
    assert [one.lot for one in view.down] == [f"T{number:02}" for number in range(1, CAKES + 1)]
    assert view.customers == tuple(f"门店{number:02}" for number in range(1, CUSTOMERS + 1))
    assert view.closes and not view.cut
    assert (view.start.came, view.start.went, view.start.on_hand) == (Decimal(CREAM), Decimal(84), Decimal(16))
    # The transfer to the bakehouse is within the company: neither an arrival nor a departure.
    assert len(view.start.moves) == 1 + CAKES
    assert view.down[0].links[0].used == CREAM_EACH
    assert verify(home.house, WORKSPACE).differences == ()


def test_a_cake_leads_back_to_its_cream_its_supplier_and_its_receipt(home: Home) -> None:
    door = home.everybody()
    view = trace.trace(door, product(door, "P1"), "T07")
    assert {(one.product_text, one.lot) for one in view.up} == {("M1 奶油", "C0101"), ("M2 面粉", "")}
    assert view.suppliers == ("牧场",)
    cream = next(one for one in view.up if one.lot)
    receipt = next(move for move in cream.moves if move.quantity > 0)
    assert (receipt.form, receipt.partner, receipt.quantity) == ("receipt", "牧场", Decimal(CREAM))
    assert view.closes
    assert set(view.customers) == {"门店07", "门店21"}


def test_goods_brought_back_and_orders_reversed_do_not_count(home: Home) -> None:
    door = home.everybody()
    cream = product(door, "M1")
    order = do(door, "bake_order", "submit", {}).document
    lines = [{"product": "M1", "qty": 5, "lot": "C0101"}]
    issued = do(door, "issue", "submit", {"warehouse": "W2", "bake_order": order, "lines": lines})
    do(door, "issue", "unapprove", document=issued.document, reason="错单")
    finished = [{"product": "P1", "qty": 1, "lot": "T99", "made": "2026-01-05"}]
    do(door, "issue", "submit", {"warehouse": "W2", "bake_order": order, "lines": [{"product": "M2", "qty": 1}]})
    do(door, "finish", "submit", {"warehouse": "W2", "bake_order": order, "lines": finished})
    view = trace.trace(door, cream, "C0101")
    assert "T99" not in {one.lot for one in view.down}
    assert view.closes


def test_repacking_is_a_step_and_ends_where_goods_are(home: Home) -> None:
    door = home.everybody()
    lines = [{"product": "P1", "qty": 2, "lot": "T01", "to_product": "P2", "to_qty": 16, "to_lot": "S01"}]
    do(door, "repack", "submit", {"warehouse": "W2", "lines": lines})
    sold = [{"product": "P2", "qty": 3, "lot": "S01"}]
    do(door, "delivery", "submit", {"warehouse": "W2", "customer": "K23", "lines": sold})
    view = trace.trace(door, product(door, "M1"), "C0101")
    last = view.down[-1]
    assert (last.level, last.lot, last.came, last.went, last.on_hand) == (2, "S01", 16, 3, 13)
    assert (last.links[0].lot, last.links[0].used, last.links[0].made) == ("T01", 2, 16)
    assert view.closes
    back = trace.trace(door, product(door, "P2"), "S01")
    assert [(one.level, one.lot) for one in back.up] == [(1, "T01"), (2, "C0101"), (2, "")]


def test_a_level_costs_the_same_however_many_lots_it_has(home: Home) -> None:
    door = home.everybody()
    cakes = product(door, "P1")
    with door.reading() as unit:
        with counted(unit.connection) as one:
            lot_trace.steps(unit.connection, [LotKey(cakes, "T01")], "up")
        with counted(unit.connection) as all_of_them:
            found = lot_trace.steps(
                unit.connection, [LotKey(cakes, f"T{number:02}") for number in range(1, CAKES + 1)], "up"
            )
    assert len(found) == 2 * CAKES
    assert len(one) == len(all_of_them)


def test_an_unknown_lot_is_refused(home: Home) -> None:
    door = home.everybody()
    with pytest.raises(Refused) as refused:
        trace.trace(door, product(door, "M1"), "X")
    assert codes(refused.value) == ["stock.no_lot"]
    assert trace.lots_called(door, "C0101") == ((product(door, "M1"), "M1 奶油"),)


def test_lots_in_stock_tell_how_near_their_end_they_are(home: Home) -> None:
    door = home.everybody()
    home.clock.wait(days=4)  # cakes of 5 January keep for three days, cream for thirty
    rows = lots.details(door).rows
    assert {row.freshness for row in rows if row.product_text == "P1 蛋糕"} == {"expired"}
    assert [row.freshness for row in rows if row.lot == "C0101"] == ["fresh"]
    assert {row.lot for row in lots.details(door, lot="t0").rows} == {f"T0{number}" for number in range(1, 10)}
    assert {row.product_text for row in lots.details(door, due="expired").rows} == {"P1 蛋糕"}
    home.clock.wait(days=12)
    assert [row.freshness for row in lots.details(door, lot="C0101").rows] == ["yellow"]


def test_an_entry_tells_how_it_came_about(home: Home) -> None:
    door = home.everybody()
    cream = product(door, "M1")
    # A receipt of dearer cream dated before the issues: they are settled again.
    dear = {"product": "M1", "qty": 100, "lot": "C0102", "made": "2026-01-01", "amount": 700}
    day = {"biz_date": "2026-01-04", "warehouse": "W2", "supplier": "S1", "lines": [dear]}
    late = do(door, "receipt", "submit", day)
    issue = next(one for one in stock.entries(door, cream, limit=500) if one.form == "issue" and not one.derived)
    told = entry_story.entry_story(door, issue.id)
    assert (told.basis, told.value, told.total, told.unit_cost) == ("method", -30, -36, 6)
    assert [(one.cause_form, one.cause_number) for one in told.corrections] == [("receipt", late.number)]
    with pytest.raises(Refused) as refused:
        entry_story.entry_story(door, 10**12)
    assert codes(refused.value) == ["stock.no_entry"]


def test_who_sees_one_warehouse_and_no_money_is_told_no_more(home: Home) -> None:
    door, clerk = home.everybody(), home.door("clerk")
    cream = product(door, "M1")
    view = trace.trace(clerk, cream, "C0101")
    assert view.closes and view.start.came == CREAM
    assert {move.number for move in view.start.moves} == {""} and view.suppliers == ()
    assert len(view.customers) == CUSTOMERS
    rows = stock.entries(door, cream, limit=500)
    away = next(one for one in rows if one.form == "receipt")
    with pytest.raises(Refused) as refused:
        entry_story.entry_story(clerk, away.id)
    assert codes(refused.value) == ["stock.no_entry"]
    arrived = next(one for one in rows if one.form == "move" and one.quantity > 0)
    told = entry_story.entry_story(clerk, arrived.id)
    assert (told.value, told.total, told.unit_cost, told.corrections) == (None, None, None, ())
    assert told.origin is not None and told.origin.id == 0 and told.origin.number == ""
    assert {row.warehouse_text for row in lots.details(clerk).rows} == {"烘焙间"}


@contextmanager
def counted(connection: sa.Connection) -> Iterator[list[str]]:
    """The statements of a connection."""
    said: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    sa.event.listen(connection, "before_cursor_execute", note)
    yield said
    sa.event.remove(connection, "before_cursor_execute", note)
