"""Inbound webhooks: only what is signed, fresh and new becomes a job; everything else gets a clear answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from runtime.app import create_app
from runtime.facade.receiving import BURST, MOST_BYTES
from runtime.house import ZONE
from runtime.standard_webhooks import headers, new_secret
from runtime.storage import audit, endpoints, outbox
from runtime.storage.database import in_transaction, read
from runtime.storage.endpoints import Endpoint
from runtime.storage.outbox import OutboxRow
from tests.houses import Home, make_home

TINY = Path(__file__).parents[1] / "apps" / "tiny"
SECRET = new_secret()


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Home]:
    url = None if database_url.startswith("sqlite") else database_url
    made = make_home(tmp_path, TINY, url)
    one = Endpoint(kind="inbound", key="shop", secret=SECRET, created_at=made.clock.now)
    in_transaction(made.house.workspace("acme").database, lambda connection: endpoints.add(connection, one))
    yield made
    made.house.close()


@pytest.fixture
def client(home: Home) -> Iterator[TestClient]:
    with TestClient(create_app(home.house.settings, home.house)) as opened:
        yield opened


def send(
    client: TestClient,
    home: Home,
    body: bytes = b'{"order": "T-1", "qty": 1.50}',
    *,
    secret: str = SECRET,
    message: str = "",
    late: int = 0,
    path: str = "/hooks/acme/shop",
    without: str = "",
) -> Response:
    """Send a signed message; ``late``: its timestamp is so many seconds old."""
    at = int(home.clock.now.replace(tzinfo=ZONE).timestamp()) - late
    signed = dict(headers([secret], message or f"msg_{secrets.token_hex(4)}", at, body))
    signed.pop(without, None)
    return client.post(path, content=body, headers=signed)


def received(home: Home) -> list[OutboxRow]:
    """What became of the messages."""
    with read(home.house.workspace("acme").database) as connection:
        return [row for row in outbox.pending(connection, handed_before=home.clock.now.replace(year=2100))
                if row.kind == "webhook_received"]  # fmt: skip


def noted(home: Home) -> list[Mapping[str, object]]:
    with read(home.house.workspace("acme").database) as connection:
        return [row for row in audit.latest(connection) if row["event"] == "webhook_refused"]


def test_a_signed_message_becomes_a_job(client: TestClient, home: Home) -> None:
    answer = send(client, home, message="msg_1")
    assert (answer.status_code, answer.json()) == (202, {"id": "msg_1", "repeated": False})
    [row] = received(home)
    assert (row.payload["name"], row.payload["message_id"]) == ("shop", "msg_1")
    assert dict(row.payload["payload"]) == {"order": "T-1", "qty": "1.50"}
    assert row.snapshot == home.house.published(home.house.workspace("acme")).bundle.hash


def test_a_message_that_comes_again_counts_once(client: TestClient, home: Home) -> None:
    answers = [send(client, home, message="msg_1") for _ in range(3)]
    assert [each.json()["repeated"] for each in answers] == [False, True, True]
    assert {each.status_code for each in answers} == {202}
    assert len(received(home)) == 1


def test_nothing_unproven_gets_in(client: TestClient, home: Home) -> None:
    def code(**how: object) -> tuple[int, str]:
        answer = send(client, home, **how)  # type: ignore[arg-type]
        return answer.status_code, answer.json()["problems"][0]["code"]

    assert code(secret=new_secret()) == (401, "hook.bad_signature")
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert code(without=name) == (401, "hook.no_signature")
    assert code(late=301) == (401, "hook.too_old")
    assert code(late=-301) == (401, "hook.too_old")
    assert send(client, home, late=299).status_code == 202
    assert code(path="/hooks/acme/other") == (404, "hook.unknown")
    assert code(path="/hooks/nowhere/shop") == (404, "hook.unknown")
    assert len(received(home)) == 1
    assert len(noted(home)) == 6


def test_a_changed_body_is_not_the_signed_one(client: TestClient, home: Home) -> None:
    at = int(home.clock.now.replace(tzinfo=ZONE).timestamp())
    signed = dict(headers([SECRET], "msg_1", at, b'{"qty": 1}'))
    assert client.post("/hooks/acme/shop", content=b'{"qty": 9}', headers=signed).status_code == 401
    moved = signed | {"webhook-id": "msg_2"}
    assert client.post("/hooks/acme/shop", content=b'{"qty": 1}', headers=moved).status_code == 401
    assert received(home) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"text", 422),
        (b"[1]", 422),
        (b'{"a": NaN}', 422),
        (b'{"a": ' + b"[" * 2000 + b"]" * 2000 + b"}", 422),
        (json.dumps({"a": [[[[[[[[[[[[[[1]]]]]]]]]]]]]]}).encode(), 422),
        (b'{"a": "' + b"x" * MOST_BYTES + b'"}', 413),
        ('{"名": "值 😀"}'.encode(), 202),
    ],
    ids=["empty", "text", "list", "nan", "deep", "deeper", "large", "chinese"],
)
def test_only_small_objects_are_taken(client: TestClient, home: Home, body: bytes, status: int) -> None:
    answer = send(client, home, body)
    assert answer.status_code == status
    assert status == 202 or answer.json()["problems"][0]["text"]
    assert len(received(home)) == (status == 202)


def test_too_many_are_told_to_wait(client: TestClient, home: Home) -> None:
    statuses = [send(client, home).status_code for _ in range(BURST + 3)]
    assert statuses == [202] * BURST + [429] * 3
    assert send(client, home).headers["retry-after"]
    home.clock.wait(seconds=1)
    assert send(client, home).status_code == 202


def test_bad_messages_neither_fill_the_log_nor_take_the_place_of_good_ones(client: TestClient, home: Home) -> None:
    for _ in range(BURST + 20):
        assert send(client, home, secret=new_secret()).status_code == 401
    assert send(client, home).status_code == 202
    assert len(noted(home)) <= BURST


def test_a_replaced_secret_counts_for_a_day_and_a_closed_address_not_at_all(client: TestClient, home: Home) -> None:
    database, fresh = home.house.workspace("acme").database, new_secret()
    with read(database) as connection:
        one = endpoints.get(connection, "inbound", "shop")
    assert one is not None
    changes = {"secret": fresh, "old_secret": SECRET, "replaced_at": home.clock.now}
    in_transaction(database, lambda connection: endpoints.change(connection, one.id, **changes))
    assert [send(client, home, secret=each).status_code for each in (SECRET, fresh)] == [202, 202]
    home.clock.wait(days=1)
    assert [send(client, home, secret=each).status_code for each in (SECRET, fresh)] == [401, 202]
    in_transaction(database, lambda connection: endpoints.change(connection, one.id, active=False))
    assert send(client, home, secret=fresh).status_code == 404
