"""Ids known before the rows are written, so that a document and its lines go in without asking anything back.

PostgreSQL hands them out from a sequence, which nobody waits for; SQLite counts in a row, whose writer holds the only
write lock anyway. Ids rise, and are unique over all app tables and ledger entries of a workspace.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from runtime.storage.driver import fetched
from runtime.storage.table_parts import ID_SEQUENCE

NEXT_POSTGRES = f"SELECT nextval('{ID_SEQUENCE}') FROM generate_series(1, %s)"
NEXT_SQLITE = (
    "INSERT INTO sys_counter (name, period, value) VALUES ('id', '', ?)"
    " ON CONFLICT (name, period) DO UPDATE SET value = value + excluded.value RETURNING value"
)


def allocate(connection: sa.Connection, number: int) -> Sequence[int]:
    """``number`` new ids in rising order. They need not be consecutive."""
    if number <= 0:
        return ()
    if connection.dialect.name == "sqlite":
        last = int(fetched(connection, NEXT_SQLITE, (number,))[0][0])
        return range(last - number + 1, last + 1)
    return [row[0] for row in fetched(connection, NEXT_POSTGRES, (number,))]
