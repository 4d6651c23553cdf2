"""The line grid by keyboard: walking, copying, pasting, adding, removing, and errors that speak at their cell."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.company import GOODS, Company
from tests.browser.conftest import Visit
from tests.browser.document_page import cell, choose, copied, current, paste, press, ready, text

pytestmark = pytest.mark.browser


@pytest.fixture
def order(visit: Visit, company: Company) -> Page:
    """A draft order of three lines, its first product being the current cell."""
    page = ready(visit("buyer", "purchase_order", company.order(3)))
    cell(page, 1, "product").click()
    return page


def test_arrows_tab_and_enter_walk(order: Page) -> None:
    press(order, "ArrowRight")
    assert current(order) == (1, "spec")  # arrows stop at every column
    press(order, "ArrowDown", "ArrowRight", "ArrowRight")
    assert current(order) == (2, "qty")
    press(order, "ArrowUp", "ArrowLeft", "Shift+Tab")
    assert current(order) == (1, "product")  # Tab only where one may type
    press(order, "Tab", "Tab", "Enter")
    assert current(order) == (2, "product")  # Enter returns to where the line was begun
    press(order, "Shift+Enter", "Home", "Shift+Tab")
    assert not order.evaluate("!!document.activeElement.closest('.sheet')")  # no trap


def test_typing_replaces_f2_edits_escape_cancels_delete_clears(order: Page) -> None:
    cell(order, 1, "qty").click()
    order.keyboard.type("25")
    press(order, "Enter")
    expect(text(order, 1, "amount")).to_have_text("¥1,700.00")
    press(order, "ArrowUp", "F2")
    order.keyboard.type("0")
    press(order, "Enter")
    expect(text(order, 1, "amount")).to_have_text("¥17,000.00")
    press(order, "ArrowUp")
    order.keyboard.type("7")
    press(order, "Escape", "Enter")
    expect(text(order, 1, "qty")).to_have_text("250")
    press(order, "ArrowUp", "Delete")
    expect(text(order, 1, "qty")).to_have_text("")
    expect(text(order, 1, "amount")).to_have_text("")


def test_ctrl_d_copies_from_above(order: Page) -> None:
    cell(order, 1, "qty").click()
    order.keyboard.type("33")
    press(order, "Enter", "Control+d")
    expect(text(order, 2, "qty")).to_have_text("33")
    press(order, "ArrowUp", "Shift+ArrowDown", "Shift+ArrowDown", "Control+d")
    expect(text(order, 3, "qty")).to_have_text("33")
    expect(text(order, 3, "amount")).to_have_text("¥237.60")


def test_lines_are_added_and_removed(order: Page) -> None:
    rows = order.locator(".sheet tbody tr")
    press(order, "ArrowDown", "Insert")
    assert rows.count() == 4 and current(order) == (2, "product")
    choose(order, "huashengyou")
    expect(text(order, 2, "product")).to_have_text("P004 花生油")
    press(order, "Control+Delete")
    assert rows.count() == 3
    expect(text(order, 2, "product")).to_have_text("P002 山西陈醋")
    press(order, "ArrowDown", "Home", "Enter")
    assert rows.count() == 4 and current(order) == (4, "product")
    press(order, "Enter")
    assert rows.count() == 4  # an empty line makes no further one


def test_choosing_another_record_brings_its_own_figures(order: Page) -> None:
    cell(order, 1, "price").click()
    order.keyboard.type("1")
    press(order, "Enter")
    expect(text(order, 1, "amount")).to_have_text("¥10.00")
    cell(order, 1, "product").click()
    choose(order, "P004")
    expect(text(order, 1, "unit")).to_have_text("桶")
    expect(text(order, 1, "price")).to_have_text("89.90")


def test_a_look_up_typed_faster_than_it_answers(order: Page) -> None:
    cell(order, 1, "product").click()
    order.keyboard.type("lvdou")
    press(order, "Enter")
    expect(text(order, 1, "product")).to_have_text("P005 绿豆")
    expect(text(order, 1, "unit")).to_have_text("袋")


def test_looking_at_the_list_chooses_nothing(order: Page) -> None:
    press(order, "F2")
    expect(order.locator("#doc-lookup .lookup-hit").first).to_be_visible()
    press(order, "Enter", "ArrowUp")
    expect(text(order, 1, "product")).to_have_text("P001 五常大米")
    press(order, "Alt+ArrowDown")
    expect(order.locator("#doc-lookup .lookup-hit").nth(1)).to_be_visible()
    press(order, "ArrowDown", "ArrowDown", "Enter")
    expect(text(order, 1, "product")).to_have_text("P002 山西陈醋")
    assert current(order) == (1, "unit")  # nothing needed is missing: simply the next cell


def test_blocks_go_out_and_come_in(order: Page) -> None:
    press(order, "Shift+ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight")
    assert copied(order) == "P001 五常大米\t10kg\t袋\t10\nP002 山西陈醋\t500ml\t瓶\t10"
    block = copied(order)
    cell(order, 3, "product").click()
    paste(order, block)
    expect(text(order, 4, "product")).to_have_text("P002 山西陈醋")
    expect(text(order, 4, "amount")).to_have_text("¥65.00")
    cell(order, 1, "product").click()
    paste(order, '数量\t商品\t行备注\r\n5\tP007\t"两行\n备注"\r\n6\tP008\t急')
    expect(text(order, 1, "product")).to_have_text("P007 食用盐")
    expect(text(order, 2, "qty")).to_have_text("6")
    expect(text(order, 2, "line_remark")).to_have_text("急")


def test_errors_speak_at_their_cell_and_the_list_leads_there(order: Page) -> None:
    cell(order, 2, "qty").click()
    order.keyboard.type("十箱")
    press(order, "Enter")
    wrong = cell(order, 2, "qty")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong.locator(".cell-say")).to_contain_text("十箱")
    expect(text(order, 2, "qty")).to_have_text("十箱")  # what was typed stays to be mended
    paste(order, "没有的商品")
    cell(order, 3, "product").click()
    paste(order, "没有的商品")
    expect(cell(order, 3, "product").locator(".cell-say")).to_contain_text("没有的商品")
    press(order, "Control+Enter")
    problems = order.locator("#doc-problems")
    expect(problems).to_contain_text("第 3 行 商品")
    problems.get_by_role("button", name="第 2 行 数量").click()
    assert current(order) == (2, "qty")
    order.keyboard.type("4")
    press(order, "Enter")
    expect(wrong).not_to_have_attribute("aria-invalid", "true")
    expect(problems).not_to_contain_text("第 2 行 数量")


def test_a_hundred_lines_are_pasted_and_walked(visit: Visit) -> None:
    page = ready(visit("buyer", "purchase_order", "new"))
    cell(page, 1, "product").click()
    paste(page, "\n".join(f"{GOODS[number % 12][0]}\t{GOODS[number % 12][3]}\t{number + 1}" for number in range(120)))
    expect(text(page, 120, "product")).to_have_text("P012 枸杞")
    cell(page, 60, "qty").click()
    for _ in range(30):
        press(page, "ArrowDown")
    assert current(page) == (90, "qty")
