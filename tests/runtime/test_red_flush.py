"""Taking back in red (红冲): at the original cost, in part or whole, whatever has happened since."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import documents, stock
from runtime.facade.door import Door
from runtime.verification import verify
from tests.houses import CATALOG, WORKSPACE, Home, codes, do, furnished, make_home


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    return make_home(tmp_path, CATALOG / "general", house_url)


def level(door: Door, product: str = "螺丝") -> tuple[Decimal, Decimal]:
    rows = [row for row in stock.levels(door, nonzero=False).rows if product in row.product_text]
    return (
        sum((row.figures["on_hand"] for row in rows), Decimal(0)),
        sum((row.figures["value"] for row in rows), Decimal(0)),
    )


def clean(home: Home) -> None:
    assert verify(home.house, WORKSPACE).differences == ()


def flush(door: Door, form: str, document: int, lines: list[dict[str, object]] | None = None) -> int:
    data = {"lines": lines} if lines else None
    return do(door, form, "red_flush", data, document=document, reason="录错了").document


def test_a_delivery_comes_back_at_its_own_cost_in_parts(home: Home) -> None:
    door = furnished(home)
    receive = {"warehouse": "W1", "lines": [{"product": "A032", "qty": 10, "cost_price": 2}]}
    do(door, "other_receipt", "approve", receive)
    issue = do(door, "other_issue", "approve", {"warehouse": "W1", "lines": [{"product": "A032", "qty": 6}]})
    do(door, "other_receipt", "approve", receive | {"lines": [{"product": "A032", "qty": 10, "cost_price": 5}]})
    assert level(door) == (Decimal(14), Decimal(58))
    line = documents.read(door, "other_issue", issue.document).lines["lines"][0].id
    home.clock.wait(days=40)
    red = flush(door, "other_issue", issue.document, [{"id": line, "qty": 4}])
    assert level(door) == (Decimal(18), Decimal(66)), "4 come back at 2, not at the present average"
    view = documents.read(door, "other_issue", red)
    assert view.lines["lines"][0].cells["qty"].text == "-4"
    assert view.biz_date == home.clock.now.date()
    assert view.status == "approved" and view.actions == ()
    assert documents.read(door, "other_issue", issue.document).status == "approved"
    with pytest.raises(Refused) as refused:
        flush(door, "other_issue", issue.document, [{"id": line, "qty": 3}])
    assert codes(refused.value) == ["document.red_too_much"]
    with pytest.raises(Refused) as refused:
        do(door, "other_issue", "unapprove", document=issue.document)
    assert codes(refused.value) == ["document.has_downstream"]
    flush(door, "other_issue", issue.document)
    assert level(door) == (Decimal(20), Decimal(70))
    assert documents.read(door, "other_issue", issue.document).status == "reversed"
    for action, code in (("unapprove", "document.red_final"), ("red_flush", "document.red_already")):
        with pytest.raises(Refused) as refused:
            do(door, "other_issue", action, document=red, reason="试")
        assert codes(refused.value) == [code]
    clean(home)


def test_a_receipt_taken_back_reopens_its_order(home: Home) -> None:
    door = furnished(home)
    order = do(
        door, "purchase_order", "approve",
        {
            "supplier": "S1", "warehouse": "W1", "arrive_date": "2026-01-20",
            "lines": [{"product": "A032", "qty": 100, "price": 10, "tax_rate": 13}],
        },
    )  # fmt: skip
    receipt = documents.push(door, "purchase_order", order.document, "purchase_receipt", action="approve")
    supplier = documents.read(door, "purchase_order", order.document).values["supplier"].value
    owed = stock.balance(door, "payable", {"supplier": supplier})
    assert documents.read(door, "purchase_order", order.document).exec_status == "done"
    flush(door, "purchase_receipt", receipt.document)
    assert level(door) == (Decimal(0), Decimal(0))
    assert documents.read(door, "purchase_order", order.document).exec_status == "none"
    assert stock.levels(door, nonzero=False).rows[0].figures["in_transit"] == Decimal(100)
    assert owed[1] > 0 and stock.balance(door, "payable", {"supplier": supplier})[1] == 0
    again = documents.push(door, "purchase_order", order.document, "purchase_receipt", action="approve")
    assert level(door) == (Decimal(100), Decimal(1000))
    assert again.document != receipt.document
    clean(home)


def test_goods_that_are_gone_cannot_be_taken_back(home: Home) -> None:
    door = furnished(home)
    receive = {"warehouse": "W1", "lines": [{"product": "A032", "qty": 10, "cost_price": 2}]}
    receipt = do(door, "other_receipt", "approve", receive)
    do(door, "other_issue", "approve", {"warehouse": "W1", "lines": [{"product": "A032", "qty": 6}]})
    with pytest.raises(Refused) as refused:
        flush(door, "other_receipt", receipt.document)
    assert codes(refused.value) == ["ledger.insufficient"]
    clean(home)


def test_a_transfer_goes_back_and_moves_no_value(home: Home) -> None:
    door = furnished(home)
    do(
        door, "other_receipt", "approve",
        {"warehouse": "W1", "lines": [{"product": "A032", "qty": 10, "cost_price": 2}]},
    )  # fmt: skip
    moved = do(
        door, "transfer", "approve",
        {"from_warehouse": "W1", "to_warehouse": "W2", "lines": [{"product": "A032", "qty": 6}]},
    )  # fmt: skip
    flush(door, "transfer", moved.document)
    found = {row.warehouse_text: row.figures["on_hand"] for row in stock.levels(door).rows}
    assert found == {"主仓": Decimal(10)}
    assert level(door) == (Decimal(10), Decimal(20))
    clean(home)


def test_it_needs_the_right_and_a_reason(home: Home) -> None:
    door = furnished(home)
    receive = {"warehouse": "W1", "lines": [{"product": "A032", "qty": 10, "cost_price": 2}]}
    receipt = do(door, "other_receipt", "approve", receive)
    with pytest.raises(Refused) as refused:
        do(home.door("purchase_mgr", "gm"), "other_receipt", "red_flush", document=receipt.document, reason="试")
    assert codes(refused.value) == ["permission.action_denied"]
    with pytest.raises(Refused) as refused:
        do(door, "other_receipt", "red_flush", document=receipt.document)
    assert codes(refused.value) == ["document.reason_required"]
    with pytest.raises(Refused) as refused:
        do(home.door("automation"), "other_receipt", "red_flush", document=receipt.document, reason="试")
    assert refused.value.kind in ("missing", "forbidden")
