"""Pages of addresses, deliveries, messages and notification settings: who may see them, and that no secret is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from engine.definitions.compiled import AppBundle
from engine.effects import Audience, Effect, Notify, effect_json
from engine.labels import Label
from runtime.app import create_app
from runtime.facade import accounts
from runtime.house import House
from runtime.house_jobs import inline_house
from runtime.jobs.inline import InlineJobs
from runtime.jobs.relay import relay
from runtime.messages.catalogue import load_catalogue
from runtime.plugin_loading import load_plugins
from runtime.publishing.publish import publish
from runtime.settings import Settings
from runtime.storage import endpoints, outbox
from runtime.storage.database import in_transaction, read
from runtime.storage.outbox import OutboxRow
from runtime.workspaces import create_workspace
from tests.outgoing.receivers import Receiver, receiver
from tests.web.conftest import NOW, PASSWORD, ROOT, csrf_of, entrance, words_of

CANARY = "SEC7313canary"
OUTSIDE = f"{ROOT}/settings/outside"
DELIVERIES = f"{ROOT}/settings/deliveries"


@dataclass(kw_only=True)
class Place:
    """A served company with channels, its jobs, and a receiver."""

    house: House
    jobs: InlineJobs
    there: Receiver
    now: list[timedelta]

    def client(self, login: str) -> TestClient:
        """A browser signed in as somebody."""
        client = TestClient(create_app(self.house.settings, self.house), follow_redirects=False)
        answer = client.post("/w/acme/login", data=entrance(client) | {"login": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client

    def user(self, login: str) -> int:
        """The id of somebody."""
        return accounts.user_door(self.house, "acme", login).actor.user

    def decide(self, *effects: Effect) -> None:
        """Commit effects and perform them."""
        workspace = self.house.workspace("acme")
        rows = [OutboxRow(kind=each.kind, payload=effect_json(each), created_at=NOW) for each in effects]
        ids = in_transaction(workspace.database, lambda connection: outbox.add(connection, rows))
        relay(self.jobs, workspace, ids, NOW)
        self.jobs.drain()
        assert self.jobs.parked() == ()


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        running.says(200, {"errcode": 0, "errmsg": "ok"})
        yield running


@pytest.fixture
def place(tmp_path: Path, tiny: AppBundle, there: Receiver) -> Iterator[Place]:
    installed = load_plugins()
    settings = Settings(
        data_dir=tmp_path, test_mode=True, webhook_allow_hosts=there.host, public_url="https://erp.example.com"
    )
    shift = [timedelta()]
    house, jobs = inline_house(
        settings,
        installed.kinds,
        load_catalogue(strict=True),
        clock=lambda: NOW + shift[0],
        plugins=installed.plugins,
    )
    workspace = house.keep(create_workspace(settings, "acme"))
    house.apps.keep(tiny)
    publish(workspace.database, tiny, "test", NOW)
    for login, name, roles, language in (
        ("admin", "王总", ("keeper", "admin"), "zh"),
        ("keeper", "李仓管", ("keeper",), "zh"),
        ("mary", "Mary", ("keeper", "admin"), "en"),
    ):
        accounts.add_user(house, "acme", login=login, name=name, password=PASSWORD, roles=roles, language=language)
    yield Place(house=house, jobs=jobs, there=there, now=shift)
    house.close()


def send(client: TestClient, page: str, /, **fields: str) -> Any:
    """Send a form of our own page."""
    return client.post(page, data={"csrf": csrf_of(client), **fields})


def add_robot(client: TestClient, place: Place, **more: str) -> None:
    fields = {"kind": "channel", "key": "dingtalk_robot", "secret": CANARY, "about": "task"}
    address = f"{place.there.url}/robot/send?access_token={CANARY}"
    assert send(client, OUTSIDE, address=address, **fields | more).status_code == 303


def the_only(place: Place, kind: endpoints.Kind) -> endpoints.Endpoint:
    with read(place.house.workspace("acme").database) as connection:
        [one] = endpoints.every(connection, kind)
    return one


def test_only_administrators_see_addresses_and_deliveries(place: Place) -> None:
    keeper = place.client("keeper")
    for address in (OUTSIDE, DELIVERIES):
        assert keeper.get(address).status_code == 403
    for address in (OUTSIDE, f"{OUTSIDE}/1", f"{OUTSIDE}/1/secret", f"{OUTSIDE}/1/test", f"{DELIVERIES}/replay"):
        assert send(keeper, address, kind="inbound", key="shop").status_code == 403


def test_a_robot_is_set_up_tested_and_shows_no_secret(place: Place) -> None:
    admin = place.client("admin")
    assert "钉钉群机器人" in admin.get(OUTSIDE).text
    add_robot(admin, place)
    page = admin.get(OUTSIDE).text
    assert "已设置密钥" in words_of(page)
    assert CANARY not in page
    one = the_only(place, "channel")
    assert send(admin, f"{OUTSIDE}/{one.id}/test").status_code == 303
    [got] = place.there.arrived
    assert got.json["markdown"]["title"] == "织仓测试消息"
    assert "&sign=" in got.path
    place.there.says(200, {"errcode": 310000, "errmsg": "sign not match"})
    failed = send(admin, f"{OUTSIDE}/{one.id}/test")
    assert failed.status_code == 409
    assert "310000" in failed.text and CANARY not in failed.text


def test_a_made_secret_is_shown_once(place: Place) -> None:
    admin = place.client("admin")
    answer = send(admin, OUTSIDE, kind="outbound", key="crm", address=f"{place.there.url}/crm")
    found = re.search(r"whsec_[A-Za-z0-9+/=]{40,}", answer.text)
    assert found is not None
    assert found[0] not in admin.get(OUTSIDE).text
    one = the_only(place, "outbound")
    again = send(admin, f"{OUTSIDE}/{one.id}/secret").text
    fresh = re.search(r"whsec_[A-Za-z0-9+/=]{40,}", again)
    assert fresh is not None and fresh[0] != found[0]
    assert the_only(place, "outbound").secrets_at(NOW) == (fresh[0], found[0])


def test_another_host_does_not_get_the_secret(place: Place) -> None:
    admin = place.client("admin")
    add_robot(admin, place)
    one = the_only(place, "channel")
    moved = send(admin, f"{OUTSIDE}/{one.id}", address="https://evil.example/robot?access_token=x")
    assert moved.status_code == 422
    assert "重新填写密钥" in moved.text
    assert the_only(place, "channel").address == one.address
    assert send(admin, f"{OUTSIDE}/{one.id}", about="overdue").status_code == 303
    changed = the_only(place, "channel")
    assert (changed.address, changed.secret, changed.options["about"]) == (one.address, CANARY, ("overdue",))


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/", "https://169.254.169.254/latest", "file:///etc/passwd", "https://[::1]/", "ftp://a.cn/"],
)
def test_addresses_inside_the_house_are_refused_at_once(place: Place, address: str) -> None:
    admin = place.client("admin")
    answer = send(admin, OUTSIDE, kind="outbound", key="crm", address=address)
    assert answer.status_code == 422
    assert "公网" in answer.text


def test_names_are_checked_and_taken_once(place: Place) -> None:
    admin = place.client("admin")
    for key in ("", "Shop", "a b", "../x", "x" * 61):
        assert send(admin, OUTSIDE, kind="inbound", key=key).status_code == 422
    assert send(admin, OUTSIDE, kind="inbound", key="shop").status_code == 200
    assert send(admin, OUTSIDE, kind="inbound", key="shop").status_code == 409
    assert "https://erp.example.com/hooks/acme/shop" in admin.get(OUTSIDE).text


def test_what_was_given_up_is_seen_and_sent_again(place: Place) -> None:
    admin = place.client("admin")
    add_robot(admin, place)
    one = the_only(place, "channel")
    send(admin, f"{OUTSIDE}/{one.id}/active", active="false")
    note = Notify(to=Audience(users=(place.user("keeper"),)), title=Label("请盘点主仓", "Count"), about="task")
    send(admin, f"{OUTSIDE}/{one.id}/active", active="true")
    place.decide(note)
    send(admin, f"{OUTSIDE}/{one.id}/active", active="false")
    place.house.sender.send_due(place.house.workspace("acme"))
    page = words_of(admin.get(f"{DELIVERIES}?state=dead").text)
    assert "请盘点主仓" in page and "外发地址已停用" in page and "重发" in page
    assert "没有发送记录" in words_of(admin.get(f"{DELIVERIES}?state=done").text)
    assert "没有发送记录" in words_of(admin.get(f"{DELIVERIES}?q=nothing-like-it").text)
    send(admin, f"{OUTSIDE}/{one.id}/active", active="true")
    assert send(admin, f"{DELIVERIES}/replay").status_code == 303
    assert place.house.sender.send_due(place.house.workspace("acme")) == 1
    assert "已送达" in words_of(admin.get(DELIVERIES).text)
    assert send(admin, f"{DELIVERIES}/999/replay").status_code == 404


def test_a_person_chooses_and_is_told_accordingly(place: Place) -> None:
    admin, keeper = place.client("admin"), place.client("keeper")
    add_robot(admin, place, about="")
    settings = f"{ROOT}/me/notices"
    assert "钉钉群机器人" in keeper.get(settings).text
    fields = {"task.dingtalk_robot": "now", "mobile": "13800000001", "quiet_from": "22:00", "quiet_until": "07:00"}
    assert send(keeper, settings, **fields).status_code == 303
    page = keeper.get(settings).text
    assert 'value="13800000001"' in page and 'value="22:00"' in page
    assert re.search(r'name="task.dingtalk_robot".*?value="now" selected', page, re.S)
    about = {"form": "stock_in", "document": 1}
    title = Label("请盘点", "Count")
    place.decide(Notify(to=Audience(users=(place.user("keeper"),)), title=title, about="task", **about))  # type: ignore[arg-type]
    place.house.sender.send_due(place.house.workspace("acme"))
    [got] = place.there.arrived
    assert got.json["at"]["atMobiles"] == ["13800000001"]
    assert "https://erp.example.com/w/acme/tiny/stock_in/1" in got.json["markdown"]["text"]
    wrong = send(keeper, settings, email="nobody", digest_at="99:00")
    assert wrong.status_code == 422
    assert "不是邮箱地址" in wrong.text and "不是时间" in wrong.text


def test_the_message_centre_filters_opens_and_reads_all(place: Place) -> None:
    keeper = place.client("keeper")
    to = Audience(users=(place.user("keeper"),))
    for number, about in enumerate(("task", "task", "rule", "result")):
        title = Label(f"消息{number}", f"Message {number}")
        place.decide(
            Notify(to=to, title=title, body=Label("正文", "Body"), about=about, form="stock_in", document=number + 1)
        )
    page = words_of(keeper.get(f"{ROOT}/messages").text)
    assert all(f"消息{number}" in page for number in range(4)) and "正文" in page
    tasks = words_of(keeper.get(f"{ROOT}/messages?kind=task").text)
    assert "消息1" in tasks and "消息2" not in tasks
    first = re.search(rf'href="({ROOT}/messages/\d+)">消息1<', keeper.get(f"{ROOT}/messages").text)
    assert first is not None
    opened = keeper.get(first[1])
    assert (opened.status_code, opened.headers["location"]) == (303, f"{ROOT}/stock_in/2")
    unread = words_of(keeper.get(f"{ROOT}/messages?unread=1").text)
    assert "消息1" not in unread and "消息0" in unread
    counted = keeper.get(f"{ROOT}/toasts").headers["hx-trigger"]
    assert '"messages": 3' in counted
    send(keeper, f"{ROOT}/messages/read", kind="task")
    assert '"messages": 2' in keeper.get(f"{ROOT}/toasts").headers["hx-trigger"]
    send(keeper, f"{ROOT}/messages/read")
    assert '"messages": 0' in keeper.get(f"{ROOT}/toasts").headers["hx-trigger"]
    assert place.client("admin").get(first[1]).status_code == 404, "somebody else's message"


@pytest.mark.parametrize("path", ["settings/outside", "settings/deliveries", "me/notices", "messages"])
def test_an_english_page_has_no_chinese(place: Place, path: str) -> None:
    add_robot(place.client("admin"), place)
    page = words_of(place.client("mary").get(f"{ROOT}/{path}").text)
    frame = {"中文", "织仓"}
    chinese = [word for word in re.findall(r"[\u4e00-\u9fff]+", page) if word not in frame]
    known = set(re.findall(r"[\u4e00-\u9fff]+", words_of(place.client("mary").get(f"{ROOT}/menu").text)))
    assert [word for word in chinese if word not in known] == []
