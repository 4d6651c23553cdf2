"""Balances on both databases: money, work in process, an app's own ledger; who sees what; the way to a document."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import balances, lists, stock
from runtime.facade.balances import BalancesView
from runtime.facade.door import Door
from runtime.facade.menu import may_open
from tests.houses import CATALOG, codes, do, furnished, make_home

APPS = Path(__file__).parents[1] / "apps"


def told(view: BalancesView) -> list[tuple[object, ...]]:
    """The rows as texts and figures."""
    return [(*(part.text for part in row.parts), row.quantity, row.value) for row in view.rows]


@pytest.fixture
def deposits(tmp_path: Path, house_url: str | None) -> Door:
    door = make_home(tmp_path, APPS / "deposits", house_url).everybody()
    for form, data in (
        ("customer", {"name": "早餐店"}),
        ("customer", {"name": "面馆"}),
        ("container", {"name": "绿箱", "deposit": 1.25}),
        ("container", {"name": "蓝箱", "deposit": 0.4}),
        ("till", {"name": "前台"}),
        ("till", {"name": "后厨"}),
    ):
        do(door, form, "save", data)
    out = [{"container": "绿箱", "qty": 3}, {"container": "蓝箱", "qty": 10}]
    do(door, "handed_out", "submit", {"customer": "早餐店", "till": "前台", "lines": out})
    do(door, "handed_out", "submit", {"customer": "面馆", "till": "前台", "lines": [{"container": "绿箱", "qty": 2}]})
    do(door, "brought_back", "submit", {"customer": "面馆", "till": "前台", "lines": [{"container": "绿箱", "qty": 2}]})
    return door


def test_an_own_ledger_is_shown_by_all_its_dimensions(deposits: Door) -> None:
    view = balances.balances(deposits, "deposit")
    assert (view.label, [one.label for one in view.dimensions]) == ("包装物押金", ["客户", "周转箱"])
    assert told(view) == [
        ("早餐店", "绿箱", Decimal(3), Decimal("3.75")),
        ("早餐店", "蓝箱", Decimal(10), Decimal(4)),
    ]
    assert view.total == Decimal("7.75")
    given_back = balances.balances(deposits, "deposit", nonzero=False)
    assert told(given_back)[-1] == ("面馆", "绿箱", Decimal(0), Decimal(0))
    assert given_back.rows[-1].entries == 2


def test_balances_are_narrowed_by_a_record_or_by_words(deposits: Door) -> None:
    (blue,) = lists.look_up(deposits, "container", "蓝箱")
    only = balances.balances(deposits, "deposit", {"product": blue.id})
    assert told(only) == [("早餐店", "蓝箱", Decimal(10), Decimal(4))] and only.total == Decimal(4)
    assert told(balances.balances(deposits, "deposit", search="绿")) == told(balances.balances(deposits, "deposit"))[:1]
    assert balances.balances(deposits, "deposit", search="没有").rows == ()
    with pytest.raises(Refused) as refused:
        balances.balances(deposits, "deposit", {"subject": 1, "element": "x"})
    assert codes(refused.value) == ["ledger.no_dimension"] * 2


def test_pages_of_balances_make_up_the_whole(deposits: Door) -> None:
    whole = balances.balances(deposits, "deposit", nonzero=False)
    assert len(whole.rows) == 3 and whole.next is None
    walked, after = [], ""
    for _ in whole.rows:
        page = balances.balances(deposits, "deposit", nonzero=False, after=after, limit=1)
        assert page.total == whole.total
        walked += page.rows
        after = page.next or ""
    assert tuple(walked) == whole.rows and after == ""
    with pytest.raises(Refused) as refused:
        balances.balances(deposits, "deposit", after="deposit|all|p1\x00")
    assert (codes(refused.value), refused.value.kind) == (["ledger.balance_missing"], "missing")


def test_an_own_ledger_leads_to_the_documents_behind_it(deposits: Door) -> None:
    green = balances.balances(deposits, "deposit", nonzero=False).rows[2]
    view = balances.entries(deposits, green.key)
    assert [(one.form, one.quantity, one.value) for one in view.rows] == [
        ("brought_back", Decimal(-2), Decimal("-2.5")), ("handed_out", Decimal(2), Decimal("2.5")),
    ]  # fmt: skip
    assert view.rows[0].number.startswith("GH") and view.next is None
    first = balances.entries(deposits, green.key, limit=1)
    rest = balances.entries(deposits, green.key, after=first.next, limit=1)
    assert (*first.rows, *rest.rows) == view.rows and rest.next is None
    with pytest.raises(Refused) as refused:
        balances.balances(deposits, "cash")
    assert codes(refused.value) == ["permission.ledger_denied"], "no page of finance is this person's"


def test_work_in_process_is_shown_by_job(tmp_path: Path, house_url: str | None) -> None:
    home = make_home(tmp_path, APPS / "bakery", house_url)
    door = home.everybody()
    do(door, "product", "save", {"code": "F", "name": "面粉"})
    do(door, "warehouse", "save", {"code": "W1", "name": "库房"})
    do(door, "supplier", "save", {"code": "S", "name": "粮店"})
    lines = [{"product": "F", "qty": 10, "amount": 30}]
    do(door, "receipt", "submit", {"warehouse": "W1", "supplier": "S", "lines": lines})
    job = do(door, "bake_order", "submit", {"remark": "早"})
    used = {"warehouse": "W1", "bake_order": job.document, "lines": [{"product": "F", "qty": 4}]}
    issued = do(door, "issue", "submit", used)
    view = balances.balances(door, "wip")
    assert told(view) == [(job.number, None, Decimal(12))]
    (entry,) = balances.entries(door, view.rows[0].key).rows
    assert (entry.form, entry.document, entry.value) == ("issue", issued.document, Decimal(12))
    assert told(balances.balances(door, "stock")) == [("F 面粉", "库房", Decimal(6), Decimal(18))]
    clerk = home.door("clerk")
    seen = balances.balances(clerk)
    assert [one.key for one in seen.ledgers] == ["stock", "freeze"]
    assert balances.balances(clerk, "stock").rows == (), "the clerk sees the shop alone"
    with pytest.raises(Refused) as refused:
        balances.entries(clerk, balances.balances(door, "stock").rows[0].key)
    assert codes(refused.value) == ["ledger.balance_missing"]
    with pytest.raises(Refused) as refused:
        balances.balances(clerk, "wip")
    assert (codes(refused.value), refused.value.kind) == (["permission.ledger_denied"], "forbidden")


def test_money_debts_and_expenses_follow_the_pages_of_finance(tmp_path: Path, house_url: str | None) -> None:
    home = make_home(tmp_path, CATALOG / "general", house_url)
    door = furnished(home)
    do(door, "account", "save", {"code": "A01", "name": "工商银行"})
    do(door, "opening_stock", "approve", {"warehouse": "W1", "lines": [{"product": "A032", "qty": 9, "cost_price": 2}]})
    do(door, "customer", "save", {"code": "K2", "name": "老客户", "salesperson": "everybody"})
    sold = [{"product": "A032", "qty": 1, "price": 100, "tax_rate": 0}]
    do(door, "sales_delivery", "approve", {"customer": "K2", "warehouse": "W1", "lines": sold})
    do(door, "expense", "approve", {"account": "A01", "lines": [{"item": "rent", "amount": 80}]})
    finance, keeper, buyer = home.door("finance"), home.door("keeper"), home.door("purchase_mgr")
    assert told(balances.balances(finance, "expense")) == [("房租", None, Decimal(80))]
    assert told(balances.balances(finance, "expense", search="房")) == [("房租", None, Decimal(80))]
    assert [one.label for one in balances.balances(finance, "expense").dimensions] == ["费用项目"]
    assert told(balances.balances(finance, "cash")) == [("A01 工商银行", None, Decimal(-80))]
    do(door, "other_income", "approve", {"account": "A01", "lines": [{"item": "interest", "amount": 5}]})
    (money,) = balances.balances(finance, "cash").rows
    behind = balances.entries(finance, money.key)
    assert [(one.form, one.value) for one in behind.rows] == [("other_income", Decimal(5)), ("expense", Decimal(-80))]
    assert behind.balance.value == sum((one.value or 0 for one in behind.rows), Decimal(0))
    owed = balances.balances(finance, "receivable")
    assert [(row.parts[0].text, row.value) for row in owed.rows] == [("K2 老客户", Decimal(100))]
    behind = balances.entries(finance, owed.rows[0].key)
    assert [(one.form, one.value) for one in behind.rows] == [("sales_delivery", Decimal(100))]
    assert {one.key for one in balances.balances(keeper).ledgers} == {
        "stock", "supply", "demand", "reservation", "freeze",
    }  # fmt: skip
    seen = {one.key for one in balances.balances(buyer).ledgers}
    assert "variance" in seen and not seen & {"receivable", "payable", "expense", "cash"}
    kept = [row for row in balances.balances(finance, "stock").rows if row.parts[1].text == "主仓"]
    assert [(row.quantity, row.unit) for row in kept] == [(Decimal(8), "件")]
    assert told(balances.balances(keeper, "stock")) == [], "no warehouse is this keeper's"
    assert stock.levels(keeper).rows == ()
    assert not may_open(home.door("sales"), "balances")


def test_an_unknown_ledger_is_told_with_the_nearest(deposits: Door) -> None:
    with pytest.raises(Refused) as refused:
        balances.balances(deposits, "deposits")
    assert (codes(refused.value), refused.value.kind) == (["ledger.unknown"], "missing")
    assert refused.value.problems[0].params["suggestion"] == "deposit"
    for key in ("", "deposit", "deposit|all|p999|c1", "deposit|partner|c1", "nothing|at|all"):
        with pytest.raises(Refused) as refused:
            balances.entries(deposits, key)
        assert refused.value.kind == "missing"
