"""Coming in, going out, and requests that are not from our own page."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from runtime.house import House
from tests.web.conftest import PASSWORD, ROOT, SignIn, csrf_of, entrance


def test_the_house_says_it_is_open(sign_in: SignIn) -> None:
    answer = sign_in().get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


def test_a_stranger_is_led_to_the_sign_in_page_and_back(sign_in: SignIn) -> None:
    client = sign_in()
    sent = client.get(f"{ROOT}/product?q=水")
    assert sent.status_code == 303
    form = entrance(client) | {"login": "keeper", "password": PASSWORD}
    form["back"] = f"{ROOT}/product?q=%E6%B0%B4"
    assert client.post("/w/acme/login", data=form).headers["location"] == form["back"]


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/w/other/x", "/w/acme/\\evil"])
def test_the_way_back_never_leads_elsewhere(sign_in: SignIn, back: str) -> None:
    client = sign_in()
    form = entrance(client) | {"login": "keeper", "password": PASSWORD, "back": back}
    assert client.post("/w/acme/login", data=form).headers["location"] == "/w/acme/"


def test_a_wrong_password_says_so_and_keeps_the_login(sign_in: SignIn) -> None:
    client = sign_in()
    answer = client.post("/w/acme/login", data=entrance(client) | {"login": "keeper", "password": "wrong"})
    assert answer.status_code == 401
    assert "登录名或密码不正确" in answer.text
    assert 'value="keeper"' in answer.text
    assert client.get(f"{ROOT}/home").status_code == 303


def test_a_sign_in_form_of_another_browser_is_refused(sign_in: SignIn) -> None:
    mine, theirs = sign_in(), sign_in()
    form = entrance(theirs) | {"login": "keeper", "password": PASSWORD}
    assert mine.post("/w/acme/login", data=form).status_code == 403


def test_the_cookie_is_out_of_reach_of_scripts(sign_in: SignIn) -> None:
    client = sign_in()
    answer = client.post("/w/acme/login", data=entrance(client) | {"login": "keeper", "password": PASSWORD})
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("stockloom_acme="))
    assert "HttpOnly" in cookie and "samesite=lax" in cookie.lower()


def test_a_forged_cookie_is_nobody(sign_in: SignIn) -> None:
    client = sign_in()
    client.cookies.set("stockloom_acme", "made.up")
    assert client.get(f"{ROOT}/home").status_code == 303


def test_signing_out_ends_the_session(keeper: TestClient) -> None:
    kept = dict(keeper.cookies)
    assert keeper.post("/w/acme/logout", data={"csrf": csrf_of(keeper)}).status_code == 303
    for name, value in kept.items():
        keeper.cookies.set(name, value)
    assert keeper.get(f"{ROOT}/home").status_code == 303


def test_a_form_without_its_token_changes_nothing(keeper: TestClient) -> None:
    answer = keeper.post(f"{ROOT}/me/theme", data={"theme": "dark"})
    assert answer.status_code == 403
    assert "页面已过期" in answer.text
    assert 'data-theme="dark"' not in keeper.get(f"{ROOT}/home").text


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_of_another_site_changes_nothing(keeper: TestClient, headers: dict[str, str]) -> None:
    form = {"theme": "dark", "csrf": csrf_of(keeper)}
    assert keeper.post(f"{ROOT}/me/theme", data=form, headers=headers).status_code == 403


def test_htmx_needs_the_token_like_everybody(keeper: TestClient) -> None:
    bare = {"HX-Request": "true"}
    assert keeper.post(f"{ROOT}/me/theme", data={"theme": "dark"}, headers=bare).status_code == 403
    with_token = bare | {"X-CSRF-Token": csrf_of(keeper)}
    answer = keeper.post(f"{ROOT}/me/theme", data={"theme": "dark"}, headers=with_token)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, f"{ROOT}/home")
    assert 'data-bs-theme="dark"' in keeper.get(f"{ROOT}/home").text


def test_htmx_of_a_stranger_goes_to_the_sign_in_page(sign_in: SignIn) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{ROOT}/product?q=a"}
    answer = sign_in().get(f"{ROOT}/product", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/w/acme/login?back=%2Fw%2Facme%2Ftiny%2Fproduct%3Fq")


def test_a_changed_password_ends_every_session(keeper: TestClient, sign_in: SignIn, house: House) -> None:
    elsewhere = sign_in("keeper")
    form = {"old": PASSWORD, "new": "battery staple", "again": "battery staple", "csrf": csrf_of(keeper)}
    assert keeper.post(f"{ROOT}/me/password", data=form | {"again": "other"}).status_code == 422
    assert keeper.post(f"{ROOT}/me/password", data=form).headers["location"] == "/w/acme/login?changed=1"
    assert elsewhere.get(f"{ROOT}/home").status_code == 303


def test_an_unknown_company_is_not_found(sign_in: SignIn) -> None:
    assert sign_in().get("/w/nobody/login").status_code == 404


def test_a_single_company_is_entered_at_once(sign_in: SignIn) -> None:
    assert sign_in().get("/").headers["location"] == "/w/acme/"


def test_guessing_passwords_is_stopped(sign_in: SignIn) -> None:
    client = sign_in()
    form = entrance(client) | {"login": "keeper", "password": "wrong"}
    last = [client.post("/w/acme/login", data=form) for _ in range(12)][-1]
    assert last.status_code == 429
    assert "锁定" in last.text
    assert client.post("/w/acme/login", data=form | {"password": PASSWORD}).status_code == 429


def test_a_near_name_tells_a_stranger_nothing(sign_in: SignIn) -> None:
    answer = sign_in().get("/w/acmee/login")
    assert answer.status_code == 404 and "acme”" not in answer.text
