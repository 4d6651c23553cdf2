"""What a person has chosen for themselves (columns of a list, theme …), by key."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from runtime.storage.product_tables import preference
from runtime.storage.row_writing import Writer

WRITER = Writer(preference, ("user", "key", "value"))


def get(connection: sa.Connection, user: int, key: str) -> Any:
    """The choice, or None."""
    query = sa.select(preference.c.value).where(preference.c.user == user, preference.c.key == key)
    return connection.execute(query).scalar_one_or_none()


def save(connection: sa.Connection, user: int, key: str, value: object) -> None:
    """Remember a choice, JSON-able."""
    WRITER.upsert(connection, [(user, key, value)], ("value",))
