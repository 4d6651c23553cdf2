"""Rules by hand: an administrator goes from the list to a run and repeats it; a clerk is stopped and is warned."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engine.built_in import built_in_kinds
from engine.definitions.bundle import read_bundle
from engine.forms.draft import LinePatch, Patch
from engine.problems import Refused
from runtime.definition_files import read_definition_files
from runtime.facade import accounts
from runtime.messages.catalogue import Catalogue
from runtime.publishing.publish import publish
from tests.browser.company import PASSWORD, TEMPLATE, WORKSPACE, Company, found, noon
from tests.browser.conftest import Visit
from tests.browser.document_page import ready, status

pytestmark = pytest.mark.browser
FORM = "purchase_order"
PHONE = {"width": 390, "height": 844}
SUSPENDED = "供应商已停用或列入黑名单，不能下单"
MUCH = """
rule: much_at_once
label: {zh: 一次买得太多, en: Much at once}
when: {form: purchase_order, on: [submit]}
if: "sum(lines.qty) >= 15"
then:
  - warn: {say: {zh: 一次买这么多，请写明原因, en: So much at once; please say why}, at: remark, reason: true}
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Company]:
    """The company with one more rule, an administrator, and an order that a rule has refused."""
    made = found(tmp_path_factory.mktemp("company"), catalogue)
    files, unread = read_definition_files(TEMPLATE)
    bundle, problems = read_bundle({**files, "rules/much_at_once.yaml": MUCH}, built_in_kinds())
    assert bundle is not None, (unread, problems)
    publish(made.house.workspace(WORKSPACE).database, bundle, "test", noon())
    accounts.add_user(made.house, WORKSPACE, login="chief", name="周总管", password=PASSWORD, roles=("admin", "gm"))
    made.do(
        "data", "supplier", "save", document=made.made["supplier:S02"], patch=Patch(values={"standing": "suspended"})
    )
    draft = order(made, "S02")
    with pytest.raises(Refused):
        made.do("buyer", FORM, "submit", document=draft)
    yield made
    made.house.close()


def order(company: Company, supplier: str) -> int:
    """A draft of twenty pieces."""
    rows = tuple(LinePatch(values={"product": code, "qty": "10"}) for code in ("P001", "P002"))
    values = {"supplier": supplier, "warehouse": "W1", "arrive_date": "2026-03-05"}
    return company.do("buyer", FORM, "save", patch=Patch(values=values, lines={"lines": rows}))


def fits(page: Page, width: int) -> None:
    """Nothing scrolls sideways, and the tab that is open is in sight."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tab = page.locator(".tabs [aria-current=true]").bounding_box()
    assert tab is not None and tab["x"] >= 0 and tab["x"] + tab["width"] <= width


def test_an_administrator_follows_a_rule_to_a_run_and_runs_it_again(company: Company, visit: Visit) -> None:
    page = visit("chief", "settings", "rules")
    page.get_by_role("link", name="供应商停用拦截").click()
    expect(page.locator(".rule-said")).to_contain_text("供应商.合作状态 属于 (停用, 黑名单)")
    expect(page.locator(".rule-given").first).to_contain_text("黑名单")
    page.get_by_role("link", name="规则日志").click()
    page.locator("select[name=verdict]").select_option("rejected")
    page.get_by_role("button", name="筛选").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(SUSPENDED)
    rows.locator(".row-link").first.click()
    expect(page.locator(".notice-danger")).to_contain_text(SUSPENDED)
    expect(page.locator(".rule-value")).to_have_text("停用")
    page.locator(".rule-trace summary").click()
    expect(page.locator(".rule-steps").first).to_contain_text("suspended")
    page.get_by_role("button", name="重新执行").click()
    page.locator("[data-ask-yes]").click()
    expect(page.get_by_role("link", name="号日志的重新执行")).to_be_visible()
    fits(page, 1440)


def test_the_pages_fit_a_phone(company: Company, visit: Visit) -> None:
    page = visit("chief", "settings", "rules", **PHONE)
    fits(page, 390)
    for tab in ("规则日志", "异常", "试一下"):
        page.locator(".tabs").get_by_role("link", name=tab, exact=True).tap()
        expect(page.locator(".tabs [aria-current=true]")).to_have_text(tab)
        fits(page, 390)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_clerk_reads_what_the_rule_says(company: Company, visit: Visit, width: int) -> None:
    page = ready(visit("buyer", FORM, order(company, "S02"), width=width, height=844))
    page.locator("[data-action=submit]").first.click()
    expect(page.locator("body")).to_contain_text(SUSPENDED)
    status(page, "draft")
    page = ready(visit("buyer", FORM, order(company, "S01"), width=width, height=844))
    page.locator("[data-action=submit]").first.click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("一次买这么多，请写明原因")
    dialog.locator("[data-ask-do]").click()
    expect(dialog.locator("#doc-reason-say")).to_be_visible()
    dialog.locator("#doc-reason").fill("年底备货")
    dialog.locator("[data-ask-do]").click()
    status(page, "pending")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
