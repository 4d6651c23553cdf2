"""What every answer carries, and how refusals and accidents read."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from runtime.app import create_app
from runtime.facade import menu
from runtime.house import House
from runtime.web.static_files import static_addresses
from tests.web.conftest import ROOT, XSS, SignIn, csrf_of, receive, words_of

PAGES = ("home", "menu", "product", "stock_in", "stock", "entries", "tasks", "messages", "me", "scan?code=A001")
LATIN = re.compile(r"[A-Za-z]{3,}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Names that are the same in every language, and what the test's own data says.
SAME_EVERYWHERE = re.compile(r"English|Ctrl|Enter|Esc|alert|script|keeper|admin|mary|acme|W1|A00\d|IN2026\S+", re.I)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_strict_and_never_kept(keeper: TestClient, page: str) -> None:
    answer = keeper.get(f"{ROOT}/{page}")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "script-src 'self';" in policy and "style-src 'self';" in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_inline_script_or_style(keeper: TestClient, page: str) -> None:
    text = keeper.get(f"{ROOT}/{page}").text
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals=.js:", text) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []


def test_data_is_text_never_markup(keeper: TestClient, house: House) -> None:
    receive(house, "A002", "5")
    for page in ("product", "stock", "entries", "search?q=A002", "look-up/product?text=A002", "scan?code=A002"):
        text = keeper.get(f"{ROOT}/{page}").text
        assert XSS not in text
        assert "&lt;script&gt;alert(1)" in text, page


@pytest.mark.parametrize("page", PAGES)
def test_chinese_pages_hold_no_english(keeper: TestClient, house: House, page: str) -> None:
    receive(house, "A001", "5")
    words = SAME_EVERYWHERE.sub("", words_of(keeper.get(f"{ROOT}/{page}").text))
    assert LATIN.findall(words) == []


@pytest.mark.parametrize("page", (*PAGES, "settings"))
def test_english_pages_hold_no_chinese_but_data(sign_in: SignIn, house: House, page: str) -> None:
    receive(house, "A001", "5")
    words = words_of(sign_in("mary").get(f"{ROOT}/{page}").text)
    for name in ("中文", "主仓", "纯净水", "李仓管", "王总", "小张"):
        words = words.replace(name, "")
    assert CHINESE.findall(words) == []


@pytest.mark.parametrize("address", [f"{ROOT}/nothing", "/w/acme/other/home", f"{ROOT}/a/b/c", "/nowhere", "/w/acme"])
def test_what_is_not_there_is_said_in_words(keeper: TestClient, address: str) -> None:
    answer = keeper.get(address)
    if address == "/w/acme":
        assert answer.headers["location"] == f"{ROOT}/home"
        return
    assert answer.status_code == 404
    assert "找不到" in answer.text and "Traceback" not in answer.text


def test_htmx_gets_refusals_in_the_notice_area(keeper: TestClient) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    answer = keeper.get(f"{ROOT}/product?sort=nothing", headers=headers)
    assert answer.status_code == 422
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#notice", "innerHTML")
    assert "<html" not in answer.text and "notice-danger" in answer.text


def test_scripts_get_refusals_as_json(keeper: TestClient) -> None:
    answer = keeper.get(f"{ROOT}/product?sort=nothing", headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["code"] == "field.unknown"


def test_an_accident_shows_a_reference_and_nothing_else(
    keeper: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(door: object) -> None:
        raise RuntimeError("secret /var/lib")

    monkeypatch.setattr(menu, "home", fall)
    client = TestClient(create_app(house.settings, house), raise_server_exceptions=False, follow_redirects=False)
    client.cookies.update(keeper.cookies)
    answer = client.get(f"{ROOT}/home")
    assert answer.status_code == 500
    assert re.search(r"编号 [0-9A-F]{8}", answer.text)
    assert "secret" not in answer.text and "RuntimeError" not in answer.text
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("stock?product={}", 404),
        ("stock?warehouse={}", 200),
        ("stock?after={}.1", 200),
        ("entries?after={}", 404),
        ("entries/{}", 404),
        ("stock/lots?after={}", 404),
        ("trace?lot=L1&product={}", 404),
        ("product/{}", 404),
        ("stock_in/new?from=stock_out:{}", 404),
    ],
)
def test_a_number_no_database_can_hold_is_no_accident(keeper: TestClient, address: str, status: int) -> None:
    for number in (2**63, 10**30):
        assert keeper.get(f"{ROOT}/{address.format(number)}").status_code == status


def test_a_body_beyond_the_limit_is_refused(keeper: TestClient) -> None:
    form = {"csrf": csrf_of(keeper), "theme": "x" * 1_100_000}
    answer = keeper.post(f"{ROOT}/me/theme", data=form)
    assert answer.status_code == 413
    assert "最多 1 MB" in answer.text


def test_static_files_are_kept_for_good_under_their_hash(sign_in: SignIn) -> None:
    client = sign_in()
    for address in static_addresses().values():
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/static/app.css").headers["Cache-Control"] == "no-cache"
    assert client.get("/static/../pages.py").status_code == 404
    assert client.get("/static/%2e%2e/pages.py").status_code == 404
