"""The pages around lists: home, search, stock, inbox, settings, keys."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from runtime.facade import accounts
from runtime.house import House
from tests.web.conftest import ROOT, SignIn, csrf_of, receive


def test_home_counts_what_waits_and_offers_the_hotkeys(keeper: TestClient, house: House) -> None:
    receive(house, "A001", "5", action="save")
    text = keeper.get(f"{ROOT}/home").text
    assert re.search(r'card-figure">1</span><span>待提交入库单', text)
    assert 'data-hotkey="F3"' in text and f'href="{ROOT}/stock_out/new"' in text


def test_the_search_box_finds_documents_records_and_pages(keeper: TestClient, house: House) -> None:
    receive(house, "A001", "5")
    assert "IN20260120-0001" in keeper.get(f"{ROOT}/search?q=in20260120").text
    assert "A001 纯净水" in keeper.get(f"{ROOT}/search?q=cjs").text
    assert "出库单" in keeper.get(f"{ROOT}/search?q=ckd").text
    assert "没有找到" in keeper.get(f"{ROOT}/search?q=zzzz").text


def test_stock_leads_to_entries_and_entries_to_the_document(keeper: TestClient, house: House) -> None:
    document = receive(house, "A001", "5")
    levels = keeper.get(f"{ROOT}/stock").text
    assert "低于安全库存" in levels and "¥10.00" in levels
    entries = re.search(r'data-open="([^"]*entries[^"]*)"', levels)
    assert entries is not None
    page = keeper.get(entries[1].replace("&amp;", "&")).text
    assert "+5" in page and f'href="{ROOT}/stock_in/{document}"' in page
    assert "A001 纯净水" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=cjs", True), ("q=zzz", False), ("short=1", True), ("warehouse=9999", False), ("after=x.y", True)],
)
def test_stock_filters(keeper: TestClient, house: House, query: str, found: bool) -> None:
    receive(house, "A001", "5")
    assert ("纯净水" in keeper.get(f"{ROOT}/stock?{query}").text) is found


def test_a_scanner_types_a_code_and_sees_the_stock(keeper: TestClient, house: House) -> None:
    receive(house, "A001", "5")
    text = keeper.get(f"{ROOT}/scan?code=a001").text
    assert "A001 纯净水" in text and "主仓" in text and "<strong>5</strong>" in text
    assert "没有找到" in keeper.get(f"{ROOT}/scan?code=nothing").text


def test_a_to_do_can_be_finished_once(keeper: TestClient, house: House) -> None:
    page = keeper.get(f"{ROOT}/tasks")
    assert "没有待办" in page.text
    assert keeper.post(f"{ROOT}/tasks/1/finish", data={"csrf": csrf_of(keeper)}).status_code == 404


def test_language_and_theme_are_the_persons_own(keeper: TestClient, house: House) -> None:
    receive(house, "A001", "5")
    token = csrf_of(keeper)
    answer = keeper.post(f"{ROOT}/me/language", data={"csrf": token, "language": "en", "back": f"{ROOT}/stock"})
    assert answer.headers["location"] == f"{ROOT}/stock"
    text = keeper.get(f"{ROOT}/stock").text
    assert '<html lang="en"' in text and "On hand" in text
    assert keeper.post(f"{ROOT}/me/language", data={"csrf": token, "language": "fr"}).status_code == 422


def test_settings_are_for_administrators(keeper: TestClient, sign_in: SignIn, house: House) -> None:
    assert keeper.get(f"{ROOT}/settings").status_code == 403
    admin = sign_in("admin")
    form = {"csrf": csrf_of(admin), "login": "new", "name": "新人", "password": "long enough", "role": ["keeper"]}
    assert admin.post(f"{ROOT}/settings/users", data=form | {"name": ""}).status_code == 422
    assert admin.post(f"{ROOT}/settings/users", data=form | {"role": ["king"]}).status_code == 422
    assert admin.post(f"{ROOT}/settings/users", data=form).status_code == 303
    assert "新人" in admin.get(f"{ROOT}/settings").text
    assert keeper.post(f"{ROOT}/settings/users", data=form | {"csrf": csrf_of(keeper)}).status_code == 403
    door = accounts.user_door(house, "acme", "new")
    shut = {"csrf": form["csrf"], "active": "false"}
    assert admin.post(f"{ROOT}/settings/users/{door.actor.user}/active", data=shut).status_code == 303
    own = accounts.user_door(house, "acme", "admin").actor.user
    assert admin.post(f"{ROOT}/settings/users/{own}/active", data=shut).status_code == 422


def test_a_key_is_shown_once_and_can_be_revoked(keeper: TestClient, house: House) -> None:
    token = csrf_of(keeper)
    shown = keeper.post(f"{ROOT}/me/keys", data={"csrf": token, "label": "称重程序"}).text
    key = re.search(r'class="fresh-key">([^<]+)<', shown)
    assert key is not None
    assert accounts.key_door(house, "acme", key[1]) is not None
    assert key[1] not in keeper.get(f"{ROOT}/me").text
    identity = re.search(r"/me/keys/(\d+)/revoke", shown)
    assert identity is not None
    assert keeper.post(f"{ROOT}/me/keys/{identity[1]}/revoke", data={"csrf": token}).status_code == 303
    assert accounts.key_door(house, "acme", key[1]) is None


def test_what_was_done_is_said_on_the_next_page_once(sign_in: SignIn) -> None:
    admin = sign_in("admin")
    form = {"csrf": csrf_of(admin), "name": "采购部"}
    admin.post(f"{ROOT}/settings/departments", data=form)
    assert "部门已添加" in admin.get(f"{ROOT}/settings").text
    assert "部门已添加" not in admin.get(f"{ROOT}/settings").text
