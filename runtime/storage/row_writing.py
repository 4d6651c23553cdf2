"""Rows into a table as fast as the driver allows: SQL rendered once, values converted by the column types.

A document is some fifty rows in eight tables, so what SQLAlchemy spends per row decides how long saving takes. Here a
statement is rendered once per table and dialect and handed to the driver with plain tuples; nothing is returned by the
database, because every id is known before (see `ids`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

Row = Sequence[object]
Convert = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A statement in the words of one driver; ``converters`` are the places whose value must be converted first."""

    sql: str
    converters: tuple[tuple[int, Convert], ...]

    def run(self, connection: sa.Connection, rows: Iterable[Row]) -> int:
        """Execute once per row. Returns the number of rows touched; 0 when there were none to execute for."""
        given = [tuple(row) for row in rows] if not self.converters else [self._converted(row) for row in rows]
        if not given:
            return 0
        return connection.exec_driver_sql(self.sql, given if len(given) > 1 else given[0]).rowcount

    def _converted(self, row: Row) -> tuple[object, ...]:
        values = list(row)
        for place, convert in self.converters:
            values[place] = convert(values[place])
        return tuple(values)


class Writer:
    """Insert, update and upsert for one table, values in the order of ``columns``.

    The rendered statements are kept per dialect and set of columns; they depend on nothing else.
    """

    def __init__(self, table: sa.Table, columns: Sequence[str] = ()) -> None:
        self.table = table
        self.columns: tuple[str, ...] = tuple(columns) or tuple(column.name for column in table.columns)
        self._name = _quoted(table.name)
        self._rendered: dict[tuple[object, ...], Rendered] = {}

    def insert(self, connection: sa.Connection, rows: Iterable[Row]) -> int:
        """Insert every row."""
        statement = self._rendered.get((connection.dialect.name, "insert"))
        if statement is None:
            statement = self._render(connection, ("insert",), self._insert_sql(), self.columns)
        return statement.run(connection, rows)

    def insert_missing(self, connection: sa.Connection, rows: Iterable[Row]) -> int:
        """Insert the rows whose primary key is not there; returns how many."""
        statement = self._rendered.get((connection.dialect.name, "missing"))
        if statement is None:
            sql = f"{self._insert_sql()} ON CONFLICT DO NOTHING"
            statement = self._render(connection, ("missing",), sql, self.columns)
        return statement.run(connection, rows)

    def upsert(self, connection: sa.Connection, rows: Iterable[Row], replaced: Sequence[str], bump: str = "") -> int:
        """Insert every row, or put its ``replaced`` columns into the row with the same primary key; ``bump`` names a
        column that is counted up then."""
        kind = ("upsert", *replaced, bump)
        statement = self._rendered.get((connection.dialect.name, *kind))
        if statement is None:
            key = ", ".join(_quoted(column.name) for column in self.table.primary_key.columns)
            changes = [f"{_quoted(name)} = excluded.{_quoted(name)}" for name in replaced]
            changes += [f"{_quoted(bump)} = {self._name}.{_quoted(bump)} + 1"] if bump else []
            sql = f"{self._insert_sql()} ON CONFLICT ({key}) DO UPDATE SET {', '.join(changes)}"
            statement = self._render(connection, kind, sql, self.columns)
        return statement.run(connection, rows)

    def update(self, connection: sa.Connection, names: Sequence[str], where: Sequence[str], rows: Iterable[Row]) -> int:
        """Set ``names`` where ``where`` equal; each row holds the values of ``names``, then those of ``where``."""
        kind = ("update", *names, "where", *where)
        statement = self._rendered.get((connection.dialect.name, *kind))
        if statement is None:
            changes = ", ".join(f"{_quoted(name)} = ?" for name in names)
            wanted = " AND ".join(f"{_quoted(name)} = ?" for name in where)
            sql = f"UPDATE {self._name} SET {changes} WHERE {wanted}"
            statement = self._render(connection, kind, sql, (*names, *where))
        return statement.run(connection, rows)

    def _insert_sql(self) -> str:
        names = ", ".join(_quoted(name) for name in self.columns)
        return f"INSERT INTO {self._name} ({names}) VALUES ({', '.join('?' * len(self.columns))})"

    def _render(self, connection: sa.Connection, kind: tuple[str, ...], sql: str, names: Sequence[str]) -> Rendered:
        dialect = connection.dialect
        converters = tuple(
            (place, convert)
            for place, name in enumerate(names)
            if (convert := self.table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) is not None
        )
        text = sql if dialect.paramstyle == "qmark" else sql.replace("?", "%s")
        rendered = self._rendered[(dialect.name, *kind)] = Rendered(text, converters)
        return rendered


def add_row(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> int:
    """Insert one row whose id the database makes; returns that id."""
    key = connection.execute(table.insert(), dict(values)).inserted_primary_key
    if key is None:
        raise LookupError(f"{table.name} gave no id")
    return int(key[0])


def _quoted(name: str) -> str:
    """Names of tables and columns come from keys made of lower-case letters, digits and underscores."""
    return f'"{name}"'
