"""Empties a PostgreSQL workspace made for stories, so that the next story need not make all tables again.

Only what was published stays. The triggers of append-only tables are off within the one transaction that empties them.
Never for a workspace with anybody's data; SQLite has no need of it, a file is copied faster.
"""

from __future__ import annotations

import sqlalchemy as sa

from runtime.storage.database import Database, write
from runtime.storage.table_parts import APPEND_ONLY

KEPT = frozenset({"sys_revision", "sys_snapshot", "sys_current"})


def empty(database: Database) -> None:
    """Remove every row but what is published."""
    with write(database) as connection:
        names = [name for name in sa.inspect(connection).get_table_names() if name not in KEPT]
        quoted = ", ".join(f'"{name}"' for name in sorted(names))
        guarded = [name for name in APPEND_ONLY if name not in KEPT]
        for name in guarded:
            connection.exec_driver_sql(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
        connection.exec_driver_sql(f"TRUNCATE {quoted} RESTART IDENTITY CASCADE")
        for name in guarded:
            connection.exec_driver_sql(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')
