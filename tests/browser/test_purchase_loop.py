"""The way of a purchase in a real browser: ordered by keyboard alone, approved, received in part, and seen in stock."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.company import GOODS, Company
from tests.browser.conftest import Visit
from tests.browser.document_page import choose, current, paste, press, ready, status, text

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ordered(company: Company) -> dict[str, str]:
    """Addresses one step leaves for the next."""
    return {}


def stock_row(page: Page) -> str:
    """What the stock page says about the rice, without spaces."""
    row = page.locator("main tr, main li, main .card-row").filter(has_text="P001").first
    expect(row).to_be_visible()
    return re.sub(r"\s+", " ", row.inner_text())


def test_the_buyer_files_ten_lines_by_keyboard(visit: Visit, ordered: dict[str, str]) -> None:
    page = ready(visit("buyer", "purchase_order", "new"))
    # The first empty field that must be filled waits: the supplier, found by pinyin.
    choose(page, "beidacang")
    expect(page.locator("[id='f-supplier']")).to_have_value("S01 北大仓米业")
    press(page, "Tab")
    page.keyboard.type("03052026")
    press(page, "Tab")
    if not page.evaluate("document.activeElement.id === 'f-warehouse'"):  # a native date has three parts
        page.locator("[id='f-warehouse']").focus()
    choose(page, "W1")
    expect(page.locator("[id='f-settle_method']")).to_have_value("monthly")
    while page.evaluate("!document.activeElement.closest('.sheet')"):
        press(page, "Tab")
    assert current(page) == (1, "product")
    # By initials, by code, by pinyin, by name: Enter takes the hit and goes on to the quantity, Enter to the next line.
    wanted = (("wcdm", "100"), ("P002", "24"), ("baishatang", "50"), ("花生油", "12"))
    for row, (typed, quantity) in enumerate(wanted, 1):
        assert current(page) == (row, "product")
        choose(page, typed)
        assert current(page) == (row, "qty")
        page.keyboard.type(quantity)
        press(page, "Enter")
    expect(text(page, 1, "product")).to_have_text("P001 五常大米")
    expect(text(page, 1, "unit")).to_have_text("袋")
    expect(text(page, 1, "amount")).to_have_text("¥6,800.00")
    # The rest as a block from Excel: code, unit, quantity.
    assert current(page) == (5, "product")
    block = (f"{code}\t{unit}\t{number * 10}" for number, (code, _, _, unit, _) in enumerate(GOODS[4:10], 1))
    paste(page, "\r\n".join(block))
    expect(text(page, 10, "product")).to_have_text("P010 干香菇")
    expect(text(page, 10, "amount")).to_have_text("¥3,360.00")
    expect(page.locator("[data-show=doc_total]").last).to_have_text("¥16,522.63")
    press(page, "Control+Enter")
    status(page, "pending")
    assert page.locator(".sheet tbody tr").count() == 10
    expect(page.locator("#toasts")).to_contain_text("已提交")
    expect(page.locator("#toasts .toast-way")).to_have_text("撤回")
    ordered["order"] = page.url.split("/general/")[1]


def test_the_manager_approves(visit: Visit, ordered: dict[str, str]) -> None:
    page = ready(visit("manager", *ordered["order"].split("/")))
    expect(page.locator("#panel-approvals")).to_contain_text("待处理")
    press(page, "Control+Enter")
    status(page, "approved")
    expect(page.locator("#panel-approvals")).to_contain_text("张经理")


def test_in_transit_grows_and_stock_does_not(visit: Visit, ordered: dict[str, str]) -> None:
    assert "100" in stock_row(visit("storehead", "stock"))


def test_the_keeper_receives_a_part_by_push_down(visit: Visit, ordered: dict[str, str]) -> None:
    page = ready(visit("keeper", *ordered["order"].split("/")))
    expect(page.locator("main")).not_to_contain_text("¥")
    page.locator("[data-push]").first.click()
    ready(page)
    expect(page).to_have_url(re.compile(r"/purchase_receipt/new\?from=purchase_order"))
    expect(text(page, 1, "qty")).to_have_text("100")
    page.locator("[data-table=lines] tbody tr:nth-child(1) td[data-col=qty]").click()
    page.keyboard.type("60")
    # Nine lines stay behind: they come another day.
    press(page, "Enter")
    for _ in range(9):
        press(page, "Control+Delete")
    assert page.locator(".sheet tbody tr").count() == 1
    press(page, "Control+Enter")
    status(page, "pending")
    ordered["receipt"] = page.url.split("/general/")[1]


def test_the_storehead_approves_and_stock_moves(visit: Visit, ordered: dict[str, str]) -> None:
    page = ready(visit("storehead", *ordered["receipt"].split("/")))
    page.locator("[data-action=approve]").first.click()
    status(page, "approved")
    expect(page.locator("#toasts")).to_contain_text("入库")
    expect(page.locator(".chain")).to_contain_text("采购订单")
    order = ready(visit("storehead", *ordered["order"].split("/")))
    expect(order.locator("[data-exec=partial]")).to_be_visible()
    row = stock_row(visit("storehead", "stock"))
    assert "60" in row and "40" in row


def test_finance_sees_the_value_and_sales_does_not(visit: Visit, ordered: dict[str, str]) -> None:
    assert "4,080" in stock_row(visit("finance", "stock"))
    page = visit("sales", "stock")
    row = stock_row(page)
    assert "4,080" not in row and "¥" not in row and "60" in row
    assert visit("sales", *ordered["order"].split("/")).locator("#document").count() == 0
