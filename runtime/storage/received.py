"""Inbound messages by id, so that none counts twice."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from runtime.storage.process_tables import received
from runtime.storage.row_writing import Writer

WRITER = Writer(received, ("endpoint", "message_id", "at", "outbox"))


def note(connection: sa.Connection, endpoint: str, message_id: str, at: datetime) -> bool:
    """Note a message; False when it has been here before. Two at once: the second waits, then is told."""
    return WRITER.insert_missing(connection, [(endpoint, message_id, at, 0)]) == 1


def led_to(connection: sa.Connection, endpoint: str, message_id: str, outbox: int) -> None:
    """Which outbox row the message became."""
    connection.execute(
        received.update()
        .where(received.c.endpoint == endpoint, received.c.message_id == message_id)
        .values(outbox=outbox)
    )


def forget(connection: sa.Connection, before: datetime) -> int:
    """Forget what came before then; returns how many."""
    return connection.execute(received.delete().where(received.c.at < before)).rowcount
