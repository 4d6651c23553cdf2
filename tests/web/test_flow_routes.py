"""What the task centre and the dialogs of a flow send, at the routes: deciding, claiming, moves, a batch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from runtime.app import create_app
from tests.houses import PASSWORD, WORKSPACE
from tests.runtime.flow_house import Firm, expense_flow, firm
from tests.web.conftest import entrance

ROOT = f"/w/{WORKSPACE}/flow_company"
FLOW = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
""")


class Browser:
    """One person's."""

    def __init__(self, made: Firm, login: str) -> None:
        house = made.home.house
        self.client = TestClient(create_app(house.settings, house), follow_redirects=False)
        given = entrance(self.client) | {"login": login, "password": PASSWORD}
        assert self.client.post(f"/w/{WORKSPACE}/login", data=given).status_code == 303
        found = re.search(r'data-csrf="([^"]+)"', self.client.get(f"{ROOT}/menu").text)
        assert found is not None
        self.csrf = found[1]

    def post(self, path: str, **sent: object) -> int:
        return self.client.post(f"{ROOT}{path}", data={"csrf": self.csrf, **sent}).status_code


@pytest.fixture
def made(tmp_path: Path) -> Firm:
    return firm(tmp_path, None, FLOW)


def test_deciding_claiming_and_dialogs(made: Firm) -> None:
    clerk, boss = made.door("clerk"), Browser(made, "boss")
    agreed, rejected, given, ticked = (made.expense(clerk, amount) for amount in (1, 2, 3, 4))

    def task(document: int) -> int | None:
        return made.tasks(document)[0].id

    assert boss.post(f"/tasks/{task(agreed)}/claim") == 303
    assert [one.user for one in made.tasks(agreed)] == [made.door("boss").actor.user]
    assert boss.post(f"/tasks/{task(agreed)}/release") == 303
    assert [one.user for one in made.tasks(agreed)] == [None]
    assert boss.post(f"/tasks/{task(agreed)}/withdraw") == 404
    sent = {"decision": "agree", "comment": "好", "key": "k1"}
    assert boss.post(f"/tasks/{task(agreed)}/decide", **sent) == 303
    assert made.status(agreed) == "approved" and made.log(agreed)[-1].reason == "好"
    assert boss.post(f"/tasks/{task(rejected)}/decide", decision="reject") == 422, "a reason is asked for"
    assert boss.post(f"/tasks/{task(rejected)}/decide", decision="reject", comment="不") == 303
    assert made.status(rejected) == "rejected"
    legal = made.door("legal").actor.user
    assert boss.post(f"/flows/expense/{given}/transfer", users=str(legal), comment="请看") == 303
    assert [one.user for one in made.tasks(given)] == [legal]
    assert boss.post(f"/flows/expense/{given}/migrate") == 404
    assert boss.post("/tasks/batch", id=str(task(ticked))) == 200
    assert made.status(ticked) == "approved"
    made.sound()
