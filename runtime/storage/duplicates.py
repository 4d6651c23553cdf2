"""A refused unique key in the words of the form: which fields, with their labels.

The database is the last to check uniqueness and the only one that sees two writers at once. What it says is turned into
a problem at the field here; any other integrity error is a defect and stays an exception.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from engine.definitions.compiled import CompiledField
from engine.labels import Label
from engine.problems import Problem, Refused, problem
from runtime.storage.app_tables import FormTables
from runtime.storage.database import UNIQUE_VIOLATION, server_state

SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")


@contextmanager
def unique_keys_explained(tables: FormTables) -> Iterator[None]:
    """Turns a violated unique key into ``Refused`` (``storage.duplicate``, kind ``conflict``)."""
    try:
        yield
    except IntegrityError as error:
        found = _violated(error, tables)
        if found is None:
            raise
        raise Refused([_explained(tables, *found)], kind="conflict") from error


def _violated(error: IntegrityError, tables: FormTables) -> tuple[str, tuple[str, ...]] | None:
    """Table and columns of the violated unique index."""
    if isinstance(error.orig, sqlite3.IntegrityError):
        match = SQLITE_UNIQUE.search(str(error.orig))
        if match is None:
            return None
        pairs = [pair.strip().split(".") for pair in match.group(1).split(",")]
        return pairs[0][0], tuple(pair[1] for pair in pairs)
    if server_state(error) == UNIQUE_VIOLATION:
        original: Any = error.orig
        for table in (tables.header, *tables.lines.values()):
            for index in table.indexes:
                if index.name == original.diag.constraint_name:
                    return table.name, tuple(column.name for column in index.columns)
    return None


def _explained(tables: FormTables, table: str, columns: tuple[str, ...]) -> Problem:
    fields = [field for field in _fields_of(tables, table) if field.column in columns]
    if not fields:
        return problem("storage.duplicate_number", "number" if "number" in columns else "")
    labels = Label("、".join(field.label.zh for field in fields), ", ".join(field.label.text("en") for field in fields))
    return problem("storage.duplicate", fields[0].path, field=labels)


def _fields_of(tables: FormTables, table: str) -> tuple[CompiledField, ...]:
    if table == tables.header.name:
        return tuple(tables.form.fields.values())
    return tuple(
        field
        for key, lines in tables.lines.items()
        if lines.name == table
        for field in tables.form.tables[key].fields.values()
    )
