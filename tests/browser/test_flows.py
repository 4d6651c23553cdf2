"""Approvals in a real browser: twenty tasks on a phone; moves by mouse; the picture is what the run says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from engine.forms.draft import LinePatch, Patch
from runtime.facade import flow_view
from tests.browser.company import APP, WORKSPACE, Company
from tests.browser.conftest import Visit
from tests.browser.document_page import ready, status

pytestmark = pytest.mark.browser
FORM = "purchase_order"
TASKS = 20
PHONE = {"width": 390, "height": 844}


def big_order(company: Company) -> int:
    """An order above the limit of the general manager."""
    rows = tuple(LinePatch(values={"product": code, "qty": "900"}) for code in ("P001", "P004"))
    values = {"supplier": "S01", "warehouse": "W1", "arrive_date": "2026-03-05"}
    return company.do("buyer", FORM, "submit", patch=Patch(values=values, lines={"lines": rows}))


def states(company: Company, document: int) -> dict[str, str]:
    """What the facade says of every node."""
    drawn = flow_view.flow_view(company.door("buyer"), FORM, document).picture
    assert drawn is not None
    return dict(drawn.states())


def shown_states(page: Page, drawing: str) -> dict[str, str]:
    """What the picture shows of every node."""
    nodes = page.locator(f".flow-{drawing} [data-node]")
    found: list[list[str]] = nodes.evaluate_all("all => all.map(one => [one.dataset.node, one.dataset.state])")
    return {one[0]: one[1] for one in found}


def open_move(page: Page, kind: str) -> None:
    """Open the dialog of a move on the page a task is decided on."""
    page.locator(".decide-more summary").click()
    page.locator(f".decide-more [data-move={kind}]").click()
    expect(page.locator("#drawer [data-flow-form]")).to_be_visible()


def test_a_manager_works_through_twenty_tasks_on_a_phone(company: Company, visit: Visit) -> None:
    documents = [company.order(lines=2, action="submit") for _ in range(TASKS)]
    page = visit("manager", "tasks", **PHONE)
    expect(page.locator("[data-tab=open] .tab-count")).to_have_text(str(TASKS))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("link", name="逐条处理").tap()
    for number in range(1, TASKS + 1):
        expect(page.locator("[data-count]")).to_have_text(f"第 {number} / {TASKS} 条")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if number == 3:
            # Rejecting asks for a reason before anything is sent.
            page.locator(".decide-no").tap()
            expect(page.locator("[data-remark-say]")).to_contain_text("原因")
            page.locator(".decide-remark").fill("价格偏高，请重新询价")
            page.locator(".decide-no").tap()
        else:
            page.locator(".decide-yes").tap()
    expect(page.locator("[data-finished]")).to_be_visible()
    door = company.door("buyer")
    found = [flow_view.flow_view(door, FORM, one).status for one in documents]
    assert sorted(found) == ["approved"] * (TASKS - 1) + ["rejected"]
    done = visit("manager", "tasks", tab="done", **PHONE)
    expect(done.locator("[data-inbox=done] .inbox-row").first).to_contain_text("同意")
    expect(done.locator("[data-tab=done] .tab-count")).to_have_text(str(TASKS))


def test_keys_decide_and_several_are_agreed_at_once(company: Company, visit: Visit) -> None:
    for _ in range(3):
        company.order(lines=1, action="submit")
    page = visit("manager", "tasks")
    page.locator(".inbox-title").first.click()
    expect(page.locator("[data-count]")).to_have_text("第 1 / 3 条")
    expect(page.locator("[data-decide]")).to_have_attribute("data-ready", "yes")
    page.keyboard.press("a")
    expect(page.locator("[data-count]")).to_have_text("第 2 / 3 条")
    page.goto(page.url.split("/tasks")[0] + "/tasks")
    page.locator("[data-tick-all]").check()
    expect(page.locator("[data-ticked]")).to_have_text("2")
    page.locator(".batch-remark").fill("同意，尽快到货")
    page.get_by_role("button", name="批量同意").click()
    expect(page.locator("[data-outcome=done]")).to_have_count(2)
    expect(page.locator("[data-outcome=failed]")).to_have_count(0)


def test_the_picture_shows_what_the_run_says(company: Company, visit: Visit) -> None:
    document = big_order(company)
    page = visit("buyer", "flows", FORM, document)
    assert shown_states(page, "wide") == states(company, document)
    assert states(company, document) == {"purchase_mgr": "present", "finance": "future", "gm": "future"}
    company.do("manager", FORM, "approve", document=document)
    page.reload()
    assert shown_states(page, "wide") == states(company, document)
    assert states(company, document) == {"purchase_mgr": "passed", "finance": "skipped", "gm": "present"}
    expect(page.locator(".flow-wide [data-node=purchase_mgr]")).to_contain_text("张经理 同意")
    phone = visit("gm", "flows", FORM, document, **PHONE)
    assert shown_states(phone, "rail") == states(company, document)
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(phone.locator(".spoken").filter(has_text="流程图")).to_contain_text("总经理审批：进行中")
    company.do("gm", FORM, "reject", document=document, reason="预算不足")
    page.reload()
    assert shown_states(page, "wide") == states(company, document)
    assert states(company, document)["gm"] == "stopped"
    expect(page.locator("[data-flow-status=rejected]")).to_be_visible()


def test_people_are_added_and_return_and_withdraw_by_mouse(company: Company, visit: Visit) -> None:
    document = big_order(company)
    company.do("manager", FORM, "approve", document=document)
    page = visit("gm", "tasks")
    page.locator(".inbox-title").first.click()
    open_move(page, "return")
    page.locator("#drawer [name=node]").first.check()
    page.locator("#drawer [name=comment]").fill("请补充比价")
    page.locator("[data-move-do]").click()
    expect(page.locator("#toasts")).to_contain_text("已退回")
    assert states(company, document)["purchase_mgr"] == "present"

    page = visit("manager", "tasks")
    page.locator(".inbox-title").first.click()
    expect(page.locator(".review-log")).to_contain_text("请补充比价")
    open_move(page, "add_sign")
    page.locator("#drawer [name=place][value=before]").check()
    for typed, name in (("wukuaiji", "吴会计"), ("sales", "赵销售")):
        page.locator("#drawer input[role=combobox]").click()
        page.keyboard.type(typed)
        page.locator(".people-hits [role=option]").filter(has_text=name).click()
    expect(page.locator(".people-one")).to_have_count(2)
    page.locator("[data-move-do]").click()
    expect(page.locator("#toasts")).to_contain_text("已加签")
    log = flow_view.flow_view(company.door("buyer"), FORM, document).log
    assert [line.user for line in log if line.waiting] == ["吴会计", "赵销售"]

    # Those who were added decide first; what the manager may not do now says why.
    flow = visit("manager", "flows", FORM, document)
    flow.locator(".strip-more summary").click()
    agree = flow.locator("[data-move=agree]")
    expect(agree).to_have_attribute("aria-disabled", "true")
    expect(agree).to_have_attribute("title", re.compile("采购经理审批"))
    flow.keyboard.press("Escape")
    flow.locator("[data-move=remove_sign]").first.click()
    flow.locator("#drawer .move-choice").filter(has_text="赵销售").locator("input").check()
    flow.locator("[data-move-do]").click()
    expect(flow.locator("#toasts")).to_contain_text("已减签")
    log = flow_view.flow_view(company.door("buyer"), FORM, document).log
    assert [line.user for line in log if line.waiting] == ["吴会计"]

    # Somebody has decided, so the submitter may no longer withdraw; an order nobody has looked at can be.
    fresh = big_order(company)
    page = ready(visit("buyer", FORM, fresh))
    page.locator("[data-action=withdraw]").first.click()
    status(page, "draft")
    page = visit("buyer", "tasks", tab="mine")
    assert f"/w/{WORKSPACE}/{APP}/tasks" in page.url
    expect(page.locator("[data-inbox=mine] .inbox-row").first).to_contain_text("已撤回")


def test_a_stand_in_is_asked_instead(company: Company, visit: Visit) -> None:
    page = visit("gm", "flows", "stand-ins")
    page.locator("input[role=combobox]").click()
    page.keyboard.type("caigou")
    page.locator(".people-hits [role=option]").filter(has_text="李采购").click()
    page.locator("#si-until").fill("2026-03-10")
    page.locator("#si-reason").fill("出差")
    page.get_by_role("button", name="新建委托").click()
    expect(page.locator("[data-stand-in=holds]")).to_contain_text("李采购")
    expect(visit("buyer", "flows", "stand-ins", **PHONE).locator("[data-stand-in=holds]")).to_contain_text("王总")
    page.locator("[data-stand-in=holds] button").click()
    page.locator("[data-ask-yes]").click()
    expect(page.locator("[data-stand-in=over]")).to_contain_text("已结束")
