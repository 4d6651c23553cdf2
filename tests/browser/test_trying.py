"""试一下 by hand, on a desk and on a phone, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from runtime.facade import accounts
from runtime.messages.catalogue import Catalogue
from tests.browser.company import PASSWORD, WORKSPACE, Company, found
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser
WIDTHS = [(1440, 900), (390, 844)]
LONG_MS = 60_000
FLOW = """workflow: order_try
label: {zh: 采购审批草稿, en: Draft of an approval}
form: purchase_order
start: called
steps:
  - approve: manager
    label: {zh: 经理审批, en: Manager}
    by: {role: purchase_mgr}
  - branch:
      - when: "sum(lines.qty) > 5"
        label: {zh: 数量大, en: Many}
        steps:
          - approve: gm
            label: {zh: 总经理审批, en: General manager}
            by: {role: gm}
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Company]:
    """The company with an administrator for each language who may read orders."""
    made = found(tmp_path_factory.mktemp("company"), catalogue)
    for login, language in (("chief", "zh"), ("boss", "en")):
        accounts.add_user(
            made.house, WORKSPACE, login=login, name=login, password=PASSWORD, roles=("admin", "gm"), language=language
        )
    yield made
    made.house.close()


@pytest.mark.parametrize(("width", "height"), WIDTHS)
@pytest.mark.parametrize("login", ["chief", "boss"])
def test_a_draft_is_tried(company: Company, visit: Visit, login: str, width: int, height: int, tmp_path: Path) -> None:
    order = company.order(action="submit")
    page = visit(login, "settings", "try", width=width, height=height)
    page.fill("textarea[name=draft]", FLOW)
    page.fill("input[name=document]", str(order))
    page.click(".trying-row .btn-primary", no_wait_after=True)
    expect(page.locator("[data-step]")).to_have_count(5, timeout=LONG_MS)  # an app is compiled for it
    expect(page.locator("[data-step=condition] code").first).to_have_text("sum(lines.qty) > 5")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=str(tmp_path / f"try-{login}-{width}.png"), full_page=True)
    page.click(".trying-ways fieldset:nth-child(2) .btn", no_wait_after=True)
    expect(page.locator(".trying-sentences")).to_be_visible(timeout=LONG_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.input_value("textarea[name=draft]") == FLOW, "what was typed is still there"
