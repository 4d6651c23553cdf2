"""Saving: once for two clicks, never over somebody else's change, and nothing typed is ever lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from engine.forms.draft import LinePatch, Patch
from runtime.facade import lists
from runtime.facade.lists import ListRequest
from tests.browser.company import Company
from tests.browser.conftest import Visit
from tests.browser.document_page import cell, press, ready, status, text

pytestmark = pytest.mark.browser


def count(company: Company, form: str) -> int:
    return len(lists.page(company.door("buyer"), form, ListRequest(limit=200)).rows)


def fill(page: Page, quantity: str = "5") -> None:
    """The least an order needs."""
    page.locator("[id='f-supplier']").fill("S01")
    page.locator("[id='f-warehouse']").fill("W1")
    cell(page, 1, "product").click()
    page.keyboard.type("P001")
    press(page, "Enter")
    expect(text(page, 1, "product")).to_have_text("P001 五常大米")
    cell(page, 1, "qty").click()
    page.keyboard.type(quantity)
    press(page, "Enter")


def test_saving_keeps_the_place_and_gives_a_number(visit: Visit) -> None:
    page = ready(visit("buyer", "purchase_order", "new"))
    fill(page)
    press(page, "Control+s")
    expect(page.locator("#doc-title")).to_contain_text("PO20260302-")
    assert "/purchase_order/new" not in page.url
    assert page.evaluate("!!document.activeElement.closest('.sheet')")
    expect(page.locator("[data-unsaved]")).to_be_hidden()
    cell(page, 1, "qty").click()
    page.keyboard.type("8")
    with page.expect_response(lambda answer: answer.request.method == "POST") as saved:  # the first toast still shows
        press(page, "Control+s")
    assert saved.value.ok
    page.reload()
    expect(text(ready(page), 1, "qty")).to_have_text("8")


def test_two_clicks_submit_once(visit: Visit, company: Company) -> None:
    before = count(company, "purchase_order")
    page = ready(visit("buyer", "purchase_order", "new"))
    fill(page)
    page.evaluate("() => { const one = document.querySelector('[data-action=submit]'); one.click(); one.click(); }")
    status(page, "pending")
    assert count(company, "purchase_order") == before + 1


# The request arrives and is carried out; the page never hears of it.
LOSE_ONE_ANSWER = """() => {
    const real = window.fetch;
    window.lost = [];
    window.fetch = async (...given) => {
        const answer = await real(...given);
        if (!String(given[0]).endsWith("/save") || window.lost.length) return answer;
        window.lost.push(answer.status);
        throw new TypeError("reset");
    };
}"""


def test_a_lost_answer_is_asked_again_without_doing_it_twice(visit: Visit, company: Company) -> None:
    before = count(company, "purchase_order")
    page = ready(visit("buyer", "purchase_order", "new"))
    fill(page)
    page.evaluate(LOSE_ONE_ANSWER)
    press(page, "Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("连接中断")
    assert page.evaluate("() => window.lost") == [200]
    press(page, "Control+Enter")
    status(page, "pending")
    assert count(company, "purchase_order") == before + 1


def test_the_second_of_two_tabs_is_told_and_keeps_its_text(visit: Visit, company: Company) -> None:
    document = company.order(2)
    first, second = (ready(visit("buyer", "purchase_order", document)) for _ in range(2))
    cell(first, 1, "qty").click()
    first.keyboard.type("11")
    press(first, "Control+s")
    expect(first.locator("#toasts")).to_contain_text("已保存")
    cell(second, 2, "qty").click()
    second.keyboard.type("22")
    press(second, "Control+s")
    bar = second.locator(".doc-bar")
    expect(bar).to_contain_text("李采购")
    bar.get_by_role("button").click()
    ready(second)
    expect(text(second, 1, "qty")).to_have_text("11")
    expect(text(second, 2, "qty")).to_have_text("22")
    press(second, "Control+s")
    expect(second.locator("#toasts")).to_contain_text("已保存")


def test_what_was_typed_survives_a_closed_tab(visit: Visit) -> None:
    page = ready(visit("buyer", "purchase_order", "new"))
    page.on("dialog", lambda dialog: dialog.accept())
    fill(page, "77")
    expect(text(page, 1, "amount")).to_have_text("¥5,236.00")
    page.close(run_before_unload=True)
    again = ready(visit("buyer", "purchase_order", "new"))
    again.get_by_role("button", name="恢复未保存的内容").click()
    expect(text(again, 1, "qty")).to_have_text("77")
    expect(text(again, 1, "amount")).to_have_text("¥5,236.00")
    expect(again.locator("[id='f-supplier']")).to_have_value("S01 北大仓米业")
    again.evaluate("localStorage.clear()")


def test_a_warning_is_shown_and_may_be_accepted(visit: Visit) -> None:
    page = ready(visit("buyer", "purchase_order", "new"))
    fill(page)
    cell(page, 1, "price").click()
    page.keyboard.type("0")
    press(page, "Control+Enter")
    ask = page.locator("#doc-ask")
    expect(ask).to_contain_text("请确认是赠品")
    ask.get_by_role("button", name="仍然提交").click()
    status(page, "pending")


def test_rejecting_asks_for_a_reason(visit: Visit, company: Company) -> None:
    document = company.order(1, "submit")
    page = ready(visit("manager", "purchase_order", document))
    page.locator("[data-action=reject]").first.click()
    ask = page.locator("#doc-ask")
    ask.get_by_role("button", name="驳回").click()
    expect(ask).to_contain_text("请写明原因")
    page.keyboard.type("价格偏高")
    press(page, "Control+Enter")
    status(page, "rejected")
    expect(page.locator("#panel-approvals")).to_contain_text("价格偏高")


def test_what_cannot_be_done_says_why(visit: Visit, company: Company) -> None:
    page = ready(visit("manager", "purchase_order", company.order(1)))
    page.locator(".strip-more summary").click()
    approve = page.locator(".strip-more [aria-disabled=true]").filter(has_text="审核").first
    expect(approve).to_contain_text("请先提交")


def test_a_submission_can_be_taken_back_from_its_toast(visit: Visit, company: Company) -> None:
    page = ready(visit("buyer", "purchase_order", company.order(1)))
    press(page, "Control+Enter")
    status(page, "pending")
    page.locator("#toasts .toast-way").click()
    status(page, "draft")


def test_a_record_is_a_document_too(visit: Visit) -> None:
    page = ready(visit("data", "product", "new"))
    page.locator("[id='f-code']").fill("P900")
    page.locator("[id='f-name']").fill("海苔")
    press(page, "Control+Enter")
    expect(page.locator("#doc-problems")).to_contain_text("商品分类")
    expect(page.locator("[data-field=category]")).to_contain_text("必填")
    page.locator("[id='f-category']").fill("C1")
    page.locator("[id='f-base_unit']").fill("袋")
    press(page, "Control+s")
    expect(page.locator("#doc-title")).to_contain_text("P900 海苔")


def test_on_a_phone_lines_are_cards_and_the_button_is_within_reach(visit: Visit, company: Company) -> None:
    page = ready(visit("buyer", "purchase_order", company.order(2), width=390, height=844))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".sheet tbody tr").nth(1).locator("td[data-col=qty]").tap()
    page.keyboard.type("3")
    press(page, "Enter")
    expect(text(page, 2, "amount")).to_have_text("¥19.50")
    small = page.evaluate(
        """() => [...document.querySelectorAll(
            '.strip-actions .btn, .form-control, .form-select, .lines-add, .row-remove')]
            .filter((one) => one.offsetHeight && one.offsetHeight < 43).map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert small == []
    page.locator("[data-action=submit]").tap()
    status(page, "pending")


def test_files_go_up_at_once_and_stay_with_the_document(visit: Visit, company: Company) -> None:
    page = ready(visit("buyer", "purchase_order", company.order(1)))
    page.get_by_role("tab", name="附件").click()
    note = {"name": "合同.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 a contract"}
    page.locator("[data-path=attachments] input[type=file]").set_input_files(files=[note])  # type: ignore[list-item]
    expect(page.locator("[data-path=attachments] .file-one a")).to_contain_text("合同.pdf")
    press(page, "Control+s")
    expect(page.locator("#toasts")).to_contain_text("已保存")
    page.reload()
    ready(page).get_by_role("tab", name="附件").click()
    expect(page.locator("[data-path=attachments] .file-one a")).to_contain_text("合同.pdf")


@pytest.mark.parametrize("width", [1440, 390])
def test_goods_in_stock_come_in_by_the_keyboard_and_what_was_typed_is_kept(
    visit: Visit, company: Company, width: int
) -> None:
    goods = {"lines": (LinePatch(values={"product": "P004", "qty": "5"}),)}
    company.do("storehead", "other_receipt", "approve", patch=Patch(values={"warehouse": "W1"}, lines=goods))
    plan = company.do("storehead", "stocktake_plan", "save", patch=Patch(values={"warehouse": "W1", "type": "full"}))
    page = ready(visit("storehead", "stocktake_plan", plan, width=width))
    page.locator("[id='f-remark']").fill("夜里盘")
    if width < 500:
        page.locator(".strip-more summary").press("Enter")
    with page.expect_navigation():
        page.locator("[data-action='fetch:in_stock']:visible").press("Enter")
    expect(page.locator("[id='f-remark']")).to_have_value("夜里盘")
    expect(ready(page).get_by_text("P004 花生油").first).to_be_attached()
