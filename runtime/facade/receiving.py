"""Inbound webhooks: a message from outside is checked, noted once, and handed to the rules as a job.

Checked is, as Standard Webhooks has it: signature, the age of the timestamp, and whether the id has been here before.
What rules do with it happens afterwards; the sender only learns that it arrived. Outbox rows have the kind
``webhook_received`` and hold ``name``, ``message_id`` and ``payload``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.problems import Refused, problem
from runtime import standard_webhooks
from runtime.house import ZONE, House
from runtime.storage import audit, endpoints, outbox, received
from runtime.storage.database import Connection, in_transaction, read
from runtime.storage.endpoints import Endpoint
from runtime.storage.outbox import OutboxRow
from runtime.strict_json import decimal_text, deeper_than, read_json

RECEIVED = "webhook_received"
MOST_BYTES = 256 * 1024
DEEPEST = 12
LONGEST_ID = 200
BURST = 60
PER_SECOND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the sender is told. ``repeated``: the message had arrived before and counts once."""

    message_id: str
    repeated: bool


class Buckets:
    """How many messages per address this process takes: ``BURST`` at once, then ``PER_SECOND``. Thread-safe."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, ...], tuple[float, datetime]] = {}
        self._lock = threading.Lock()

    def take(self, key: tuple[str, ...], now: datetime) -> bool:
        """Whether one more is allowed."""
        with self._lock:
            left, since = self._left.get(key, (float(BURST), now))
            left = min(float(BURST), left + max(0.0, (now - since).total_seconds()) * PER_SECOND)
            self._left[key] = (left - 1 if left >= 1 else left, now)
            return left >= 1


def receive(
    house: House, buckets: Buckets, workspace: str, name: str, headers: Mapping[str, str], raw: bytes
) -> Receipt:
    """Take a message for the inbound address ``name``. ``headers`` by lower-case name.

    Raises:
        Refused: ``missing`` for an unknown address; ``unauthenticated`` when signature or age are wrong; ``invalid``
            when it is not a JSON object; ``too_large``; ``too_many``.
    """
    place = house.workspace(workspace)
    now = house.now()
    with read(place.database) as connection:
        endpoint = endpoints.get(connection, "inbound", name)
    if endpoint is None or not endpoint.active:
        raise Refused([problem("hook.unknown")], "missing")
    if len(raw) > MOST_BYTES:
        raise Refused([problem("hook.too_large", limit=MOST_BYTES // 1024)], "too_large")
    message_id = headers.get(standard_webhooks.ID, "")
    try:
        _prove(endpoint, message_id, headers, raw, now)
    except Refused as refused:
        if buckets.take((workspace, name, "refused"), now):
            codes = [one.code for one in refused.problems]
            detail = {"key": name, "codes": codes}
            in_transaction(
                place.database, lambda connection: audit.note(connection, now, None, "webhook_refused", detail)
            )
        raise
    if not buckets.take((workspace, name), now):
        raise Refused([problem("hook.too_many")], "too_many")
    payload = _payload(raw)
    snapshot = house.published(place).bundle.hash

    def work(connection: Connection) -> tuple[int, ...]:
        if not received.note(connection, name, message_id, now):
            return ()
        row = OutboxRow(
            kind=RECEIVED,
            payload={"name": name, "message_id": message_id, "payload": payload},
            created_at=now,
            snapshot=snapshot,
        )
        ids = tuple(outbox.add(connection, [row]))
        received.led_to(connection, name, message_id, ids[0])
        return ids

    ids = in_transaction(place.database, work)
    house.hand_over(place, ids)
    return Receipt(message_id=message_id, repeated=not ids)


def _prove(endpoint: Endpoint, message_id: str, headers: Mapping[str, str], raw: bytes, now: datetime) -> None:
    stamp = headers.get(standard_webhooks.TIMESTAMP, "")
    signatures = headers.get(standard_webhooks.SIGNATURE, "")
    whole = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    if not (message_id and len(message_id) <= LONGEST_ID and message_id.isprintable() and whole and signatures):
        raise Refused([problem("hook.no_signature")], "unauthenticated")
    secrets = endpoint.secrets_at(now)
    if not standard_webhooks.verified(secrets, message_id, int(stamp), raw, signatures):
        raise Refused([problem("hook.bad_signature")], "unauthenticated")
    age = now.replace(tzinfo=ZONE).timestamp() - int(stamp)
    if abs(age) > standard_webhooks.TOLERANCE_S:
        raise Refused([problem("hook.too_old", limit=standard_webhooks.TOLERANCE_S // 60)], "unauthenticated")


def _payload(raw: bytes) -> Mapping[str, Any]:
    """The JSON object sent; numbers with decimals as texts, so that nothing is rounded on the way."""
    try:
        data = read_json(raw, decimal_text)
    except ValueError as error:
        raise Refused([problem("hook.not_json")]) from error
    if not isinstance(data, dict) or deeper_than(data, DEEPEST):
        raise Refused([problem("hook.not_an_object", limit=DEEPEST)])
    return data
