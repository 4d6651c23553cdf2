"""Who refers to an uploaded file: the records that name its id in an attachment or image field."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from runtime.storage.app_tables import AppTables
from runtime.storage.files import FILE_TYPES


def referring(connection: sa.Connection, tables: AppTables, file_id: str) -> Iterator[tuple[str, str, int]]:
    """(form, field path, record) of every record that names the file."""
    for key, of_form in tables.forms.items():
        places = [("", of_form.rows, of_form.form.fields)]
        places += [(f"{table}.", rows, of_form.form.tables[table].fields) for table, rows in of_form.line_rows.items()]
        for prefix, rows, fields in places:
            for name, column in rows.fields.items():
                if fields[name].type_name not in FILE_TYPES:
                    continue
                record = rows.table.c.document if prefix else rows.table.c.id
                named = sa.type_coerce(column, sa.Text).contains(f'"{file_id}"', autoescape=True)
                for row in connection.execute(sa.select(record).where(named)):
                    yield key, f"{prefix}{name}", row[0]
