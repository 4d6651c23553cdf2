"""Workflows over the API: every move, the lists, batches, what administrators see, and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from runtime.api.openapi_flows import EXAMPLES
from runtime.app import create_app
from runtime.facade import accounts
from runtime.facade.flow_acts import ACTS
from tests.houses import WORKSPACE
from tests.runtime.flow_house import Firm, firm

FLOW = """
workflow: expense_approval
label: {zh: 报销审批, en: Expense approval}
form: expense
steps:
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
    fields: {remark: write}
  - notify: told
    label: {zh: 抄送, en: Copy}
    to: {role: legal}
"""


class Caller:
    """One person with a key."""

    def __init__(self, made: Firm, client: TestClient, role: str) -> None:
        door = made.door(role)
        key = accounts.create_api_key(door, "test")
        self.client, self.base = client, f"/api/v1/{WORKSPACE}/{door.bundle.app.app}"
        self.headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(f"{self.base}{path}", headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: object = None, status: int = 200) -> Any:
        answer = self.client.post(f"{self.base}{path}", headers=self.headers, json=body or {})
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def made(tmp_path: Path) -> Firm:
    return firm(tmp_path, None, FLOW)


@pytest.fixture
def client(made: Firm) -> Iterator[TestClient]:
    with TestClient(create_app(made.home.house.settings, made.home.house)) as opened:
        yield opened


def test_a_run_over_the_api(made: Firm, client: TestClient) -> None:
    clerk, boss, legal = (Caller(made, client, role) for role in ("clerk", "boss", "legal"))
    document = clerk.post("/expense", {"action": "submit", "data": {"purpose": "差旅"}}, 201)["id"]
    (row,) = boss.get("/-/inbox/open")["rows"]
    assert (row["form"], row["document"]) == ("expense", document)
    offers = {one["kind"]: one for one in boss.get(f"/expense/{document}/flow")["offers"]}
    assert offers["agree"]["allowed"] and not offers["withdraw"]["allowed"]
    clerk.post(f"/expense/{document}/flow/agree", {}, 409)
    done = boss.post(f"/expense/{document}/flow/agree", {"comment": "好", "data": {"remark": "已核"}})
    assert done["doc_status"] == "approved"
    assert len(boss.get("/-/inbox/done")["rows"]) == len(clerk.get("/-/inbox/mine")["rows"]) == 1
    assert len(legal.get("/-/inbox/copies")["rows"]) == 1
    assert [line["kind"] for line in clerk.get(f"/expense/{document}/flow")["log"]] == ["submit", "approve"]


def test_files_go_with_a_decision(made: Firm, client: TestClient) -> None:
    clerk, boss = Caller(made, client, "clerk"), Caller(made, client, "boss")
    document = clerk.post("/expense", {"action": "submit", "data": {"purpose": "差旅"}}, 201)["id"]
    path = f"{boss.base}/-/files"
    answer = client.post(path, headers=boss.headers, files={"file": ("合同.pdf", b"%PDF", "application/pdf")})
    assert answer.status_code == 201, answer.text
    kept = answer.json()
    boss.post(f"/expense/{document}/flow/reject", {"comment": "不符", "files": [kept["id"], 3]}, 422)
    boss.post(f"/expense/{document}/flow/reject", {"comment": "不符", "files": [kept["id"]]})
    assert clerk.get(f"/expense/{document}/flow")["log"][-1]["files"] == [kept]
    for address in (f"/expense/{document}/flow/files/{kept['id']}", f"/-/files/{kept['id']}"):
        handed = client.get(f"{boss.base}{address}", headers=boss.headers)
        assert (handed.status_code, handed.content) == (200, b"%PDF")
        assert handed.headers["Content-Disposition"].startswith("attachment")
    own = client.get(f"{clerk.base}/expense/{document}/flow/files/{kept['id']}", headers=clerk.headers)
    assert own.content == b"%PDF"
    clerk.get(f"/-/files/{kept['id']}", 404)
    clerk.get(f"/expense/{document}/flow/files/nothing", 404)


def test_several_at_once(made: Firm, client: TestClient) -> None:
    clerk, boss = Caller(made, client, "clerk"), Caller(made, client, "boss")
    sent = {"action": "submit", "data": {"purpose": "差旅"}}
    items = [{"form": "expense", "document": clerk.post("/expense", sent, 201)["id"]} for _ in range(3)]
    rows = boss.post("/-/inbox/decide", {"action": "agree", "items": [*items, items[0]]})["rows"]
    assert [row["done"] for row in rows] == [True, True, True, False]
    assert rows[3]["problems"][0]["code"] == "document.wrong_status"


def test_what_cannot_be_read_is_refused_in_words(made: Firm, client: TestClient) -> None:
    boss = Caller(made, client, "boss")
    document = Caller(made, client, "clerk").post("/expense", {"action": "submit", "data": {"purpose": "x"}}, 201)["id"]
    for path, body, status in (
        (f"/expense/{document}/flow/dance", {}, 422),
        (f"/expense/{document}/flow/timer", {}, 422),
        (f"/expense/{document}/flow/agree", {"seat": "one"}, 422),
        (f"/expense/{document}/flow/agree", {"users": [1, "x"]}, 422),
        (f"/expense/{document}/flow/agree", {"chosen": 3}, 422),
        (f"/expense/{document}/flow/agree", {"colour": 3}, 422),
        ("/expense/999999/flow/agree", {}, 404),
        (f"/expense/{document}/start/nothing", {}, 422),
        ("/-/hand-over", {"leaver": 1, "successor": 2}, 403),
        ("/-/migrations/nothing", {}, 404),
        ("/-/migrations/expense_approval", {"nodes": []}, 422),
        ("/-/proposals/7", {"make": True}, 404),
    ):
        answer = boss.post(path, body, status)
        assert answer["problems"][0]["text"]
    boss.get("/-/inbox/nowhere", 404)
    assert boss.get("/-/stuck") == {"rows": []}


def test_the_description_has_an_example_of_every_move(made: Firm, client: TestClient) -> None:
    paths = Caller(made, client, "boss").get("/-/openapi.json")["paths"]
    base = f"/api/v1/{WORKSPACE}/flow_company"
    for act in ACTS:
        if act == "start":
            continue
        assert EXAMPLES.keys() >= {act}
        assert "example" in paths[f"{base}/expense/{{document}}/flow/{act}"]["post"]["requestBody"]["content"][
            "application/json"
        ]  # fmt: skip
    assert f"{base}/payment/{{document}}/flow" not in paths
    assert {f"{base}/-/inbox/{{tab}}", f"{base}/-/stuck", f"{base}/-/migrations/{{workflow}}"} <= paths.keys()
