"""A served company and a real browser. The company is made once per module; every person has a browser of their own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from runtime.app import create_app
from runtime.messages.catalogue import Catalogue
from tests.browser.company import APP, PASSWORD, WORKSPACE, Company, found

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 20_000
START_S = 30
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Company]:
    """The company, fresh for every module."""
    made = found(tmp_path_factory.mktemp("company"), catalogue)
    yield made
    made.house.close()


@pytest.fixture(scope="module")
def address(company: Company) -> Iterator[str]:
    """Where the company is served: ``http://127.0.0.1:<port>``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(company.settings, company.house)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    waited = time.monotonic() + START_S
    while not server.started and time.monotonic() < waited:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(START_S)


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="module")
def sessions(address: str) -> dict[str, StorageState]:
    """Cookies by person: whoever has signed in once in a module need not do it for every test."""
    return {}


@pytest.fixture
def visit(browser: Browser, address: str, sessions: dict[str, StorageState]) -> Iterator[Visit]:
    """``visit("buyer", "purchase_order", "new")``: the page as that person sees it; one that throws fails the test."""
    contexts: dict[str, BrowserContext] = {}
    thrown: list[str] = []

    def open_page(login: str, *path: object, width: int = 1440, height: int = 900, **query: str) -> Page:
        if login not in contexts:
            contexts[login] = browser.new_context(
                viewport={"width": width, "height": height},
                is_mobile=width < 500,
                has_touch=width < 500,
                storage_state=sessions.get(login),
            )
            contexts[login].set_default_timeout(PATIENCE_MS)
            if login not in sessions:
                _sign_in(contexts[login], address, login)
                sessions[login] = contexts[login].storage_state()
        page = contexts[login].new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.on("console", lambda said: thrown.append(said.text) if "Content Security Policy" in said.text else None)
        asked = "&".join(f"{name.rstrip('_')}={value}" for name, value in query.items())
        page.goto("/".join((f"{address}/w/{WORKSPACE}/{APP}", *map(str, path))) + (f"?{asked}" if asked else ""))
        return page

    yield open_page
    for context in contexts.values():
        context.close()
    assert thrown == []


def _sign_in(context: BrowserContext, address: str, login: str) -> None:
    page = context.new_page()
    page.goto(f"{address}/w/{WORKSPACE}/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/home")
    page.close()
