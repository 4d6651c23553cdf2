"""Empties a PostgreSQL workspace made for stories, so that the next story need not make all tables again.

Only what was published stays. The triggers of append-only tables are off within the one transaction that empties them.
Never for a workspace with anybody's data; SQLite has no need of it, a file is copied faster.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from runtime.storage.database import Database, write
from runtime.storage.table_parts import APPEND_ONLY

RESTART = (
    "SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences"
    " WHERE schemaname = current_schema() AND last_value IS NOT NULL"
)
KEPT = frozenset({"sys_revision", "sys_snapshot", "sys_current"})


def empty(database: Database) -> None:
    """Remove every row but what is published.

    Most of some hundred tables are empty after a story, and emptying one that is costs as much as making it.
    """
    with write(database) as connection:
        filled = _filled(connection, [name for name in sa.inspect(connection).get_table_names() if name not in KEPT])
        guarded = [name for name in APPEND_ONLY if name in filled]
        for name in guarded:
            connection.exec_driver_sql(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
        if filled:  # in one statement, for what refers to each other may only go together
            gone = ", ".join(f'gone_{place} AS (DELETE FROM "{name}")' for place, name in enumerate(filled))
            connection.exec_driver_sql(f"WITH {gone} SELECT 1")
        for name in guarded:
            connection.exec_driver_sql(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')
        connection.exec_driver_sql(RESTART)


def _filled(connection: sa.Connection, names: Sequence[str]) -> Sequence[str]:
    """The tables there is a row in."""
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names)
    return [str(row[0]) for row in connection.exec_driver_sql(asked)]
