"""What happened to a document, in order: who did what, when, and which values it changed. Append-only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from runtime.storage.product_tables import history
from runtime.storage.row_writing import Writer

COLUMNS = ("form", "document", "version", "at", "user", "user_name", "action", "changes", "reason", "origin")
VALUES = attrgetter(*COLUMNS)
WRITER = Writer(history, COLUMNS)
OF_DOCUMENT = (
    sa.select(history)
    .where(history.c.form == sa.bindparam("form"), history.c.document == sa.bindparam("document"))
    .order_by(history.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One act. ``changes`` maps a field path to ``[before, after]`` in JSON form; hidden ones are filtered by whoever
    shows it."""

    form: str
    document: int
    version: int
    at: datetime
    user: int
    user_name: str
    action: str
    changes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    reason: str = ""
    origin: str = "page"
    id: int | None = None


def append(connection: sa.Connection, rows: Iterable[HistoryRow]) -> None:
    """Add acts in the given order."""
    WRITER.insert(connection, map(VALUES, rows))


def of(connection: sa.Connection, form: str, document: int) -> tuple[HistoryRow, ...]:
    """Everything that happened to the document, oldest first."""
    rows = connection.execute(OF_DOCUMENT, {"form": form, "document": document}).mappings()
    return tuple(HistoryRow(**row) for row in rows)
