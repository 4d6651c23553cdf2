"""The pages of months: stock movements and their Excel file, the checklist, closing and reopening, stock health."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient

from runtime.house import House
from tests.web.conftest import ROOT, SignIn, csrf_of, receive, words_of


def test_movements_balance_on_the_page_and_lead_to_entries(keeper: TestClient, house: House) -> None:
    receive(house, "A001", "5")
    page = keeper.get(f"{ROOT}/movements").text
    assert re.search(r"期初 .*收入合计 发出合计 期末", words_of(page))
    assert "¥10.00" in page and 'href="/w/acme/tiny/entries?product=' in page
    assert "2026-01" in page
    by_place = keeper.get(f"{ROOT}/movements?since=2026-01&until=2026-01&by=warehouse").text
    assert "主仓" in words_of(by_place)
    assert "没有库存，也没有收发" in keeper.get(f"{ROOT}/movements?since=2025-01&until=2025-02").text
    sheet = keeper.get(f"{ROOT}/movements?since=2026-01&until=2026-01&file=xlsx")
    assert sheet.status_code == 200 and sheet.content[:2] == b"PK"
    assert keeper.get(f"{ROOT}/movements?since=yesterday").status_code == 422


def test_whoever_sees_no_values_gets_none(sign_in: SignIn, house: House) -> None:
    receive(house, "A001", "5")
    clerk = sign_in("clerk")
    page = clerk.get(f"{ROOT}/movements").text
    assert "A001 纯净水" in page and "¥" not in page
    told = clerk.get("/api/v1/acme/tiny/-/movements?since=2026-01").json()
    assert told["rows"][0]["closing"] == {"quantity": "5.000000"}
    assert clerk.get(f"{ROOT}/health").status_code == 403


def test_a_month_is_checked_closed_and_opened_again(sign_in: SignIn, house: House) -> None:
    clerk, admin = sign_in("clerk"), sign_in("admin")
    draft = receive(house, "A001", "5", action="save")
    page = clerk.get(f"{ROOT}/closing?through=2025-12").text
    assert "结账至 2025-12-31" in page and "disabled" not in page[page.index("closing-do") :][:600]
    blocked = clerk.get("/api/v1/acme/tiny/-/closings/check?through=2026-01").json()
    assert not blocked["ready"] and blocked["checks"][0]["named"][0]["id"] == draft
    sent = {"csrf": csrf_of(clerk), "through": "2025-12", "warehouse": ""}
    assert clerk.post(f"{ROOT}/closing", data=sent).status_code == 303
    assert clerk.post(f"{ROOT}/closing", data=sent).status_code == 409
    row = clerk.get("/api/v1/acme/tiny/-/closings").json()["rows"][0]
    for far, status in (("9999-12", 200), ("2026-13", 422), ("99999999999999-01", 422), ("9999-12-31", 200)):
        assert clerk.get(f"{ROOT}/closing?through={far}").status_code == status
    assert (row["kind"], row["through"], row["may_reopen"]) == ("month", "2025-12-31", False)
    assert f"reopen-{row['id']}" in admin.get(f"{ROOT}/closing").text
    back = {"csrf": csrf_of(admin), "reason": "审计"}
    assert admin.post(f"{ROOT}/closing/{row['id']}/reopen", data=back).status_code == 303
    assert "已反结账" in admin.get(f"{ROOT}/closing").text
    assert sign_in("keeper").get(f"{ROOT}/closing").status_code == 403


def test_stock_health_counts_and_scores(keeper: TestClient, house: House) -> None:
    receive(house, "A001", "5")
    text = words_of(keeper.get(f"{ROOT}/health").text)
    assert "100 健康分" in text and "零成本出库" in text
