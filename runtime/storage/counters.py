"""Gapless counters, one row per name and period: numbers of documents.

Whoever takes a value holds the row until the end of its transaction, so that a rolled back document leaves no gap.
"""

from __future__ import annotations

import sqlalchemy as sa

from runtime.storage.driver import fetched, placeholders

NEXT = (
    "INSERT INTO sys_counter (name, period, value) VALUES ({})"
    " ON CONFLICT (name, period) DO UPDATE SET value = sys_counter.value + excluded.value RETURNING value"
)


def next_values(connection: sa.Connection, name: str, period: str, number: int = 1) -> int:
    """Take ``number`` consecutive values, the first of a period being 1. Returns the first of them."""
    sql = NEXT.format(placeholders(connection, 3))
    return int(fetched(connection, sql, (name, period, number))[0][0]) - number + 1
