"""Locks on what has no row to lock: the calendar, the seals, publishing. Held until the end of the transaction."""

from __future__ import annotations

import sqlalchemy as sa

from runtime.storage.driver import fetched

_LOCK = "SELECT pg_advisory_xact_lock{}(hashtext(%s), hashtext(current_schema()))"


def hold(connection: sa.Connection, name: str, *, shared: bool = False) -> None:
    """Wait for the lock ``name`` of this workspace and hold it, ``shared`` with others who ask for it so.

    SQLite's writer is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        fetched(connection, _LOCK.format("_shared" if shared else ""), (name,))
