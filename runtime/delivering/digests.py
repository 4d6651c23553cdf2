"""Digests: what a person wants to read once a day becomes one message when it is due."""

from __future__ import annotations

from datetime import datetime

from engine.labels import Label
from runtime.delivering.queueing import DIGESTED, PART, message_id
from runtime.storage import deliveries
from runtime.storage.database import Connection
from runtime.storage.deliveries import Delivery

MOST_LINES = 200
TITLE = Label("消息摘要：{count} 条", "Digest: {count} messages")
MORE = Label("……另有 {count} 条，请到消息中心查看。", "… and {count} more; see the message centre.")


def merged(connection: Connection, one: Delivery, now: datetime) -> int | None:
    """Queue one message for everything that waits for the same digest as ``one``, and count the parts as arrived.

    None when another worker was faster.
    """
    parts = deliveries.siblings(connection, one, PART)
    if not parts:
        return None
    language = "en" if one.payload.get("language") == "en" else "zh"
    lines = [_line(part) for part in parts[:MOST_LINES]]
    if len(parts) > MOST_LINES:
        lines.append(MORE.text(language).format(count=len(parts) - MOST_LINES))
    payload = {
        **one.payload,
        "title": TITLE.text(language).format(count=len(parts)),
        "body": "\n".join(lines),
        "link": _centre(parts),
        "about": DIGESTED,
        "at": now.isoformat(),
    }
    row = Delivery(
        channel=one.channel,
        address=parts[-1].address,
        user=one.user,
        event=DIGESTED,
        payload=payload,
        message_id=message_id(),
        created_at=now,
        next_at=now,
    )
    [made] = deliveries.add(connection, [row])
    deliveries.done(connection, [part.id for part in parts], now)
    return int(made)


def _line(part: Delivery) -> str:
    title, link = str(part.payload.get("title", "")), str(part.payload.get("link", ""))
    return f"· {part.created_at:%m-%d %H:%M} {title}" + (f" {link}" if link else "")


def _centre(parts: tuple[Delivery, ...]) -> str:
    """The message centre, from the address of any page of the app."""
    link = next((str(part.payload["link"]) for part in parts if part.payload.get("link")), "")
    root, _, path = link.partition("/w/")
    names = path.split("/")
    return f"{root}/w/{names[0]}/{names[1]}/messages" if len(names) > 1 else ""
