"""Rows as they rest, the same on both databases: whole numbers, texts, days and moments in ISO form.

What proves and dumps the ledgers reads them so: it only adds and compares, and exact figures must not depend on how a
driver shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runtime.storage.column_types import JsonText, Scaled

BATCH = 5_000


def plain(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column as it rests: a whole number, or a text where the driver gives one."""
    if isinstance(column.type, Scaled):
        return sa.type_coerce(column, sa.BigInteger)
    return sa.type_coerce(column, sa.Text) if isinstance(column.type, sa.Date | sa.DateTime | JsonText) else column


def moment_text(value: object) -> str:
    """A moment as ``YYYY-MM-DDTHH:MM:SS.ffffff``; SQLite keeps it as a text already, with a blank."""
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value).replace(" ", "T")


def plain_rows(
    connection: sa.Connection,
    columns: Sequence[sa.Column[Any]],
    order: Sequence[sa.Column[Any]],
    *where: sa.ColumnElement[bool],
) -> Iterator[list[str]]:
    """Rows as texts in a given order, streamed; nothing is an empty text."""
    moments = [place for place, column in enumerate(columns) if isinstance(column.type, sa.DateTime)]
    query = sa.select(*map(plain, columns)).where(*where).order_by(*order).execution_options(yield_per=BATCH)
    for row in connection.execute(query):
        texts = ["" if value is None else str(value) for value in row]
        for place in moments:
            if row[place] is not None:
                texts[place] = moment_text(row[place])
        yield texts
