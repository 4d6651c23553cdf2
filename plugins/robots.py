"""What the robots of group chats have in common: JSON to an address, a code in the answer, a short text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from engine.labels import Label
from runtime.hookspecs import Channel, Letter, Outside, Place, Undelivered

JSON_TYPE = (("Content-Type", "application/json; charset=utf-8"),)
OPEN = Label("查看详情", "Open")
TO = Label("请查看：", "For: ")


def robot(
    key: str,
    send: Callable[[Letter, Place, Outside], None],
    *,
    label: Label,
    example: str,
    secret: Label | None = None,
) -> tuple[Channel, ...]:
    """The channel of a robot. Whoever knows its address may post, so the address is shown shortened."""
    address = Label("机器人地址（Webhook）", "Robot address (webhook)")
    return (
        Channel(
            key=key, label=label, address=address, example=example, secret=secret, hides_address=True, send=send,
        ),
    )  # fmt: skip


def posted(outside: Outside, url: str, message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The robot's answer as JSON. Raises `Undelivered` unless it is an object under status 200."""
    body = json.dumps(message, ensure_ascii=False).encode()
    answer = outside.post(url, dict(JSON_TYPE), body)
    if answer.status != 200:
        raise Undelivered(f"HTTP {answer.status}", status=answer.status, gone=answer.status == 410)
    try:
        found = json.loads(answer.body)
    except ValueError as error:
        raise Undelivered("the answer is not JSON", status=200) from error
    if not isinstance(found, dict):
        raise Undelivered("the answer is not an object", status=200)
    return found


def refuse_code(code: object, text: object, *, busy: frozenset[int]) -> None:
    """Raise `Undelivered` unless ``code`` is 0; only a code of ``busy`` is worth another attempt."""
    if code != 0:
        raise Undelivered(f"{code}: {text}"[:200], status=200, again=code in busy)


def lines(letter: Letter) -> tuple[str, ...]:
    """Body and addressees as lines, empty ones left out."""
    to = f"{TO.text(letter.language)}{letter.person}" if letter.person else ""
    return tuple(each for each in (letter.body, to) if each)


def cut(text: str, most_bytes: int) -> str:
    """``text`` in at most so many bytes of UTF-8, cut between characters."""
    raw = text.encode()
    return text if len(raw) <= most_bytes else raw[: most_bytes - 3].decode(errors="ignore") + "…"


def plain(text: str) -> str:
    """``text`` without what markdown or a chat client would read as something else."""
    return "".join("＜" if each == "<" else "＞" if each == ">" else each for each in text)
