"""The group robot of WeCom (企业微信).

Format: JSON to an address whose ``key`` is the credential; ``text`` calls people by mobile number, ``markdown`` cannot.
Texts hold 2,048 bytes, markdown 4,096. Status 200 says nothing: ``errcode`` 0 means delivered.
"""

from __future__ import annotations

from engine.labels import Label
from plugins.robots import OPEN, cut, lines, plain, posted, refuse_code, robot
from runtime.hookspecs import Channel, Letter, Outside, Place, hook

MOST_TEXT = 2048
MOST_MARKDOWN = 4096
TOO_OFTEN = frozenset({45009, -1})


def send(letter: Letter, place: Place, outside: Outside) -> None:
    """Post the message into the group."""
    answer = posted(outside, place.address, message(letter))
    refuse_code(answer.get("errcode"), answer.get("errmsg"), busy=TOO_OFTEN)


def message(letter: Letter) -> dict[str, object]:
    """The message as the robot takes it."""
    if letter.mentions:
        text = "\n".join((letter.title, *lines(letter), *([letter.link] if letter.link else [])))
        content = cut(text, MOST_TEXT)
        return {"msgtype": "text", "text": {"content": content, "mentioned_mobile_list": list(letter.mentions)}}
    parts = [f"**{plain(letter.title)}**", *(f"> {plain(each)}" for each in lines(letter))]
    if letter.link:
        parts.append(f"[{OPEN.text(letter.language)}]({letter.link})")
    return {"msgtype": "markdown", "markdown": {"content": cut("\n".join(parts), MOST_MARKDOWN)}}


@hook
def stockloom_channels() -> tuple[Channel, ...]:
    """The channel ``wecom_robot``."""
    return robot(
        "wecom_robot",
        send,
        label=Label("企业微信群机器人", "WeCom robot"),
        example="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…",
    )
