"""Money as finance sees it, on both databases: ageing, statements, vouchers, and two people settling one document."""

from __future__ import annotations

import csv
import re
import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from engine.problems import Refused
from engine.values import ZERO
from runtime.app import create_app
from runtime.facade import accounts, finance, lists, open_items, stock, vouchers
from runtime.facade.door import Door
from runtime.facade.list_views import ListRequest
from runtime.verification import verify
from tests.houses import CATALOG, PASSWORD, WORKSPACE, Home, codes, do, furnished, make_home

START = date(2026, 1, 5)


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    return make_home(tmp_path, CATALOG / "general", house_url)


@pytest.fixture
def door(home: Home) -> Door:
    made = furnished(home)
    do(made, "account", "save", {"code": "A01", "name": "工商银行"})
    do(made, "account", "save", {"code": "A02", "name": "现金", "type": "cash"})
    do(made, "customer", "save", {"code": "K77", "name": "账期客户", "salesperson": "everybody", "credit_days": 10})
    opening = {"warehouse": "W1", "lines": [{"product": "A032", "qty": 1000, "cost_price": 2}]}
    do(made, "opening_stock", "approve", opening)
    return made


def deliver(door: Door, price: int, tax_rate: int = 0) -> int:
    lines = [{"product": "A032", "qty": 1, "price": price, "tax_rate": tax_rate}]
    return do(door, "sales_delivery", "approve", {"customer": "K77", "warehouse": "W1", "lines": lines}).document


def receive_money(door: Door, amount: int, *settled: tuple[int, int]) -> int:
    lines = [{"item": f"sales_delivery/{document}", "this": part} for document, part in settled]
    given = {"customer": "K77", "account": "A01", "amount": amount, "lines": lines}
    return do(door, "receipt", "approve", given).document


def customer(door: Door) -> int:
    return next(hit.id for hit in lists.look_up(door, "customer", "K77"))


def test_open_amounts_age_by_due_date_or_by_document_date(home: Home, door: Door) -> None:
    first = deliver(door, 100)
    home.clock.wait(days=45)
    deliver(door, 40)
    home.clock.wait(days=60)
    deliver(door, 7)
    receive_money(door, 30, (first, 30))
    row = finance.ageing(door, "receivable").rows[0]
    assert dict(row.amounts) == {
        "not_due": Decimal(7), "d30": ZERO, "d60": Decimal(40), "d90": ZERO, "over": Decimal(70),
    }  # fmt: skip
    assert (row.total, row.overdue) == (Decimal(117), Decimal(110))
    by_day = finance.ageing(door, "receivable", "day").rows[0]
    assert by_day.amounts["not_due"] == Decimal(7) and by_day.amounts["d60"] == Decimal(40)
    items = finance.ageing(door, "receivable", partner=customer(door)).items
    assert [(one.open, one.late) for one in items] == [(Decimal(70), 95), (Decimal(40), 50), (Decimal(7), 0)]
    late = finance.ageing(door, "receivable", overdue=True).items
    assert [one.open for one in late] == [Decimal(70), Decimal(40)]
    assert stock.balance(door, "receivable", {"customer": customer(door)})[1] == row.total


def test_lists_show_and_filter_the_settlement(home: Home, door: Door) -> None:
    paid, part, _ = deliver(door, 100), deliver(door, 50), deliver(door, 10)
    receive_money(door, 120, (paid, 100), (part, 20))
    columns = ("number", "settle_status")

    def seen(*filters: tuple[str, str, str]) -> list[str]:
        rows = lists.page(door, "sales_delivery", ListRequest(columns=columns, filters=filters, sort="number")).rows
        return [str(row.cells["settle_status"].value) for row in rows]

    assert seen() == ["done", "partial", "none"]
    assert seen(("settle_status", "eq", "partial")) == ["partial"]
    home.clock.wait(days=30)
    assert seen() == ["done", "overdue", "overdue"]
    assert seen(("settle_status", "in", "done,none")) == ["done"]


def test_the_look_up_offers_what_the_partner_has_open(home: Home, door: Door) -> None:
    first, second = deliver(door, 100), deliver(door, 50)
    receive_money(door, 100, (first, 100))
    hits = open_items.look_up(door, "receipt", "lines.item", customer(door), "")
    assert [hit[0] for hit in hits] == [f"sales_delivery/{second}"]
    assert "50.00" in hits[0][2]
    assert open_items.look_up(door, "receipt", "lines.item", None, "") == ()
    assert open_items.look_up(door, "receipt", "lines.item", customer(door), "PI") == ()


def test_pages_of_ageing_and_vouchers_have_the_totals_of_everything(home: Home, door: Door) -> None:
    for number in range(3):
        do(door, "customer", "save", {"code": f"P{number}", "name": f"客户{number}", "salesperson": "everybody"})
        lines = [{"product": "A032", "qty": 1, "price": 10 + number, "tax_rate": 0}]
        do(door, "sales_delivery", "approve", {"customer": f"P{number}", "warehouse": "W1", "lines": lines})
    whole = finance.ageing(door, "receivable")
    assert whole.next is None and len(whole.rows) == 3 and whole.total.total == Decimal(33)
    first = finance.ageing(door, "receivable", limit=2)
    second = finance.ageing(door, "receivable", after=2, limit=2)
    assert (first.next, second.next) == (2, None) and (*first.rows, *second.rows) == whole.rows
    assert first.total == second.total == whole.total
    for _ in range(2):
        deliver(door, 5)
    items = [finance.ageing(door, "receivable", partner=customer(door), items_after=n, limit=1) for n in (0, 1, 2)]
    assert [(len(one.items), one.further) for one in items] == [(1, 1), (1, None), (0, None)]
    assert items[0].items != items[1].items

    booked = vouchers.vouchers(door, "", START, START)
    assert booked.count == len(booked.vouchers) == 5 and booked.next is None
    pages = [vouchers.vouchers(door, "", START, START, after=n, limit=4) for n in (0, 4, 8)]
    assert [(len(one.vouchers), one.next) for one in pages] == [(4, 4), (1, None), (0, None)]
    assert (*pages[0].vouchers, *pages[1].vouchers) == booked.vouchers, "numbers go on from page to page"
    assert {(one.count, one.debit, one.credit) for one in pages} == {(5, booked.debit, booked.credit)}


def test_a_statement_goes_from_opening_to_closing(home: Home, door: Door) -> None:
    first = deliver(door, 100)
    home.clock.wait(days=31)
    deliver(door, 60)
    receive_money(door, 150, (first, 100))
    begin = START + timedelta(days=31)
    view = finance.statement(door, "receivable", customer(door), begin, begin)
    assert (view.opening, view.charged, view.closing) == (Decimal(100), Decimal(60), Decimal(10))
    assert view.opening + view.charged - view.settled == view.closing == view.lines[-1].balance
    assert [one.open for one in view.open_items] == [Decimal(60)], "what was paid ahead settles nothing by itself"
    whole = finance.statement(door, "receivable", customer(door), START, begin)
    assert whole.opening == ZERO and whole.closing == view.closing


def test_vouchers_of_documents_and_of_the_period(home: Home, door: Door, tmp_path: Path) -> None:
    delivery = deliver(door, 100, 13)
    receive_money(door, 113, (delivery, 113))
    end = START + timedelta(days=1)
    for chart, revenue, cost in (("enterprise", "6001", "6401"), ("small_business", "5001", "5401")):
        view = vouchers.vouchers(door, chart, START, end)
        assert view.unmapped == () and view.debit == view.credit
        sold = next(one for one in view.vouchers if one.form == "sales_delivery")
        assert {(line.account, line.debit, line.credit) for line in sold.lines} == {
            ("1122", Decimal(113), ZERO), (revenue, ZERO, Decimal(100)), ("22210106", ZERO, Decimal(13)),
            (cost, Decimal(2), ZERO), ("1405", ZERO, Decimal(2)),
        }  # fmt: skip
        paid = next(one for one in view.vouchers if one.form == "receipt")
        assert [(line.account, line.debit, line.credit) for line in paid.lines] == [
            ("1002", Decimal(113), ZERO), ("1122", ZERO, Decimal(113)),
        ]  # fmt: skip
        together = vouchers.vouchers(door, chart, START, end, "period")
        assert len(together.vouchers) == 1 and together.debit == view.debit
    count = vouchers.export(door, view, tmp_path / "v.csv", "csv")
    with (tmp_path / "v.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == count + 1 == sum(len(one.lines) for one in view.vouchers) + 1
    vouchers.export(door, view, tmp_path / "v.xlsx", "xlsx")
    sheet = load_workbook(tmp_path / "v.xlsx").active
    assert sheet is not None and sheet.max_row == count + 1
    assert str(sheet["E2"].value) in ("1122", "5401")


def test_finance_pages_are_for_those_whose_role_opens_them(home: Home, door: Door) -> None:
    keeper = home.door("keeper")
    for ask in (
        lambda: finance.ageing(keeper, "receivable"),
        lambda: finance.statement(keeper, "receivable", customer(door), START, START),
        lambda: vouchers.vouchers(keeper, "", START, START),
    ):
        with pytest.raises(Refused) as refused:
            ask()
        assert codes(refused.value) == ["permission.page_denied"]


def test_two_people_cannot_both_settle_a_document(home: Home, door: Door) -> None:
    document = deliver(door, 100)
    start, refusals = threading.Barrier(2), []

    def settle() -> None:
        start.wait()
        try:
            receive_money(door, 80, (document, 80))
        except Refused as refused:
            refusals.append(codes(refused)[0])

    threads = [threading.Thread(target=settle) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refusals) == 1 and refusals[0] in ("ledger.over_settled", "field.open_item_closed")
    assert stock.balance(door, "receivable", {"customer": customer(door)})[1] == Decimal(20)
    assert verify(home.house, WORKSPACE).differences == ()


def test_the_pages_tell_the_same_figures(home: Home, door: Door) -> None:
    first = deliver(door, 100)
    receive_money(door, 30, (first, 30))
    client = TestClient(create_app(home.house.settings, home.house))
    session = client.post(
        f"/w/{WORKSPACE}/login",
        data={**_entrance(client), "login": "everybody", "password": PASSWORD},
        follow_redirects=False,
    )
    assert session.status_code == 303
    root = f"/w/{WORKSPACE}/general"
    for page, says in (
        ("ageing", "¥70.00"),
        (f"statement?partner={customer(door)}", "¥70.00"),
        ("vouchers", "记-1"),
        ("vouchers?start=9999-12-31", "9999-12-31"),
    ):
        answer = client.get(f"{root}/{page}")
        assert answer.status_code == 200 and says in answer.text, page
    empty = client.get(f"{root}/vouchers?after=999999999999")
    assert empty.status_code == 200 and "¥" in empty.text, "the totals stand on every page"
    exported = client.get(f"{root}/vouchers?file=csv&after=1")
    assert exported.headers["content-type"].startswith("text/csv") and "1122" in exported.text
    found = client.get(f"{root}/receipt/lookup?field=lines.item&q=SD&partner={customer(door)}").json()["hits"]
    assert [hit[0] for hit in found] == [f"sales_delivery/{first}"]


def test_the_api_answers_ageing_statement_and_vouchers(home: Home, door: Door) -> None:
    first = deliver(door, 100)
    client = TestClient(create_app(home.house.settings, home.house))
    token = accounts.create_api_key(door, "test")
    headers = {"Authorization": f"Bearer {token}"}
    base = f"/api/v1/{WORKSPACE}/general"
    number = client.get(f"{base}/sales_delivery/{first}", headers=headers).json()["number"]
    line = {"item": number, "this": 30}
    data = {"customer": "K77", "account": "A01", "amount": 30, "lines": [line]}
    made = client.post(f"{base}/receipt", json={"data": data, "action": "approve"}, headers=headers)
    assert made.status_code == 201, made.text
    assert client.get(f"{base}/sales_delivery/{first}", headers=headers).json()["settle_status"] == "partial"
    ageing = client.get(f"{base}/-/ageing", headers=headers).json()
    assert ageing["rows"][0]["total"] == "70" and ageing["rows"][0]["amounts"]["not_due"] == "70"
    period = {"start": "2026-01-01", "end": "2026-01-31"}
    told = client.get(f"{base}/-/statement", params={**period, "partner": customer(door)}, headers=headers).json()
    assert (told["opening"], told["closing"]) == ("0", "70")
    booked = client.get(f"{base}/-/vouchers", params=period, headers=headers).json()
    assert booked["debit"] == booked["credit"] and booked["unmapped"] == []


def _entrance(client: TestClient) -> dict[str, str]:
    page = client.get(f"/w/{WORKSPACE}/login").text
    return {
        name: match[1] for name in ("entrance", "back") if (match := re.search(rf'name="{name}" value="([^"]*)"', page))
    }
