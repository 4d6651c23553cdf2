"""Pages about lots: below a place, by themselves, traced; and an entry explained. The bakery, in a browser."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from runtime.app import create_app
from runtime.facade import stock, trace
from tests.houses import PASSWORD, WORKSPACE, Home, do, make_home
from tests.web.conftest import entrance

BAKERY = Path(__file__).parents[1] / "apps" / "bakery"
ROOT = f"/w/{WORKSPACE}/bakery"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return bakery(tmp_path, BAKERY)


def bakery(folder: Path, app: Path) -> Home:
    """Cream of one lot, made into a cake, sold to a shop."""
    home = make_home(folder, app)
    door = home.everybody()
    for form, code, name in (
        ("warehouse", "W2", "烘焙间"),
        ("supplier", "S1", "牧场"),
        ("customer", "K1", "门店"),
        ("product", "M1", "奶油"),
        ("product", "P1", "蛋糕"),
    ):
        do(door, form, "save", {"code": code, "name": name, **({"shelf_life": 3} if form == "product" else {})})
    cream = {"product": "M1", "qty": 10, "lot": "C<1>", "made": "2026-01-05", "amount": 50}
    do(door, "receipt", "submit", {"warehouse": "W2", "supplier": "S1", "lines": [cream]})
    order = do(door, "bake_order", "submit", {}).document
    used = [{"product": "M1", "qty": 6, "lot": "C<1>"}]
    do(door, "issue", "submit", {"warehouse": "W2", "bake_order": order, "lines": used})
    cakes = [{"product": "P1", "qty": 4, "lot": "T1", "made": "2026-01-05"}]
    do(door, "finish", "submit", {"warehouse": "W2", "bake_order": order, "lines": cakes})
    sold = [{"product": "P1", "qty": 1, "lot": "T1"}]
    do(door, "delivery", "submit", {"warehouse": "W2", "customer": "K1", "lines": sold})
    return home


@pytest.fixture
def page(home: Home) -> TestClient:
    return signed_in(home, "everybody")


def signed_in(home: Home, login: str) -> TestClient:
    """A browser with a session."""
    client = TestClient(create_app(home.house.settings, home.house), follow_redirects=True)
    answer = client.post(f"/w/{WORKSPACE}/login", data=entrance(client) | {"login": login, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client


def test_a_place_opens_into_its_lots(page: TestClient) -> None:
    levels = page.get(f"{ROOT}/stock").text
    assert "C&lt;1&gt;" not in levels
    opened = re.search(r'href="([^"]*unfold=[^"#]*)', levels)
    assert opened is not None
    inner = page.get(opened[1].replace("&amp;", "&")).text
    assert "C&lt;1&gt;" in inner and "C<1>" not in inner
    assert "2026-01-08" in inner


def test_lots_are_found_by_number_and_by_what_is_left_of_their_life(home: Home, page: TestClient) -> None:
    assert "T1" in page.get(f"{ROOT}/stock/lots?lot=t1").text
    assert "没有符合条件的批次" in page.get(f"{ROOT}/stock/lots?due=expired").text
    home.clock.wait(days=5)
    later = signed_in(home, "everybody")  # the session of five days ago is over
    expired = later.get(f"{ROOT}/stock/lots?due=expired").text
    assert "已过期" in expired and "已过 2 天" in expired
    assert later.get(f"{ROOT}/stock/lots?due=nonsense").status_code == 404


def test_a_lot_number_leads_to_its_trace_both_ways(page: TestClient) -> None:
    text = page.get(f"{ROOT}/trace", params={"lot": "C<1>"}).text
    assert "做成了什么" in text and "T1" in text and "门店" in text and "数量相符" in text and "C<1>" not in text
    back = page.get(f"{ROOT}/trace", params={"lot": "T1"}).text
    assert "牧场" in back and "用去 6，做成 4" in back
    assert "没有批号" in page.get(f"{ROOT}/trace", params={"lot": "nothing"}).text


def test_an_entry_explains_itself(page: TestClient) -> None:
    entries = page.get(f"{ROOT}/entries").text
    addresses = re.findall(rf'href="({ROOT}/entries/\d+)"', entries)
    assert addresses
    told = page.get(addresses[0]).text
    assert "这个数字怎么来的" in told and "按计价方法" in told and "没有更正过" in told
    assert page.get(f"{ROOT}/entries/999999999").status_code == 404


def test_who_sees_no_money_sees_none_here(home: Home) -> None:
    home.door("clerk")
    clerk = signed_in(home, "clerk")
    entries = clerk.get(f"{ROOT}/entries").text
    address = re.search(rf'href="({ROOT}/entries/\d+)"', entries)
    assert address is not None
    told = clerk.get(address[1]).text
    assert "¥" not in told and "金额" not in told


def test_a_document_that_is_not_ones_own_is_not_named(tmp_path: Path) -> None:
    app = tmp_path / "bakery"
    shutil.copytree(BAKERY, app)
    role = app / "roles" / "clerk.yaml"
    every = "forms: [product, warehouse, customer, delivery, move]\n    actions: [read]\n"
    own = "forms: [product, warehouse, customer, move]\n    actions: [read]\n"
    own += '  - {forms: [delivery], actions: [read], rows: "creator == me"}\n'
    text = role.read_text("utf-8")
    assert every in text
    role.write_text(text.replace(every, own), "utf-8")
    home = bakery(tmp_path / "data", app)
    sold = {row.form: row.number for row in stock.entries(home.everybody()) if row.form == "delivery"}
    assert sold["delivery"]
    clerk = home.door("clerk")
    assert "delivery" not in {row.form for row in stock.entries(clerk)}
    product = next(row.product for row in stock.entries(clerk, lot="T1"))
    view = trace.trace(clerk, product, "T1")
    assert view.customers == () and {move.number for move in view.start.moves} == {""}
    assert trace.trace(home.everybody(), product, "T1").customers == ("门店",)
