"""The security log: failed sign-ins, refused actions, changed rights. Appended, read by administrators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from runtime.storage.product_tables import audit


def note(connection: sa.Connection, at: datetime, user: int | None, event: str, detail: Mapping[str, object]) -> None:
    """Append one event."""
    connection.execute(audit.insert().values(at=at, user=user, event=event, detail=dict(detail)))


def latest(connection: sa.Connection, limit: int = 100) -> tuple[Mapping[str, object], ...]:
    """The newest events."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    return tuple(dict(row) for row in connection.execute(query).mappings())
