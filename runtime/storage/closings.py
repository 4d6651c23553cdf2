"""Closed days and places frozen for counting, and the lock that keeps them apart from postings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import sqlalchemy as sa

from runtime.storage.ledger_tables import balance, closing

CLOSED = (
    sa.select(closing.c.warehouse, sa.func.max(closing.c.through))
    .where(closing.c.reopened_at.is_(None))
    .group_by(closing.c.warehouse)
)
FROZEN = sa.select(balance.c.product, balance.c.warehouse).where(
    balance.c.grain == "scope", balance.c.ledger == "freeze", balance.c.quantity > 0
)
_LOCK = "SELECT pg_advisory_xact_lock{}(hashtext('calendar'), hashtext(current_schema()))"


def hold_shared(connection: sa.Connection) -> None:
    """Keep the calendar as it is until the end of the transaction; any number of postings may."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK.format("_shared"))


def hold_alone(connection: sa.Connection) -> None:
    """Wait for every posting under way; none begins until the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK.format(""))


def closed_through(connection: sa.Connection) -> Mapping[int, date]:
    """Last closed day by warehouse; 0: the company. Empty when nothing was ever closed."""
    return {row[0]: row[1] for row in connection.execute(CLOSED)}


def frozen_places(connection: sa.Connection) -> frozenset[tuple[int, int]]:
    """(product, warehouse) of what is being counted; product 0: everything in the warehouse."""
    return frozenset((row[0], row[1]) for row in connection.execute(FROZEN))
