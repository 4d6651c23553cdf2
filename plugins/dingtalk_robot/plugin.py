"""The group robot of DingTalk (钉钉).

Format: JSON to an address with ``access_token``. With 加签 the address also carries ``timestamp`` (milliseconds) and
``sign``: base64 of HMAC-SHA256 under the secret over ``timestamp\\nsecret``. People are called by mobile number, which
must stand in the text as well. Status 200 says nothing: ``errcode`` 0 means delivered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote

from engine.labels import Label
from plugins.robots import OPEN, cut, lines, plain, posted, refuse_code, robot
from runtime.hookspecs import Channel, Letter, Outside, Place, hook

MOST = 18_000
TOO_OFTEN = frozenset({130101, -1})


def send(letter: Letter, place: Place, outside: Outside) -> None:
    """Post the message into the group."""
    answer = posted(outside, signed(place, letter.sent_at * 1000), message(letter))
    refuse_code(answer.get("errcode"), answer.get("errmsg"), busy=TOO_OFTEN)


def signed(place: Place, milliseconds: int) -> str:
    """The robot's address, with the signature where a secret is set."""
    if not place.secrets:
        return place.address
    secret = place.secrets[0]
    digest = hmac.digest(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256)
    joint = "&" if "?" in place.address else "?"
    return f"{place.address}{joint}timestamp={milliseconds}&sign={quote(base64.b64encode(digest), safe='')}"


def message(letter: Letter) -> dict[str, object]:
    """The message as the robot takes it."""
    parts = [f"#### {plain(letter.title)}", *(plain(each) for each in lines(letter))]
    if letter.mentions:
        parts.append(" ".join(f"@{each}" for each in letter.mentions))
    if letter.link:
        parts.append(f"[{OPEN.text(letter.language)}]({letter.link})")
    return {
        "msgtype": "markdown",
        "markdown": {"title": cut(letter.title, 200), "text": cut("\n\n".join(parts), MOST)},
        "at": {"atMobiles": list(letter.mentions), "isAtAll": False},
    }


@hook
def stockloom_channels() -> tuple[Channel, ...]:
    """The channel ``dingtalk_robot``."""
    return robot(
        "dingtalk_robot",
        send,
        label=Label("钉钉群机器人", "DingTalk robot"),
        example="https://oapi.dingtalk.com/robot/send?access_token=…",
        secret=Label("加签密钥（SEC…，可不填）", "Signing secret (SEC…, optional)"),
    )
