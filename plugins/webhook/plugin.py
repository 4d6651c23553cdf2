"""Generic webhooks, as the Standard Webhooks specification has them.

The body is ``{"type", "timestamp", "data"}``; its id stays the same for every attempt, and two signatures are sent
while a secret is replaced. Any status of the 200s means delivered; 410 means that the receiver wants no more.
"""

from __future__ import annotations

import json

from engine.labels import Label
from runtime.hookspecs import Channel, Letter, Outside, Place, Undelivered, hook
from runtime.standard_webhooks import headers

GONE = 410


def send(letter: Letter, place: Place, outside: Outside) -> None:
    """Send the event."""
    body = content(letter)
    signed = headers(place.secrets, letter.message_id, letter.sent_at, body)
    answer = outside.post(place.address, {"Content-Type": "application/json", **signed}, body)
    if not 200 <= answer.status < 300:
        gone = answer.status == GONE
        raise Undelivered(f"HTTP {answer.status}", status=answer.status, again=not gone, gone=gone)


def content(letter: Letter) -> bytes:
    """The body, the same for every attempt. A message to people is told in the words they would read."""
    said = {"title": letter.title, "body": letter.body, "link": letter.link, "to": letter.person}
    data = dict(letter.data) if letter.data else {name: value for name, value in said.items() if value}
    event = {"type": letter.kind, "timestamp": letter.at.isoformat(), "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=dict).encode()


@hook
def stockloom_channels() -> tuple[Channel, ...]:
    """The channel ``webhook``."""
    return (
        Channel(
            key="webhook",
            label=Label("Webhook", "Webhook"),
            address=Label("接收地址", "Receiver's address"),
            example="https://example.com/stockloom",
            secret=Label("签名密钥", "Signing secret"),
            made=True,
            send=send,
        ),
    )
