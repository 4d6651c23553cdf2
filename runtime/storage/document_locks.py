"""Locks on documents that others draw from: taken in sorted order, before their open quantities are read.

PostgreSQL locks the header rows until the transaction ends; on SQLite the one writer there is needs no further lock.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from runtime.storage.app_tables import AppTables
from runtime.storage.driver import fetched


def lock_documents(connection: sa.Connection, tables: AppTables, form: str, ids: Iterable[int]) -> None:
    """Lock the headers of these documents of one form. Call form by form in alphabetical order."""
    if connection.dialect.name == "sqlite":
        return
    header = tables.forms[form].header
    query = f'SELECT "id" FROM "{header.name}" WHERE "id" = ANY(%s) ORDER BY "id" FOR UPDATE'
    fetched(connection, query, (sorted(set(ids)),))
