"""The pages of balances and their calls: from a ledger to a balance, from there to its entries and their documents."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient

from runtime.house import House
from tests.web.conftest import ROOT, SignIn, receive, submit, words_of

API = "/api/v1/acme/tiny/-/balances"


def test_from_a_balance_to_the_document_behind_it(keeper: TestClient, house: House) -> None:
    first, second = receive(house, "A001", "5"), receive(house, "A001", "3")
    page = keeper.get(f"{ROOT}/balances?ledger=stock").text
    words = words_of(page)
    assert "账簿余额" in words and "A001 纯净水" in words and "¥16.00" in words
    assert f'href="{ROOT}/balances/entries?balance=' in page
    link = re.search(r'data-open="([^"]+/balances/entries[^"]+)"', page)
    assert link is not None
    behind = keeper.get(link[1].replace("&amp;", "&")).text
    assert behind.index(f"{ROOT}/stock_in/{second}") < behind.index(f"{ROOT}/stock_in/{first}")
    assert "A001 纯净水 · 仓库 主仓" in words_of(behind) and "+5" in words_of(behind)


def test_balances_are_narrowed_and_paged_by_their_address(keeper: TestClient, house: House) -> None:
    submit(house, "warehouse", {"code": "W2", "name": "分仓"})
    receive(house, "A001", "5")
    lines = [{"product": "A001", "qty": "2", "price": "2"}]
    submit(house, "stock_in", {"warehouse": "分仓", "lines": lines}, "submit")
    rows = keeper.get(API, params={"ledger": "stock"}).json()["rows"]
    assert [(row["parts"][1]["text"], row["quantity"], row["value"]) for row in rows] == [
        ("主仓", "5", "10"), ("分仓", "2", "4"),
    ]  # fmt: skip
    place = rows[1]["parts"][1]["value"]
    only = words_of(keeper.get(f"{ROOT}/balances?ledger=stock&warehouse={place}").text)
    assert "仓库 分仓" in only and "主仓" not in only
    found = words_of(keeper.get(f"{ROOT}/balances?ledger=stock&q=分").text)
    assert "¥4.00" in found and "¥10.00" not in found
    assert "没有符合条件的余额" in keeper.get(f"{ROOT}/balances?ledger=stock&q=无此").text
    first = keeper.get(API, params={"ledger": "stock", "limit": 1}).json()
    rest = keeper.get(API, params={"ledger": "stock", "limit": 1, "after": first["next"]}).json()
    assert [*first["rows"], *rest["rows"]] == rows and rest["next"] is None
    entries = keeper.get(f"{API}/entries", params={"balance": rows[1]["key"]}).json()
    assert [(one["form"], one["quantity"], one["value"]) for one in entries["rows"]] == [("stock_in", "2", "4")]


def test_what_is_not_there_or_not_theirs_is_told(sign_in: SignIn, house: House) -> None:
    receive(house, "A001", "5")
    clerk, keeper = sign_in("clerk"), sign_in("keeper")
    told = clerk.get(API, params={"ledger": "stock"}).json()
    assert told["rows"][0]["value"] is None and told["total"] is None
    assert "¥" not in clerk.get(f"{ROOT}/balances?ledger=stock").text
    assert clerk.get(API, params={"ledger": "variance"}).status_code == 403
    wrong = keeper.get(API, params={"ledger": "stocks"})
    assert wrong.status_code == 404 and "stock" in wrong.json()["problems"][0]["hint"]
    assert keeper.get(API, params={"ledger": "stock", "subject": 3}).status_code == 422
    for path in (f"{API}/entries?balance=stock|place|p1", f"{ROOT}/balances/entries", f"{ROOT}/balances?after=%00"):
        assert keeper.get(path).status_code == 404
    english = sign_in("mary").get(f"{ROOT}/balances?ledger=stock").text
    assert "Balances" in words_of(english) and "Last entry" in words_of(english)
    assert "/api/v1/acme/tiny/-/balances/entries" in keeper.get("/api/v1/acme/tiny/-/openapi.json").json()["paths"]
