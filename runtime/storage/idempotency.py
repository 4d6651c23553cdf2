"""Outcomes by idempotency key and user: the second request with a key is answered with the first outcome.

The row is written in the transaction it describes. Two first requests at the same moment collide on the primary key;
the loser is retried and then finds the winner's outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runtime.storage.product_tables import idempotency
from runtime.storage.row_writing import Writer

WRITER = Writer(idempotency)
FIND = sa.select(idempotency.c.fingerprint, idempotency.c.outcome).where(
    idempotency.c.key == sa.bindparam("key"), idempotency.c.user == sa.bindparam("user")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the first request asked (a digest) and what came of it (JSON)."""

    fingerprint: str
    outcome: Any


def find(connection: sa.Connection, key: str, user: int) -> Remembered | None:
    """What is remembered under ``key`` for ``user``."""
    row = connection.execute(FIND, {"key": key, "user": user}).one_or_none()
    return None if row is None else Remembered(fingerprint=row[0], outcome=row[1])


def save(connection: sa.Connection, key: str, user: int, fingerprint: str, outcome: Any, at: datetime) -> None:
    """Remember an outcome."""
    WRITER.insert(connection, [(key, user, fingerprint, outcome, at)])


def forget(connection: sa.Connection, before: datetime) -> int:
    """Remove what was remembered before then; returns how many."""
    return connection.execute(idempotency.delete().where(idempotency.c.created_at < before)).rowcount
