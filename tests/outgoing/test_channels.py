"""What the channels of the product put on the wire, and what they make of answers."""

from __future__ import annotations

import email
import ssl
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.labels import Label
from runtime.hookspecs import Channel, Letter, Place, Plugins, Undelivered
from runtime.safe_http import SafeOutside
from runtime.standard_webhooks import signature, verified
from tests.outgoing.receivers import SENDER_PASSWORD, Receiver, certificate, mail_server

SENT_AT = 1772424000
LETTER = Letter(
    message_id="msg_1",
    kind="overdue",
    title="采购订单 PO-1 超时未审批",
    body="已等待 3 天\n请尽快处理",
    link="https://erp.example.com/w/acme/general/purchase_order/7",
    person="王总",
    at=datetime(2026, 3, 2, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai")),
    sent_at=SENT_AT,
)
ROBOTS = ("wecom_robot", "dingtalk_robot", "feishu_robot")
DONE: Mapping[str, object] = {
    "wecom_robot": {"errcode": 0, "errmsg": "ok"},
    "dingtalk_robot": {"errcode": 0, "errmsg": "ok"},
    "feishu_robot": {"code": 0, "msg": "success", "data": {}},
}
REFUSED: Mapping[str, tuple[object, bool]] = {
    "wecom_robot": ({"errcode": 93000, "errmsg": "invalid webhook url"}, False),
    "dingtalk_robot": ({"errcode": 310000, "errmsg": "sign not match"}, False),
    "feishu_robot": ({"code": 19021, "msg": "sign match fail"}, False),
}
TOO_OFTEN: Mapping[str, object] = {
    "wecom_robot": {"errcode": 45009, "errmsg": "api freq out of limit"},
    "dingtalk_robot": {"errcode": 130101, "errmsg": "send too fast"},
    "feishu_robot": {"code": 11232, "msg": "frequency limited"},
}


def send(channel: Channel, there: Receiver, place: Place, letter: Letter = LETTER) -> Any:
    """Send, and give back what arrived."""
    channel.send(letter, place, SafeOutside(allow_hosts=frozenset({there.host})))
    return there.arrived[-1]


def letter(**changes: object) -> Letter:
    return replace(LETTER, **changes)  # type: ignore[arg-type]


def failure(channel: Channel, there: Receiver, place: Place) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        send(channel, there, place)
    return caught.value


def test_every_channel_of_the_product_is_there(plugins: Plugins) -> None:
    assert sorted(plugins.channels) == ["dingtalk_robot", "email", "feishu_robot", "webhook", "wecom_robot"]


def test_wecom_writes_markdown_and_calls_people_in_text(plugins: Plugins, there: Receiver) -> None:
    there.says(200, DONE["wecom_robot"])
    channel, place = plugins.channels["wecom_robot"], Place(address=f"{there.url}/cgi-bin/webhook/send?key=k1")
    got = send(channel, there, place)
    assert got.path == "/cgi-bin/webhook/send?key=k1"
    assert got.json["msgtype"] == "markdown"
    content = got.json["markdown"]["content"]
    assert content.startswith("**采购订单 PO-1 超时未审批**")
    assert f"[查看详情]({LETTER.link})" in content
    called = send(channel, there, place, letter(mentions=("13800000001",))).json
    assert called["text"]["mentioned_mobile_list"] == ["13800000001"]
    assert called["text"]["content"].endswith(LETTER.link)


def test_wecom_texts_are_cut_to_what_it_takes(plugins: Plugins, there: Receiver) -> None:
    there.says(200, DONE["wecom_robot"])
    channel, place = plugins.channels["wecom_robot"], Place(address=there.url)
    long = letter(body="长" * 3000)
    assert len(send(channel, there, place, long).json["markdown"]["content"].encode()) <= 4096
    both = letter(body="长" * 3000, mentions=("1380000",))
    assert len(send(channel, there, place, both).json["text"]["content"].encode()) <= 2048


def test_dingtalk_signs_the_address(plugins: Plugins, there: Receiver) -> None:
    there.says(200, DONE["dingtalk_robot"])
    channel = plugins.channels["dingtalk_robot"]
    place = Place(address=f"{there.url}/robot/send?access_token=t1", secrets=("SEC7313",))
    got = send(channel, there, place, letter(mentions=("13800000001",)))
    assert (
        got.path
        == "/robot/send?access_token=t1&timestamp=1772424000000&sign=9qabw3yMmYDtvlIB%2FRvLl5mudkeIJ0%2BUEgg5P0gHE3U%3D"
    )
    assert got.json["msgtype"] == "markdown"
    assert got.json["at"] == {"atMobiles": ["13800000001"], "isAtAll": False}
    assert "@13800000001" in got.json["markdown"]["text"]
    assert "sign" not in send(channel, there, Place(address=f"{there.url}/robot/send?access_token=t1")).path


def test_feishu_signs_the_body(plugins: Plugins, there: Receiver) -> None:
    there.says(200, DONE["feishu_robot"])
    got = send(plugins.channels["feishu_robot"], there, Place(address=there.url, secrets=("fs-secret",))).json
    assert (got["timestamp"], got["sign"]) == ("1772424000", "eqQobT5FbOT5Gyeg7csGGDKn56gUj7z2/IEvLnjeH8w=")
    post = got["content"]["post"]["zh_cn"]
    assert post["title"] == LETTER.title
    assert post["content"][-1] == [{"tag": "a", "text": "查看详情", "href": LETTER.link}]
    there.says(200, {"StatusCode": 0, "StatusMessage": "success"})
    assert "sign" not in send(plugins.channels["feishu_robot"], there, Place(address=there.url)).json


@pytest.mark.parametrize("key", ROBOTS)
def test_a_code_under_status_200_is_a_failure(plugins: Plugins, there: Receiver, key: str) -> None:
    channel, place = plugins.channels[key], Place(address=there.url)
    answer, again = REFUSED[key]
    there.says(200, answer)
    assert (failure(channel, there, place).again, failure(channel, there, place).status) == (again, 200)
    there.says(200, TOO_OFTEN[key])
    assert failure(channel, there, place).again
    for status, body in ((500, DONE[key]), (200, "text"), (200, None)):
        there.says(status, body)
        assert failure(channel, there, place).again


def test_the_signature_is_that_of_the_specification() -> None:
    """The example the specification gives."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_webhooks_carry_one_signature_per_secret(plugins: Plugins, there: Receiver) -> None:
    secrets = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "QUJDREVGR0hJSktMTU5PUA==")
    event = letter(kind="stock.below_safety", data={"product": "A032", "lines": ({"qty": "1.5"},)})
    got = send(plugins.channels["webhook"], there, Place(address=there.url, secrets=secrets), event)
    assert got.json == {
        "type": "stock.below_safety",
        "timestamp": "2026-03-02T12:00:00+08:00",
        "data": {"product": "A032", "lines": [{"qty": "1.5"}]},
    }
    assert (got.headers["webhook-id"], got.headers["webhook-timestamp"]) == ("msg_1", str(SENT_AT))
    for secret in secrets:
        assert verified([secret], "msg_1", SENT_AT, got.body, got.headers["webhook-signature"])
    assert not verified(["whsec_" + "QUJDREVGR0hJSktMTU5PUQ=="], "msg_1", SENT_AT, got.body, "v1,AAAA v1,=")


@pytest.mark.parametrize(
    ("status", "again", "gone"), [(500, True, False), (404, True, False), (302, True, False), (410, False, True)]
)
def test_webhooks_are_tried_again_unless_the_receiver_is_gone(
    plugins: Plugins, there: Receiver, status: int, again: bool, gone: bool
) -> None:
    there.says(status)
    failed = failure(plugins.channels["webhook"], there, Place(address=there.url))
    assert (failed.status, failed.again, failed.gone) == (status, again, gone)


@pytest.fixture
def trusted(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A context to serve with, and one that trusts it."""
    made = certificate(tmp_path)
    if made is None:
        pytest.skip("openssl is not installed")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*made)
    return serving, ssl.create_default_context(cafile=str(made[0]))


def mail_place(port: int, security: str, password: str = SENDER_PASSWORD) -> Place:
    options = {"sender": "erp@example.com", "security": security, "user": "erp" if password else ""}
    return Place(address=f"127.0.0.1:{port}", secrets=(password,) if password else (), options=options)


def mailed(raw: bytes | str | None) -> Message:
    assert isinstance(raw, bytes)
    return email.message_from_bytes(raw, policy=default)


def mail_to_boss(**changes: object) -> Letter:
    return letter(address="boss@example.com", **changes)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # TLS from the start is required
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_encrypted_and_signed_in(
    plugins: Plugins, trusted: tuple[ssl.SSLContext, ssl.SSLContext], security: str
) -> None:
    serving, trusting = trusted
    with mail_server(serving, implicit=security == "tls") as post:
        outside = SafeOutside(allow_hosts=frozenset({f"127.0.0.1:{post.port}"}), context=trusting)
        plugins.channels["email"].send(mail_to_boss(), mail_place(post.port, security), outside)
    [envelope] = post.mails
    assert (envelope.mail_from, envelope.rcpt_tos, post.logins) == ("erp@example.com", ["boss@example.com"], ["erp"])
    got = mailed(envelope.content)
    assert got["Subject"] == LETTER.title
    assert got["Message-ID"] == "<msg_1@example.com>"
    assert got["Auto-Submitted"] == "auto-generated"
    text, html = (part.get_content() for part in got.iter_parts())  # type: ignore[attr-defined]
    assert "已等待 3 天" in text and LETTER.link in text
    assert f'href="{LETTER.link}"' in html


def test_a_mail_server_without_trust_gets_no_password(
    plugins: Plugins, trusted: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    with mail_server(trusted[0]) as post:
        outside = SafeOutside(allow_hosts=frozenset({f"127.0.0.1:{post.port}"}))
        with pytest.raises(Undelivered) as caught:
            plugins.channels["email"].send(mail_to_boss(), mail_place(post.port, "starttls"), outside)
    assert (post.logins, post.mails, caught.value.again) == ([], [], True)


def test_a_wrong_password_may_be_mended(plugins: Plugins, trusted: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    serving, trusting = trusted
    with mail_server(serving) as post:
        outside = SafeOutside(allow_hosts=frozenset({f"127.0.0.1:{post.port}"}), context=trusting)
        with pytest.raises(Undelivered) as caught:
            plugins.channels["email"].send(mail_to_boss(), mail_place(post.port, "starttls", "wrong"), outside)
    assert (caught.value.again, "wrong" in caught.value.reason, post.mails) == (True, False, [])
    assert caught.value.status == 535


def test_a_refused_recipient_is_final_and_a_busy_server_is_not(plugins: Plugins) -> None:
    with mail_server() as post:
        outside = SafeOutside(allow_hosts=frozenset({f"127.0.0.1:{post.port}"}))
        for said, again in (("550 no such user", False), ("451 try later", True)):
            post.refuse = said
            with pytest.raises(Undelivered) as caught:
                plugins.channels["email"].send(mail_to_boss(), mail_place(post.port, "none", ""), outside)
            assert (caught.value.again, caught.value.status) == (again, int(said[:3]))


def test_a_title_cannot_add_a_header(plugins: Plugins) -> None:
    with mail_server() as post:
        outside = SafeOutside(allow_hosts=frozenset({f"127.0.0.1:{post.port}"}))
        bad = mail_to_boss(title="a\r\nBcc: thief@example.com", person="王\r\nX: y", body="<script>x</script>")
        plugins.channels["email"].send(bad, mail_place(post.port, "none", ""), outside)
    got = mailed(post.mails[0].content)
    assert (got["Subject"], got["Bcc"], got["X"]) == ("a Bcc: thief@example.com", None, None)
    assert "<script>" not in list(got.iter_parts())[1].get_content()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("address", "options", "secrets", "wrong"),
    [
        ("smtp.example.com:587", {"sender": "a@b.cn"}, ("p",), 0),
        ("smtp.example.com", {"sender": "a@b.cn", "security": "tls"}, (), 0),
        ("smtp.example.com:25", {"sender": "a@b.cn", "security": "none", "user": "u"}, ("p",), 1),
        ("http://smtp.example.com", {"sender": "a@b.cn"}, (), 1),
        ("smtp.example.com:99999", {"sender": "nobody"}, (), 2),
    ],
)
def test_settings_of_mail_are_checked(
    plugins: Plugins, address: str, options: dict[str, str], secrets: tuple[str, ...], wrong: int
) -> None:
    found = plugins.channels["email"].check(Place(address=address, options=options, secrets=secrets))
    assert len(found) == wrong
    assert all(isinstance(each, Label) and each.zh and each.en for each in found)


def test_a_place_does_not_print_its_secrets() -> None:
    assert "7313" not in repr(Place(address="https://robot/?key=7313", secrets=("7313",), options={"x": "7313"}))
