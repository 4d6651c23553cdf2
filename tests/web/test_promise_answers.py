"""What can be promised of an order before it is approved: from here, with others, in part, later, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient

from engine.problems import Refused
from runtime.app import create_app
from runtime.facade import promises
from runtime.facade.promises import LineAnswer
from tests.houses import CATALOG, PASSWORD, WORKSPACE, Home, do, furnished, make_home
from tests.web.conftest import csrf_of, entrance

ROOT, API = f"/w/{WORKSPACE}/general", f"/api/v1/{WORKSPACE}/general"
ARRIVES, WANTED = date(2026, 1, 25), date(2026, 1, 20)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Ten screws here and four in the second warehouse; twenty more are bought for the 25th. Nails take 9 days."""
    made = make_home(tmp_path_factory.mktemp("promises"), CATALOG / "general")
    door = furnished(made)
    do(door, "warehouse", "save", {"code": "W9", "name": "分仓"})
    nails = {"code": "N1", "name": "圆钉", "category": "C1", "base_unit": "件", "lead_days": 9}
    do(door, "product", "save", nails)
    for warehouse, quantity in (("W1", 10), ("W9", 4)):
        lines = [{"product": "A032", "qty": quantity, "cost_price": 1}]
        do(door, "other_receipt", "approve", {"warehouse": warehouse, "lines": lines})
    order = {"supplier": "S1", "warehouse": "W1", "arrive_date": ARRIVES.isoformat()}
    do(
        door,
        "purchase_order",
        "approve",
        {**order, "lines": [{"product": "A032", "qty": 20, "price": 1}]},
        confirmed=True,
    )
    made.jobs.drain()
    yield made
    made.house.close()


def order(home: Home, *lines: tuple[str, int], action: str = "save", price: int = 2, order_type: str = "normal") -> int:
    data = {"customer": "K1", "warehouse": "W1", "promise_date": WANTED.isoformat(), "order_type": order_type}
    rows = [{"product": product, "qty": quantity, "price": price} for product, quantity in lines]
    return do(home.everybody(), "sales_order", action, {**data, "lines": rows}, confirmed=True).document


def told(line: LineAnswer) -> tuple[object, ...]:
    return line.kind, line.now, line.elsewhere, line.day, line.late


def test_every_answer_there_is(home: Home) -> None:
    today = home.clock().date()
    asked = order(home, ("A032", 8), ("A032", 5), ("A032", 15), ("N1", 3), ("A033", 1))
    found = promises.of_document(home.everybody(), "sales_order", asked)
    assert [told(one) for one in found.lines] == [
        ("now", 8, (), today, False),
        ("now", 2, (("分仓", Decimal(3)),), today, False),
        ("later", 0, (), ARRIVES, True),
        ("later", 0, (), today + timedelta(days=9), False),
        ("refuse", 0, (), None, False),
    ]
    assert found.day is None, "nobody can tell when the last line can leave"
    assert found.lines[2].sentences == ("最早 2026-01-25 可发。", "最早可发日 2026-01-25 晚于承诺交期 2026-01-20。")
    part = promises.of_document(home.everybody(), "sales_order", order(home, ("A032", 25)))
    assert [told(one) for one in part.lines] == [("partial", 10, (), ARRIVES, True)]
    assert part.day == ARRIVES


def test_asking_holds_nothing_and_an_approved_order_is_not_answered(home: Home) -> None:
    asked = order(home, ("A032", 3))
    before = promises.of_document(home.everybody(), "sales_order", order(home, ("A032", 10)))
    assert [one.kind for one in before.lines] == ["now"]
    do(home.everybody(), "sales_order", "approve", document=asked, confirmed=True)
    assert promises.of_document(home.everybody(), "sales_order", asked) == promises.NOTHING
    do(home.everybody(), "sales_order", "unapprove", document=asked, reason="试")


def test_what_a_rush_order_locks_for_itself_is_free_for_it(home: Home) -> None:
    rush = order(home, ("A032", 10), action="submit", price=9000, order_type="rush")
    found = promises.of_document(home.everybody(), "sales_order", rush)
    assert [told(one)[:2] for one in found.lines] == [("now", Decimal(10))]
    other = promises.of_document(home.everybody(), "sales_order", order(home, ("A032", 1)))
    assert [(one.now, one.elsewhere) for one in other.lines] == [(Decimal(0), (("分仓", Decimal(1)),))]
    do(home.everybody(), "sales_order", "withdraw", document=rush)


def test_pages_and_the_api_tell_the_same_in_both_languages(home: Home) -> None:
    asked = order(home, ("A032", 12), ("A032", 30))
    client = TestClient(create_app(home.house.settings, home.house), follow_redirects=True)
    client.post(f"/w/{WORKSPACE}/login", data=entrance(client) | {"login": "everybody", "password": PASSWORD})
    for language, words in (("zh", ("交期答复", "分仓 2")), ("en", ("What can be promised", "better refuse"))):
        client.post(f"{ROOT}/me/language", data={"csrf": csrf_of(client), "language": language})
        part = client.get(f"{ROOT}/stock/outlook/sales_order/{asked}").text
        assert all(word in part for word in words), part
    answer = client.get(f"{API}/sales_order/{asked}/promises").json()
    assert [line["kind"] for line in answer["lines"]] == ["now", "refuse"]
    assert f"{API}/sales_order/{{document}}/promises" in client.get(f"{API}/-/openapi.json").json()["paths"]


def test_only_who_sees_stock_is_told_and_only_of_orders_of_their_own(home: Home) -> None:
    asked = order(home, ("A032", 1))
    with pytest.raises(Refused) as refused:
        promises.of_document(home.door("sales"), "sales_order", asked)
    assert refused.value.kind == "missing"
    with pytest.raises(Refused):
        promises.of_document(home.everybody(), "sales_order", asked + 10_000)
