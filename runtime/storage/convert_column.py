"""Values of a column taken over into one of another type, by what both field types say of themselves.

The old type writes a value as JSON, the new one reads it; what it cannot read stays empty and is kept in the archive.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.definitions.compiled import CompiledField
from engine.document import Value
from engine.fieldtypes.contract import Storage, settled
from engine.values import fits, rounded
from runtime.storage.app_tables import column_type, shape
from runtime.storage.row_writing import Writer

CHUNK = 2000


def convert(connection: sa.Connection, table: sa.Table, archive: str, old: CompiledField, new: CompiledField) -> None:
    """Fill the column of ``new`` in ``table`` from the column named ``archive``, which holds what ``old`` kept."""
    source = sa.table(table.name, sa.column("id", sa.BigInteger()), sa.column(archive, column_type(shape(old))))
    writer = Writer(table)
    query = sa.select(source.c.id, source.c[archive]).where(source.c[archive].is_not(None)).order_by(source.c.id)
    last = 0
    while rows := connection.execute(query.where(source.c.id > last).limit(CHUNK)).all():
        last = rows[-1][0]
        changed = [(value, row[0]) for row in rows if (value := _converted(row[1], old, new)) is not None]
        writer.update(connection, (new.column,), ("id",), changed)


def _converted(value: Any, old: CompiledField, new: CompiledField) -> Value:
    kept = shape(new)
    if isinstance(value, Decimal) and kept.storage is Storage.SCALED:
        fitting = rounded(value, kept.scale)
        return fitting if fits(fitting, kept.scale) else None
    raw = old.type.to_json(value, old.options)
    if isinstance(raw, list | tuple) and kept.storage in (Storage.TEXT, Storage.LONG_TEXT):
        raw = "、".join(str(each) for each in raw)
    read, problems = settled(new.type.parse(raw, new.options))
    if problems or (isinstance(read, Decimal) and not fits(read, kept.scale)):
        return None
    return read
