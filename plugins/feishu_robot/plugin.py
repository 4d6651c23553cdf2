"""The group robot of Feishu (飞书).

Format: JSON ``post`` to the robot's address. With 签名校验 the body also holds ``timestamp`` (seconds) and ``sign``:
base64 of HMAC-SHA256 over nothing, under the key ``timestamp\\nsecret``. People cannot be called by mobile number, so
their names stand in the text. Status 200 says nothing: ``code`` (or ``StatusCode``) 0 means delivered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from engine.labels import Label
from plugins.robots import OPEN, cut, lines, posted, refuse_code, robot
from runtime.hookspecs import Channel, Letter, Outside, Place, hook

MOST = 20_000
TOO_OFTEN = frozenset({9499, 11232})


def send(letter: Letter, place: Place, outside: Outside) -> None:
    """Post the message into the group."""
    answer = posted(outside, place.address, {**signature(place, letter.sent_at), **message(letter)})
    code = answer.get("code", answer.get("StatusCode"))
    refuse_code(code, answer.get("msg", answer.get("StatusMessage")), busy=TOO_OFTEN)


def signature(place: Place, seconds: int) -> dict[str, str]:
    """The parts of the body that prove the sender; none without a secret."""
    if not place.secrets:
        return {}
    key = f"{seconds}\n{place.secrets[0]}".encode()
    return {"timestamp": str(seconds), "sign": base64.b64encode(hmac.digest(key, b"", hashlib.sha256)).decode()}


def message(letter: Letter) -> dict[str, object]:
    """The message as the robot takes it."""
    rows = [[{"tag": "text", "text": cut(each, MOST)}] for each in lines(letter)]
    if letter.link:
        rows.append([{"tag": "a", "text": OPEN.text(letter.language), "href": letter.link}])
    language = "zh_cn" if letter.language == "zh" else "en_us"
    return {"msg_type": "post", "content": {"post": {language: {"title": cut(letter.title, 500), "content": rows}}}}


@hook
def stockloom_channels() -> tuple[Channel, ...]:
    """The channel ``feishu_robot``."""
    return robot(
        "feishu_robot",
        send,
        label=Label("飞书群机器人", "Feishu robot"),
        example="https://open.feishu.cn/open-apis/bot/v2/hook/…",
        secret=Label("签名密钥（可不填）", "Signing secret (optional)"),
    )
