"""What the task centre and the dialogs of a flow send, at the routes: deciding, claiming, moves, a batch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from runtime.app import create_app
from runtime.facade import accounts, flow_acts, flows
from runtime.facade.flow_acts import Act
from runtime.storage import audit
from runtime.storage.database import read
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


STUCK = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
  - approve: owner
    label: {zh: 负责人审批, en: Owner}
    by: {field: owner}
    empty: block
""")


def test_a_stuck_flow_is_shown_by_its_number_and_goes_on_at_the_press_of_a_button(tmp_path: Path) -> None:
    made = firm(tmp_path, None, STUCK)
    clerk, boss, chief = made.door("clerk"), made.door("boss"), made.door("admin")
    owner = made.door("finance").actor.user
    document = made.expense(clerk, owner=owner)
    accounts.set_active(chief, owner, False)
    made.flow(boss, document, "agree")
    other = made.expense(clerk, owner=owner)
    made.flow(boss, other, "agree")
    place, later = flows.stuck(chief)
    admin, clerks = Browser(made, "admin"), Browser(made, "clerk")
    path = f"/flows/stuck/expense/{document}/{place.run}/{place.token}/retry"
    page = admin.client.get(f"{ROOT}/flows/stuck").text
    assert place.number and place.number in page and path in page and f"#{document}" not in page

    assert clerks.post(path) == 403
    assert admin.post(path) == 409, "there is still nobody to ask"
    assert made.at(document) == ["owner"] and retries(made) == []
    accounts.set_active(chief, owner, True)
    assert admin.post(path) == 303
    assert flows.stuck(chief) == (later,) and [one.user for one in made.tasks(document)] == [owner]
    assert retries(made) == [{"form": "expense", "document": document, "run": place.run, "token": place.token}]
    assert made.words(document)[-1] == "retry"
    assert admin.post(path) == 409, "pressed twice: nothing is stuck any more"
    flow_acts.act(chief, "expense", other, "reassign", Act(token=later.token), origin="api")
    assert flows.stuck(chief) == () and [one["document"] for one in retries(made)] == [other, document]
    assert admin.post(path.replace(str(document), "999999")) == 404
    made.sound()


def retries(made: Firm) -> list[dict[str, object]]:
    with read(made.home.house.workspace(WORKSPACE).database) as connection:
        return [one["detail"] for one in audit.latest(connection) if one["event"] == "place_tried_again"]
