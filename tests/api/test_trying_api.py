"""试一下 over the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from runtime.app import create_app
from tests.api.test_flows_api import Caller
from tests.runtime.flow_house import Firm, company, firm
from tests.runtime.test_trying import FLOW, GIVEN, changed


@pytest.fixture
def made(tmp_path: Path) -> Firm:
    house = firm(tmp_path, None, FLOW)
    house.publish(company(FLOW, changes=GIVEN))
    return house


@pytest.fixture
def client(made: Firm) -> Iterator[TestClient]:
    with TestClient(create_app(made.home.house.settings, made.home.house)) as opened:
        yield opened


def test_a_draft_on_a_document_and_over_a_period(made: Firm, client: TestClient) -> None:
    document = made.expense(made.door("clerk"), 60_000)
    made.door("admin", "legal")
    admin = Caller(made, client, "admin")
    done = admin.post("/-/try", {"definition": changed(80_000), "document": str(document)})
    assert done["outcome"] == "approved" and done["red"] == []
    assert [step["kind"] for step in done["steps"]] == ["submit", "asked", "condition", "copied", "action", "end"]
    past = {"definition": changed(80_000), "from": "2026-01-01", "until": "2026-01-31"}
    replayed = admin.post("/-/replay", past)
    assert (replayed["looked"], replayed["differing"], replayed["next"]) == (1, 1, None)
    assert replayed["rows"][0]["document"] == document
    paths = admin.get("/-/openapi.json")["paths"]
    assert {path.rpartition("/-/")[2] for path in paths} >= {"try", "replay"}


def test_what_is_refused(made: Firm, client: TestClient) -> None:
    admin, boss = Caller(made, client, "admin"), Caller(made, client, "boss")
    past = {"definition": FLOW, "from": "2026-01-01", "until": "2026-01-31"}
    assert boss.post("/-/replay", past, 403)["problems"][0]["code"] == "trying.administrators_only"
    assert "/-/try" not in "".join(boss.get("/-/openapi.json")["paths"])
    assert admin.post("/-/replay", past | {"from": "x"}, 422)["problems"][0]["code"] == "trying.day"
    assert admin.post("/-/replay", past | {"after": -1}, 422)["problems"][0]["code"] == "flow.bad_value"
    assert admin.post("/-/try", {"definition": "nothing"}, 422)["problems"][0]["code"] == "trying.no_name"
    assert admin.post("/-/try", {"definition": FLOW, "document": "9999"}, 404)["problems"]
