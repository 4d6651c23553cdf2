"""Signatures of webhooks as the Standard Webhooks specification has them, for sending and for receiving.

Signed is ``<webhook-id>.<webhook-timestamp>.<body>`` with HMAC-SHA256 under the bytes of the secret, written as
``v1,<base64>``. A secret is ``whsec_`` and base64; while one is replaced, a message carries a signature of each.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping

PREFIX = "whsec_"
SECRET_BYTES = 32
SHORTEST_BYTES = 16
TOLERANCE_S = 300
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def new_secret() -> str:
    """A fresh secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def secret_bytes(secret: str) -> bytes:
    """The key inside ``secret``. Raises ``ValueError`` when it is not base64 or too short to be one."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(key) < SHORTEST_BYTES:
        raise ValueError("too short")
    return key


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,<base64>``."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret_bytes(secret), signed, hashlib.sha256)).decode()


def headers(given: Iterable[str], message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The three headers of a message, with one signature per secret."""
    return {
        ID: message_id,
        TIMESTAMP: str(timestamp),
        SIGNATURE: " ".join(signature(each, message_id, timestamp, body) for each in given),
    }


def verified(given: Iterable[str], message_id: str, timestamp: int, body: bytes, signatures: str) -> bool:
    """Whether one of the signatures was made with one of the secrets; takes as long whichever it is."""
    offered = [each.encode("utf-8", "replace") for each in signatures.split()[:10]]
    found = False
    for secret in given:
        expected = signature(secret, message_id, timestamp, body).encode()
        for one in offered:
            found |= hmac.compare_digest(one, expected)
    return found
