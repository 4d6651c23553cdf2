"""Lists and the frame by hand: filter, sort, columns, several at once, the way back, search box, hotkeys, the phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.company import GOODS, Company
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def names(page: Page) -> list[str]:
    return page.locator(".row-link").all_inner_texts()


def test_a_filter_is_made_in_the_drawer_and_taken_off_its_chip(visit: Visit) -> None:
    page = visit("data", "product")
    page.get_by_role("button", name="筛选").click()
    page.locator("#filter-path").select_option("name")
    page.locator("#filter-value").fill("米")
    page.get_by_role("button", name="添加筛选").click()
    expect(page.locator(".row-link")).to_have_text(["P001"])
    expect(page.locator("#drawer")).not_to_be_visible()
    expect(page).to_have_url(re.compile(r"product\?f=name%3Acontains%3A"))
    page.get_by_role("link", name="去掉筛选：商品名称").click()
    expect(page.locator(".row-link")).to_have_count(len(GOODS))


def test_a_link_is_filtered_by_look_up(visit: Visit, company: Company) -> None:
    company.order(1)
    page = visit("buyer", "purchase_order")
    page.get_by_role("button", name="筛选").click()
    page.locator("#filter-path").select_option("supplier")
    page.locator("#filter-text").fill("bdc")  # 北大仓 by its initials
    expect(page.locator(".filter-hit")).to_have_count(1)
    page.get_by_role("button", name="添加筛选").click()
    expect(page.locator(".filter-chip")).to_contain_text("北大仓米业")
    expect(page.locator(".row-link").first).to_be_visible()


def test_search_sort_and_the_way_back(visit: Visit) -> None:
    page = visit("data", "product")
    page.keyboard.press("/")
    page.keyboard.type("lvdou")
    page.keyboard.press("Enter")
    expect(page.locator(".row-link")).to_have_text(["P005"])
    page.go_back()
    expect(page.locator(".row-link")).to_have_count(len(GOODS))
    page.get_by_role("link", name="商品编码").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("商品编码")
    assert names(page)[0] == "P012"
    page.locator(".row-link").first.click()
    page.wait_for_url(re.compile(r"/product/\d+"))
    page.go_back()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("商品编码")


def test_the_menu_stays_beside_a_page_longer_than_the_window(visit: Visit) -> None:
    page = visit("data", "product")
    page.set_viewport_size({"width": 1440, "height": 320})
    page.mouse.move(900, 200)
    page.mouse.wheel(0, 2000)
    page.wait_for_function("scrollY > 200")
    box = page.locator(".rail").bounding_box()
    assert box is not None
    assert (box["y"], box["height"]) == (0, 320)


def test_columns_move_by_keyboard(visit: Visit) -> None:
    page = visit("data", "product")
    before = page.locator("thead th a").all_inner_texts()
    page.get_by_role("button", name="列设置").click()
    page.get_by_role("button", name=f"下移{before[0]}").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="应用").click()
    expect(page.locator("#drawer")).not_to_be_visible()
    assert page.locator("thead th a").all_inner_texts()[:2] == [before[1], before[0]]


def test_several_at_once_ask_first_and_tell_the_result(visit: Visit, company: Company) -> None:
    kept, dropped = company.order(1, "submit"), company.order(1)
    page = visit("manager", "purchase_order")
    for one in (kept, dropped):
        page.locator(f"#row-{one} input[name=id]").check()
    expect(page.locator("[data-ticked]")).to_have_text("2")
    page.get_by_role("button", name="删除").click()
    page.get_by_role("button", name="确定").click()
    expect(page.locator("#drawer")).to_contain_text("1 条已删除")
    expect(page.locator("#drawer")).to_contain_text("1 条没有删除")
    expect(page.locator(f"#row-{dropped}")).to_have_count(0)
    page.locator("#drawer").get_by_role("button", name="关闭").last.click()
    expect(page.locator(f"#row-{kept}")).to_be_visible()
    expect(page.locator(".bulk-bar")).to_be_hidden()


def test_the_search_box_and_the_hotkeys(visit: Visit) -> None:
    page = visit("buyer", "home")
    page.keyboard.press("Control+k")
    page.keyboard.type("hme")  # 黑木耳
    expect(page.locator("#palette-results a").first).to_contain_text("黑木耳")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/product/\d+"))
    page.goto(page.url.rpartition("/product")[0] + "/home")
    page.keyboard.press("F6")
    page.wait_for_url("**/stock")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("刷新库存余额")


def test_the_rail_stays_as_it_was_left(visit: Visit) -> None:
    page = visit("buyer", "home")
    page.get_by_role("button", name="收起或展开菜单").click()
    page.reload()
    assert page.locator(".rail").bounding_box()["width"] < 80  # type: ignore[index]
    page.get_by_role("button", name="收起或展开菜单").click()


@pytest.mark.parametrize("path", ["home", "purchase_order", "stock", "tasks", "me", "menu", "scan"])
def test_a_phone_shows_everything_without_scrolling_sideways(visit: Visit, company: Company, path: str) -> None:
    company.order(2, "submit")
    page = visit("gm", path, width=390, height=844)
    expect(page.locator(".bottom")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        "[...document.querySelectorAll('.content a.btn, .content button, .bottom a, .top button, .top > a')]"
        ".filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 34 && !e.closest('.spoken'))"
        ".filter((e) => getComputedStyle(e).position !== 'absolute').map((e) => e.outerHTML)"
    )
    assert small == []
