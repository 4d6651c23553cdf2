"""Where the goods of an order come from: below the order, on the page of a product, by the API; and who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from engine.problems import Refused
from runtime.app import create_app
from runtime.facade import lists, supplies
from tests.houses import CATALOG, PASSWORD, WORKSPACE, Home, do, furnished, make_home
from tests.web.conftest import csrf_of, entrance

ROOT, API = f"/w/{WORKSPACE}/general", f"/api/v1/{WORKSPACE}/general"
ARRIVES, EARLY, LATE = date(2026, 1, 25), date(2026, 1, 20), date(2026, 1, 31)


@dataclass
class Company:
    """Ten screws on hand. A purchase order brings five bolts and, in its second line, 20 screws. A manager sold 18
    screws, promised before they come; the salesperson sold 15, of which three will be missing."""

    home: Home
    screws: int
    bought: int
    sold: int
    own: int


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    home = make_home(tmp_path_factory.mktemp("supply"), CATALOG / "general")
    door, seller = furnished(home), home.door("sales")
    do(door, "customer", "save", {"code": "K2", "name": "华润万家", "salesperson": "sales"})
    do(
        door,
        "other_receipt",
        "approve",
        {"warehouse": "W1", "lines": [{"product": "A032", "qty": 10, "cost_price": 1}]},
    )
    lines = [{"product": "A033", "qty": 5, "price": 1}, {"product": "A032", "qty": 20, "price": 1}]
    order = {"supplier": "S1", "warehouse": "W1", "arrive_date": ARRIVES.isoformat(), "lines": lines}
    bought = do(door, "purchase_order", "approve", order, confirmed=True).document
    sold = [
        do(
            who,
            "sales_order",
            "submit",
            {
                "customer": customer,
                "salesperson": who.actor.user,
                "warehouse": "W1",
                "promise_date": promised.isoformat(),
                "lines": [{"product": "A032", "qty": quantity, "price": 2}],
            },
            confirmed=True,
        ).document
        for who, customer, promised, quantity in ((door, "K1", EARLY, 18), (seller, "K2", LATE, 15))
    ]
    home.jobs.drain()
    screws = lists.look_up(door, "product", "A032")[0].id
    yield Company(home, screws, bought, *sold)
    home.house.close()


def signed_in(company: Company, login: str) -> TestClient:
    house = company.home.house
    client = TestClient(create_app(house.settings, house), follow_redirects=True)
    answer = client.post(f"/w/{WORKSPACE}/login", data=entrance(client) | {"login": login, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client


def test_an_order_says_which_line_of_which_purchase_serves_it_and_when(company: Company) -> None:
    door = company.home.everybody()
    (first,) = supplies.of_document(door, "sales_order", company.sold).waiting
    assert (first.quantity, first.uncovered, first.expected, first.late) == (8, 0, ARRIVES, True)
    (arrival,) = first.arrivals
    assert arrival.supply is not None
    assert (arrival.supply.form, arrival.supply.document, arrival.supply.line) == ("purchase_order", company.bought, 2)
    (second,) = supplies.of_document(door, "sales_order", company.own).waiting
    assert [(one.quantity, one.day, one.late) for one in second.arrivals] == [(12, ARRIVES, False)]
    assert (second.uncovered, second.expected) == (3, None)


def test_a_purchase_order_says_whom_its_lines_are_for(company: Company) -> None:
    bolts, screws = supplies.of_document(company.home.everybody(), "purchase_order", company.bought).supplies
    assert (bolts.line.line, bolts.quantity, bolts.spare, bolts.arrivals) == (1, 5, 5, ())
    assert (screws.line.line, screws.quantity, screws.spare) == (2, 20, 0)
    assert [(one.demand.document, one.quantity) for one in screws.arrivals] == [(company.sold, 8), (company.own, 12)]


def test_a_product_shows_what_can_be_promised_from_which_day(company: Company) -> None:
    (place,) = supplies.places(company.home.everybody(), company.screws)
    today = company.home.clock().date()
    assert [(step.day, step.expected, step.promisable) for step in place.steps] == [
        (today, 0, 0),
        (EARLY, -8, 0),
        (ARRIVES, 12, 0),
        (LATE, -3, 0),
    ]
    assert [one.line.document for one in place.waiting] == [company.sold, company.own]
    assert supplies.places(company.home.everybody(), company.screws, warehouse=place.warehouse + 10_000) == ()


def test_who_may_not_read_a_document_learns_the_day_but_not_the_document(company: Company) -> None:
    """Sales see what is available, and their own orders; neither purchases nor what others have sold."""
    seller = company.home.door("sales")
    (own,) = supplies.of_document(seller, "sales_order", company.own).waiting
    assert [(one.day, one.quantity, one.supply) for one in own.arrivals] == [(ARRIVES, 12, supplies.LineRef())]
    (place,) = supplies.places(seller, company.screws)
    assert [one.line.document for one in place.waiting] == [company.own]
    assert place.supplies == ()
    for form, document in (("sales_order", company.sold), ("purchase_order", company.bought), ("nothing", 1)):
        with pytest.raises(Refused) as refused:
            supplies.of_document(seller, form, document)
        assert (refused.value.kind, refused.value.problems[0].code) == ("missing", "document.missing")


def test_a_cashier_sees_none_of_it(company: Company) -> None:
    with pytest.raises(Refused) as refused:
        supplies.places(company.home.door("cashier"), company.screws)
    assert refused.value.kind == "forbidden"


def test_pages_and_the_api_tell_the_same(company: Company) -> None:
    page = signed_in(company, "everybody")
    order = page.get(f"{ROOT}/sales_order/{company.own}").text
    assert f'hx-get="{ROOT}/stock/outlook/sales_order/{company.own}"' in order
    assert 'id="doc-supply"' in order
    part = page.get(f"{ROOT}/stock/outlook/sales_order/{company.own}").text
    assert "<html" not in part
    assert f'href="{ROOT}/purchase_order/{company.bought}"' in part
    assert "第 2 行" in part
    assert "没有着落 3" in part
    assert page.get(f"{ROOT}/stock/outlook/purchase_order/{company.bought}").text.count("data-supply=") == 1
    assert "doc-supply" not in page.get(f"{ROOT}/product/{company.screws}").text
    product = page.get(f"{ROOT}/stock/outlook", params={"product": company.screws}).text
    assert "可承诺量" in product
    assert f'href="{ROOT}/sales_order/{company.sold}"' in product
    assert f"/stock/outlook?product={company.screws}" in page.get(f"{ROOT}/stock?product={company.screws}").text
    assert page.get(f"{ROOT}/stock/outlook?product={'9' * 30}").status_code in (404, 422)
    told = page.get(f"{API}/sales_order/{company.own}/supplies").json()
    (line,) = told["waiting"]
    assert (line["uncovered"], line["expected"]) == ("3", None)
    assert line["arrivals"][0]["supply"]["document"] == company.bought
    (place,) = page.get(f"{API}/-/outlook", params={"product": company.screws}).json()["rows"]
    assert [Decimal(step["promisable"]) for step in place["steps"]] == [0, 0, 0, 0]
    paths = page.get(f"{API}/-/openapi.json").json()["paths"]
    assert {f"{API}/-/outlook", f"{API}/sales_order/{{document}}/supplies"} <= paths.keys()
    assert f"{API}/receipt/{{document}}/supplies" not in paths


def test_reservations_whose_goods_expired_are_told_in_both_languages(tmp_path: Path) -> None:
    home = make_home(tmp_path, CATALOG / "general")
    door = furnished(home)
    do(
        door,
        "product",
        "save",
        {"code": "M1", "name": "奶油", "category": "C1", "base_unit": "件", "lot_managed": True},
    )
    lot = {"product": "M1", "qty": 9, "lot_no": "A", "expiry_date": "2026-01-06", "cost_price": 1}
    do(door, "other_receipt", "approve", {"warehouse": "W1", "lines": [lot]}, confirmed=True)
    order = {"customer": "K1", "warehouse": "W1", "promise_date": "2026-01-20"}
    sold = do(door, "sales_order", "submit", {**order, "lines": [{"product": "M1", "qty": 7, "price": 2}]}).document
    assert supplies.of_document(door, "sales_order", sold).waiting == ()
    home.clock.wait(days=2)
    (told,) = supplies.of_document(door, "sales_order", sold).waiting
    assert (told.quantity, told.lost, told.uncovered) == (7, 7, 7)
    client = TestClient(create_app(home.house.settings, home.house), follow_redirects=True)
    client.post(f"/w/{WORKSPACE}/login", data=entrance(client) | {"login": "everybody", "password": PASSWORD})
    for language, words in (("zh", "其中占用落空 7"), ("en", "7 reserved without goods")):
        client.post(f"{ROOT}/me/language", data={"csrf": csrf_of(client), "language": language})
        assert words in client.get(f"{ROOT}/stock/outlook/sales_order/{sold}").text
    home.house.close()
