"""收发存汇总表 on both databases: it balances in every month range and closes at what is on hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import health, movements, stock
from runtime.facade.door import Door
from runtime.facade.movements import MovementRequest
from tests.houses import CATALOG, Home, codes, do, furnished, make_home

RANGES = (("2026-01", "2026-01"), ("2026-02", "2026-03"), ("2026-01", "2026-03"), ("2025-11", "2026-02"))


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    return make_home(tmp_path, CATALOG / "general", house_url)


def quarter(home: Home) -> Door:
    """January to March: receipts, issues, transfers, a cancellation, a back-dated receipt, a red flush."""
    door = furnished(home)

    def receipt(quantity: int, cost: int, product: str = "A032", **header: object) -> int:
        line = {"product": product, "qty": quantity, "cost_price": cost}
        return do(door, "other_receipt", "approve", {"warehouse": "W1", "lines": [line], **header}).document

    def issue(quantity: int, product: str = "A032") -> int:
        data = {"warehouse": "W1", "lines": [{"product": product, "qty": quantity}]}
        return do(door, "other_issue", "approve", data).document

    receipt(100, 2)
    receipt(30, 7, "A033")
    first = issue(40)
    home.clock.wait(days=30)
    receipt(60, 5)
    wrong = issue(10, "A033")
    lines = [{"product": "A032", "qty": 25}]
    do(door, "transfer", "approve", {"from_warehouse": "W1", "to_warehouse": "W2", "lines": lines})
    do(door, "other_issue", "unapprove", document=wrong)
    home.clock.wait(days=30)
    receipt(20, 3, biz_date="2026-01-07")
    do(door, "other_issue", "red_flush", document=first, reason="重复")
    issue(7, "A033")
    return door


def test_it_balances_and_closes_at_what_is_on_hand(home: Home) -> None:
    door = quarter(home)
    for since, until in RANGES:
        for by_warehouse in (False, True):
            view = movements.report(door, MovementRequest(since=since, until=until, by_warehouse=by_warehouse))
            for row in (*view.rows, view.totals):
                for at in (0, 1):
                    assert row.opening[at] + row.came_in[at] - row.went_out[at] == row.closing[at]
                    assert (
                        sum((one[at] for one in row.moves.values()), Decimal(0)) == row.came_in[at] + row.went_out[at]
                    )
            for at in (0, 1):
                assert sum((row.closing[at] for row in view.rows), Decimal(0)) == view.totals.closing[at]
    months = [
        movements.report(door, MovementRequest(since=one, until=one)) for one in ("2026-01", "2026-02", "2026-03")
    ]
    assert months[0].totals.closing == months[1].totals.opening
    assert months[1].totals.closing == months[2].totals.opening
    last = movements.report(door, MovementRequest(since="2026-03", until="2026-03", by_warehouse=True))
    levels = {(row.product, row.warehouse): row.figures["on_hand"] for row in stock.levels(door).rows}
    assert {(row.product, row.warehouse): row.closing[0] for row in last.rows} == levels
    assert last.totals.closing[1] == sum((row.figures["value"] for row in stock.levels(door).rows), Decimal(0))


def test_categories_pages_and_rights(home: Home, tmp_path: Path) -> None:
    door = quarter(home)
    view = movements.report(door, MovementRequest(since="2026-02", until="2026-02", limit=1))
    assert [(one.key, one.side) for one in view.categories] == [
        ("other_in", "in"), ("transfer_in", "in"), ("other_out", "out"), ("transfer_out", "out")
    ]  # fmt: skip
    first = view.rows[0]
    assert first.moves["other_in"][0] == 60
    assert first.moves["transfer_in"] == first.moves["transfer_out"]
    following = movements.report(door, MovementRequest(since="2026-02", until="2026-02", limit=1, after=view.next))
    assert view.next is not None and following.next is None and following.rows[0].product != first.product
    assert following.rows[0].moves.get("other_out", (0, 0))[0] == 0, "the cancelled issue counts in its own category"
    january = movements.report(door, MovementRequest(since="2026-01", until="2026-01")).rows[0]
    assert january.moves["other_in"] == (120, 260, 0), "the back-dated receipt belongs to January"
    keeper = movements.report(home.door("wh_mgr"), MovementRequest(since="2026-02", until="2026-02"))
    assert not keeper.with_value and keeper.totals.closing[1] == 0
    for person, month, code in (
        ("sales", "2026-02", "permission.stock_denied"),
        ("finance", "2026-13", "closing.bad_period"),
    ):
        with pytest.raises(Refused) as refused:
            movements.report(home.door(person), MovementRequest(since=month, until=month))
        assert codes(refused.value) == [code]
    written = movements.export(door, MovementRequest(since="2026-01", until="2026-03"), tmp_path / "report.xlsx")
    assert written == 3


def test_the_health_page_names_what_is_wrong(home: Home) -> None:
    door = quarter(home)
    before = health.checkup(door)
    gift = {"product": "A033", "qty": 5, "cost_price": 0}
    do(door, "other_receipt", "save", {"warehouse": "W1", "biz_date": "2026-01-10", "lines": [gift]})
    after = health.checkup(door)
    counts = {one.key: one.count for one in after.findings}
    assert {one.key: one.count for one in before.findings}["waiting"] == 1, "the issue that was unapproved"
    assert counts == {"negative": 0, "no_cost": 0, "free_issues": 0, "waiting": 2}
    assert after.score == 90
    with pytest.raises(Refused):
        health.checkup(home.door("keeper"))
