"""Picking who decides, signing by hand, copies to be read, and what administrators do, in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.forms.draft import LinePatch, Patch
from runtime.definition_files import read_definition_files
from runtime.facade import accounts, flow_view
from runtime.messages.catalogue import Catalogue
from runtime.publishing import publish
from tests.browser.company import PASSWORD, TEMPLATE, WORKSPACE, Company, found, noon
from tests.browser.conftest import Visit
from tests.browser.document_page import ready, status

pytestmark = pytest.mark.browser
FORM = "purchase_request"
FLOW = """
workflow: purchase_request_approval
label: {zh: 采购申请审批, en: Purchase request approval}
form: purchase_request
steps:
  - approve: picked
    label: {zh: 自选审批, en: Picked}
    by: {chosen: {by: initiator, most: 2}}
    mode: all
  - approve: signed
    label: {zh: 签字确认, en: Signed}
    by: {role: gm}
    comment: signature
  - notify: told
    label: {zh: 抄送仓库, en: Told}
    to: {member: storehead}
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Company]:
    """The company with another approval of purchase requests, and an administrator."""
    made = found(tmp_path_factory.mktemp("company"), catalogue)
    files, unread = read_definition_files(TEMPLATE)
    bundle = bundle_of({**files, "workflows/purchase_request_approval.yaml": FLOW}, made.house.kinds)
    assert not unread and isinstance(bundle, AppBundle), bundle
    publish(made.house.workspace(WORKSPACE).database, bundle, "test", noon())
    accounts.add_user(
        made.house, WORKSPACE, login="admin", name="系统管理员", password=PASSWORD, roles=("admin",), department=None
    )
    yield made
    made.house.close()


def request(company: Company) -> int:
    """A request that has been typed and saved."""
    lines = (LinePatch(values={"product": "P001", "qty": "10"}),)
    values = {"warehouse": "W1", "need_date": "2026-03-09"}
    return company.do("buyer", FORM, "save", patch=Patch(values=values, lines={"lines": lines}))


def pick(page: Page, typed: str, name: str) -> None:
    """Pick somebody in the drawer."""
    page.locator("#drawer input[role=combobox]").click()
    page.keyboard.type(typed)
    page.locator(".people-hits [role=option]").filter(has_text=name).click()


def test_the_submitter_picks_who_decides_and_the_manager_signs_by_hand(company: Company, visit: Visit) -> None:
    document = request(company)
    page = ready(visit("buyer", FORM, document))
    page.locator("[data-action=submit]").first.click()
    expect(page.locator("#drawer [data-wanted]")).to_contain_text("自选审批")
    pick(page, "zhang", "张经理")
    page.locator("[data-wanted-do]").click()
    status(page, "pending")
    expect(page.locator("#panel-approvals [data-node=picked]")).to_have_attribute("data-state", "present")

    page = visit("manager", "tasks")
    page.locator(".inbox-title").first.click()
    page.locator(".decide-yes").click()
    expect(page.locator("[data-finished]")).to_be_visible()

    page = visit("gm", "tasks", width=390, height=844)
    page.locator(".inbox-title").first.tap()
    page.locator(".decide-yes").tap()
    expect(page.locator("[data-signature-say]")).to_be_visible()
    box = page.locator(".signature canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 60, steps=5)
    page.mouse.up()
    note = {"name": "报价单.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    page.locator(".decide [data-move-files] input[type=file]").set_input_files(files=[note, note])  # type: ignore[list-item]
    lines = page.locator(".decide .file-one a")
    expect(lines).to_have_count(2)
    page.locator(".decide [data-file-remove]").first.tap()
    expect(lines).to_have_text(["报价单.pdf"])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".decide-yes").tap()
    expect(page.locator("[data-finished]")).to_be_visible()
    assert flow_view.flow_view(company.door("buyer"), FORM, document).status == "approved"

    page = visit("buyer", "flows", FORM, document, "print")
    picture = page.locator(".log-signature")
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    expect(page.locator(".log-files a")).to_have_text("报价单.pdf")

    page = visit("buyer", "flows", FORM, document)
    page.get_by_role("button", name="评论").first.click()
    drawn = {"name": "图.png", "mimeType": "image/png", "buffer": b"\x89PNG"}
    page.locator("#drawer [data-move-files] input[type=file]").set_input_files(files=[drawn])  # type: ignore[list-item]
    expect(page.locator("#drawer .file-one a")).to_have_text("图.png")
    page.locator("#drawer [data-move-do]").click()
    expect(page.locator(".flow-log .log-files a")).to_have_text(["报价单.pdf", "图.png"])
    with page.expect_popup() as opened:
        page.locator(".flow-log .log-files a").last.click()
    assert f"/flows/{FORM}/{document}/files/" in opened.value.url


def test_copies_are_unread_until_they_are_opened(company: Company, visit: Visit) -> None:
    page = visit("storehead", "tasks", tab="copies")
    expect(page.locator("[data-tab=copies] .tab-count")).to_have_text("1")
    page.locator(".inbox-title").first.click()
    ready(page)
    expect(page.locator("#panel-approvals .flow-svg")).to_be_visible()
    page = visit("storehead", "tasks", tab="copies")
    expect(page.locator("[data-tab=copies] .tab-count")).to_have_count(0)


def test_an_administrator_sees_what_is_stuck_and_gives_it_to_somebody(company: Company, visit: Visit) -> None:
    document = request(company)
    page = ready(visit("buyer", FORM, document))
    page.locator("[data-action=submit]").first.click()
    pick(page, "zhang", "张经理")
    page.locator("[data-wanted-do]").click()
    status(page, "pending")
    users = {user.login: user.id for user in accounts.users(company.door("admin"))}
    accounts.set_roles(company.door("admin"), users["gm"], ())
    company.do("manager", FORM, "approve", document=document)
    page = visit("admin", "flows", "stuck")
    row = page.locator("[data-stuck]")
    expect(row).to_contain_text("签字确认")
    row.get_by_role("button", name="改派").click()
    pick(page, "wukuaiji", "吴会计")
    page.locator("[data-move-do]").click()
    expect(page.locator("[data-stuck]")).to_have_count(0)
    log = flow_view.flow_view(company.door("buyer"), FORM, document).log
    assert [line.user for line in log if line.waiting] == ["吴会计"]
    assert visit("buyer", "flows", "stuck").locator("[data-stuck]").count() == 0
