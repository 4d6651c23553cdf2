"""A small company to open in a browser: the tiny app, four users, two products and a warehouse."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from engine.built_in import built_in_kinds
from engine.definitions.bundle import read_bundle
from engine.definitions.compiled import AppBundle
from runtime.app import create_app
from runtime.definition_files import read_definition_files
from runtime.facade import accounts, documents
from runtime.house import House
from runtime.house_jobs import inline_house
from runtime.messages.catalogue import load_catalogue
from runtime.publishing.publish import publish
from runtime.settings import Settings
from runtime.submit import Command
from runtime.workspaces import create_workspace

TINY = Path(__file__).parents[1] / "apps" / "tiny"
NOW = datetime(2026, 1, 20, 9, 30)
PASSWORD = "correct horse"
ROOT = "/w/acme/tiny"
XSS = '"><script>alert(1)</script>'

# Sees goods and receipts, but no cost.
CLERK = """
role: clerk
label: {zh: 文员, en: Clerk}
grants:
  - forms: [product, warehouse, stock_in]
    actions: [read, export]
tags: {cost: hidden}
stock: {measures: [on_hand, available]}
pages: [stock, entries]
closing: [day, month]
"""

SignIn = Callable[..., TestClient]


@pytest.fixture(scope="session")
def tiny() -> AppBundle:
    """The tiny app with one more role, compiled once."""
    files, unread = read_definition_files(TINY)
    bundle, problems = read_bundle({**files, "roles/clerk.yaml": CLERK}, built_in_kinds())
    assert bundle is not None, (unread, problems)
    return bundle


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, tiny: AppBundle) -> Path:
    """A data folder with the workspace ``acme`` and a few records; made once, copied for every test."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    made = open_house(folder)
    workspace = made.keep(create_workspace(made.settings, "acme"))
    publish(workspace.database, tiny, "test", NOW)
    for login, name, roles, language in (
        ("keeper", "李仓管", ("keeper",), "zh"),
        ("admin", "王总", ("keeper", "admin"), "zh"),
        ("clerk", "小张", ("clerk",), "zh"),
        ("mary", "Mary", ("keeper", "admin"), "en"),
    ):
        accounts.add_user(made, "acme", login=login, name=name, password=PASSWORD, roles=roles, language=language)
    submit(made, "warehouse", {"code": "W1", "name": "主仓"})
    submit(made, "product", {"code": "A001", "name": "纯净水", "safety_stock": "50", "cost": "2"})
    submit(made, "product", {"code": "A002", "name": XSS})
    made.close()
    return folder


@pytest.fixture
def house(tmp_path: Path, prepared: Path, tiny: AppBundle) -> Iterator[House]:
    """A house over a copy of the prepared company."""
    shutil.copytree(prepared, tmp_path / "data")
    made = open_house(tmp_path / "data")
    made.apps.keep(tiny)
    yield made
    made.close()


def open_house(folder: Path) -> House:
    """A house whose jobs run when somebody drains them, at a fixed moment; a missing text fails the test."""
    settings = Settings(data_dir=folder, test_mode=True, upload_limit_mb=1)
    return inline_house(settings, built_in_kinds(), load_catalogue(strict=True), clock=lambda: NOW)[0]


@pytest.fixture
def sign_in(house: House) -> Iterator[SignIn]:
    """``sign_in("keeper")`` → a browser with that session; ``sign_in()`` → one without."""
    opened: list[TestClient] = []

    def start(login: str = "") -> TestClient:
        client = TestClient(create_app(house.settings, house), follow_redirects=False)
        opened.append(client)
        if login:
            answer = client.post("/w/acme/login", data=entrance(client) | {"login": login, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return client

    yield start
    for client in opened:
        client.close()


@pytest.fixture
def keeper(sign_in: SignIn) -> TestClient:
    """The browser of the storekeeper."""
    return sign_in("keeper")


def submit(house: House, form: str, data: dict[str, object], action: str = "save", login: str = "keeper") -> int:
    """Store a record through the facade; returns its id."""
    door = accounts.user_door(house, "acme", login)
    patch = documents.patch_from_json(door.bundle.forms[form], data)
    return documents.submit(door, Command(form=form, action=action, patch=patch)).document


def receive(house: House, product: str, qty: str, action: str = "submit") -> int:
    """A stock-in document of one line."""
    lines = [{"product": product, "qty": qty, "price": "2"}]
    return submit(house, "stock_in", {"warehouse": "主仓", "lines": lines}, action)


def entrance(client: TestClient) -> dict[str, str]:
    """The hidden fields of the sign-in form."""
    return hidden(client.get("/w/acme/login").text, "entrance", "back")


def hidden(page: str, *names: str) -> dict[str, str]:
    """Values of hidden inputs."""
    return {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in names}  # type: ignore[index]


def csrf_of(client: TestClient) -> str:
    """The session's token, as the pages carry it."""
    found = re.search(r'data-csrf="([^"]+)"', client.get(f"{ROOT}/menu").text)
    assert found is not None
    return found[1]


def words_of(page: str) -> str:
    """What a person reads: the page without its tags, scripts and attribute values."""
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))
