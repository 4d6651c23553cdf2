"""Units in the browser: a price follows the unit of its line unless somebody wrote it; new and pushed-down lines."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from engine.forms.draft import LinePatch, Patch
from tests.browser.company import Company
from tests.browser.conftest import Visit
from tests.browser.document_page import cell, choose, press, ready, text

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def cases(company: Company) -> None:
    """Rice comes in bags of 68.00, twelve of which are a case."""
    unit = LinePatch(values={"unit": "箱", "rate": "12", "barcode": "CASE-0001"})
    company.do(
        "data",
        "product",
        "save",
        document=company.made["product:P001"],
        patch=Patch(values={}, lines={"units": (unit,)}),
    )


@pytest.fixture(scope="module", autouse=True)
def bought_by_the_case(company: Company) -> None:
    """Soy sauce of 12.80 a bottle is bought by the case of six."""
    unit = LinePatch(values={"unit": "箱", "rate": "6"})
    company.do(
        "data",
        "product",
        "save",
        document=company.made["product:P006"],
        patch=Patch(values={"purchase_unit": "箱"}, lines={"units": (unit,)}),
    )


def in_unit(page: Page, row: int, unit: str) -> None:
    """Choose another unit for a line."""
    cell(page, row, "unit").click()
    choose(page, unit)


def two_of(page: Page, code: str) -> None:
    """Fill in the first line by keyboard."""
    cell(page, 1, "product").click()
    choose(page, code)
    page.keyboard.type("2")
    press(page, "Enter")


def test_a_price_nobody_wrote_follows_the_unit(visit: Visit) -> None:
    page = ready(visit("buyer", "purchase_order", "new"))
    two_of(page, "P001")
    expect(text(page, 1, "amount")).to_have_text("¥136.00")
    in_unit(page, 1, "箱")
    expect(text(page, 1, "price")).to_have_text("816.00")
    expect(text(page, 1, "base_qty")).to_have_text("24")
    expect(text(page, 1, "amount")).to_have_text("¥1,632.00")
    cell(page, 1, "price").click()
    page.keyboard.type("800")
    press(page, "Enter")
    in_unit(page, 1, "袋")
    expect(text(page, 1, "base_qty")).to_have_text("2")
    expect(text(page, 1, "price")).to_have_text("800.00")


def test_a_line_begins_with_the_unit_for_its_kind_of_document(visit: Visit) -> None:
    page = ready(visit("buyer", "purchase_order", "new"))
    two_of(page, "P006")
    expect(text(page, 1, "unit")).to_have_text("箱")
    expect(text(page, 1, "base_qty")).to_have_text("12")
    expect(text(page, 1, "amount")).to_have_text("¥153.60")


def test_a_pushed_down_price_follows_too(visit: Visit, company: Company) -> None:
    order = company.order(2, "submit")
    company.do("manager", "purchase_order", "approve", document=order)
    page = ready(visit("manager", "purchase_receipt", "new", from_=f"purchase_order:{order}"))
    expect(text(page, 1, "price")).to_have_text("68.00")
    in_unit(page, 1, "箱")
    expect(text(page, 1, "price")).to_have_text("816.00")
    expect(text(page, 2, "price")).to_have_text("6.50")


def test_the_barcode_of_a_case_brings_product_and_unit(visit: Visit) -> None:
    page = ready(visit("buyer", "purchase_order", "new"))
    two_of(page, "CASE-0001")
    expect(text(page, 1, "product")).to_have_text("P001 五常大米")
    expect(text(page, 1, "unit")).to_have_text("箱")
    expect(text(page, 1, "amount")).to_have_text("¥1,632.00")
