"""Somebody who has only docs/plugins.md writes a plugin: it is loaded, seen by definitions, and performs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, ModuleType
from zoneinfo import ZoneInfo

import pytest

from engine.effects import CallPlugin, effect_json
from engine.problems import Refused
from runtime.delivering.plugin_calls import plugin_performers
from runtime.hookspecs import Answer, Letter, Occasion, Place, Undelivered, hook
from runtime.plugin_loading import Installed, load_plugins
from runtime.safe_http import SafeOutside
from runtime.storage.outbox import OutboxRow
from tests.outgoing.receivers import Receiver, receiver

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
NOON = datetime(2026, 3, 2, 12, 0)
ZONE = ZoneInfo("Asia/Shanghai")


class Recording:
    """An `Outside` that notes what is sent and answers as told."""

    def __init__(self, status: int = 200, body: bytes = b"{}") -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.answer = Answer(status=status, body=body)

    def post(self, url: str, headers: object, body: bytes) -> Answer:
        self.sent.append((url, body))
        return self.answer

    def check(self, url: str) -> None:
        """Everything is allowed."""

    def connect(self, host: str, port: int) -> None:
        """Nobody connects here."""

    def tls(self) -> None:
        """Nobody asks."""


@pytest.fixture
def installed() -> Installed:
    """The product with the plugin of the manual."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    module = ModuleType("sms_gateway")
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    return load_plugins([("sms_gateway", module)])


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def test_definitions_know_what_the_plugin_adds(installed: Installed) -> None:
    assert "sms_gateway" in installed.names
    assert installed.kinds.channels["sms"].label.zh == "短信"
    assert installed.kinds.actions["print_label"].required == ("text",)
    assert installed.kinds.resolvers["on_duty"].params == ("shift",)
    assert "email" in installed.kinds.channels


def test_its_channel_sends(installed: Installed, there: Receiver) -> None:
    there.says(200, {"ok": True})
    letter = Letter(
        message_id="msg_1", kind="task", title="请审批", address="13800000001", at=NOON.replace(tzinfo=ZONE), sent_at=1
    )
    place = Place(address=f"{there.url}/sms", secrets=("t1",), options={"signature": "【织仓】"})
    outside = SafeOutside(allow_hosts=frozenset({there.host}))
    installed.plugins.channels["sms"].send(letter, place, outside)
    [got] = there.arrived
    assert got.json == {"to": "13800000001", "text": "【织仓】 请审批", "ref": "msg_1"}
    assert got.headers["authorization"] == "Bearer t1"
    there.says(200, {"ok": False})
    with pytest.raises(Undelivered):
        installed.plugins.channels["sms"].send(letter, place, outside)


def test_its_action_is_performed_under_the_key_of_the_effect(installed: Installed) -> None:
    effect = CallPlugin(use="print_label", params={"text": "A032"}, form="product", document=7)
    row = OutboxRow(id=42, kind=effect.kind, payload=effect_json(effect), created_at=NOON)
    outside = Recording()

    class Acme:
        key = "acme"

    call = plugin_performers(installed.plugins, outside, lambda: NOON, ZONE)[effect.kind]  # type: ignore[arg-type]
    call(Acme(), row)  # type: ignore[arg-type]
    assert outside.sent == [("https://printer.example.com/labels", b'{"text": "A032", "once": "outbox:42"}')]
    outside.answer = Answer(status=500)
    with pytest.raises(Undelivered):
        call(Acme(), row)  # type: ignore[arg-type]
    unknown = OutboxRow(id=43, kind=effect.kind, payload=effect_json(CallPlugin(use="print_lable")), created_at=NOON)
    with pytest.raises(Refused) as caught:
        call(Acme(), unknown)  # type: ignore[arg-type]
    assert caught.value.problems[0].params["suggestion"] == "print_label"


def test_its_resolver_answers_logins(installed: Installed) -> None:
    occasion = Occasion(key="outbox:1", workspace="acme", at=NOON.replace(tzinfo=ZONE))
    outside = Recording(body=b'{"logins": ["wang"]}')
    found = installed.plugins.resolvers["on_duty"].resolve({"shift": "night"}, occasion, outside)  # type: ignore[arg-type]
    assert found == ("wang",)


def test_a_bad_plugin_is_left_out_and_no_name_is_taken_twice() -> None:
    taken = next(iter(load_plugins().kinds.functions))

    class Broken:
        @hook
        def stockloom_channels(self) -> object:
            raise RuntimeError("no")

    class Greedy:
        @hook
        def stockloom_functions(self) -> object:
            return {taken: None, "greet": None}

    installed = load_plugins([("broken", Broken()), ("greedy", Greedy())])
    assert "broken" not in installed.names
    assert installed.kinds.functions[taken] is not None
    assert "greet" in installed.kinds.functions
    assert isinstance(installed.plugins.channels, MappingProxyType)
    assert "sms_gateway" not in sys.modules
