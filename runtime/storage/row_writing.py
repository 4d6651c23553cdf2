"""Rows into a table as fast as the driver allows: SQL rendered once, values converted by the column types.

A document is some fifty rows in eight tables, so what is spent per row decides how long saving takes. Each statement is
rendered once per table and dialect and handed to the driver with plain values; nothing is returned by the database,
because every id is known before (see `ids`). Several rows go to SQLite with executemany, and to PostgreSQL, where a row
is a message of its own, as one JSON array that the server takes apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from operator import methodcaller
from typing import Any

import sqlalchemy as sa

from runtime.storage.column_types import Scaled, scaled
from runtime.storage.driver import executed, executed_many

Row = Sequence[object]
Convert = Callable[[Any], object]
_SQLITE_MOMENT = methodcaller("isoformat", " ", "microseconds")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A statement in the words of one driver.

    Attributes:
        one: for the values of one row. many: for a JSON array of rows; None where the driver takes many rows itself.
        converters: places whose value must be converted first, and how.
    """

    one: str
    many: str | None
    converters: tuple[tuple[int, Convert], ...]

    def run(self, connection: sa.Connection, rows: Iterable[Row]) -> int:
        """Execute for every row. Returns the number of rows touched; 0 when there were none to execute for."""
        given = [self._converted(row) for row in rows]
        if len(given) < 2:
            return executed(connection, self.one, given[0]) if given else 0
        if self.many is None:
            return executed_many(connection, self.one, given)
        return executed(connection, self.many, (json_rows(given),))

    def _converted(self, row: Row) -> tuple[Any, ...]:
        values = list(row)
        for place, convert in self.converters:
            value = values[place]
            if value is not None:  # an empty value is NULL in every type of ours
                values[place] = convert(value)
        return tuple(values)


class Writer:
    """Insert, update and upsert for one table, values in the order of ``columns``.

    The rendered statements are kept per dialect and set of columns; they depend on nothing else.
    """

    def __init__(self, table: sa.Table, columns: Sequence[str] = ()) -> None:
        self.table = table
        self.columns: tuple[str, ...] = tuple(columns) or tuple(column.name for column in table.columns)
        self._name = _quoted(table.name)
        self._rendered: dict[tuple[str, ...], Rendered] = {}

    def insert(self, connection: sa.Connection, rows: Iterable[Row]) -> int:
        """Insert every row."""
        return self._insert(connection, ("insert",), lambda: "").run(connection, rows)

    def insert_missing(self, connection: sa.Connection, rows: Iterable[Row]) -> int:
        """Insert the rows whose primary key is not there, in the given order; returns how many."""
        return self._insert(connection, ("missing",), lambda: "ON CONFLICT DO NOTHING").run(connection, rows)

    def upsert(self, connection: sa.Connection, rows: Iterable[Row], replaced: Sequence[str], bump: str = "") -> int:
        """Insert every row, or put its ``replaced`` columns into the row with the same primary key; ``bump`` names a
        column that is counted up then."""

        def tail() -> str:
            key = ", ".join(_quoted(column.name) for column in self.table.primary_key.columns)
            changes = [f"{_quoted(name)} = excluded.{_quoted(name)}" for name in replaced]
            changes += [f"{_quoted(bump)} = {self._name}.{_quoted(bump)} + 1"] if bump else []
            return f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(changes)}"

        return self._insert(connection, ("upsert", *replaced, bump), tail).run(connection, rows)

    def update(
        self,
        connection: sa.Connection,
        names: Sequence[str],
        where: Sequence[str],
        rows: Iterable[Row],
        also: str = "",
    ) -> int:
        """Set ``names`` where ``where`` equal; each row holds the values of ``names``, then those of ``where``.

        ``also``: a column that must be NULL besides.
        """
        kind = (connection.dialect.name, "update", *names, "where", *where, "also", also)
        found = self._rendered.get(kind)
        if found is None:
            places = (*names, *where)
            one = self._update_sql(names, where, ["?"] * len(places), "", also)
            record = f"FROM {self._record(connection, places)}"
            many = self._update_sql(names, where, [f"r.c{place}" for place in range(len(places))], record, also)
            found = self._keep(connection, kind, one, many, places)
        return found.run(connection, rows)

    def _insert(self, connection: sa.Connection, kind: tuple[str, ...], tail: Callable[[], str]) -> Rendered:
        found = self._rendered.get((connection.dialect.name, *kind))
        if found is not None:
            return found
        into = f"INSERT INTO {self._name} ({', '.join(_quoted(name) for name in self.columns)})"
        one = f"{into} VALUES ({', '.join('?' * len(self.columns))}) {tail()}"
        values = ", ".join(f"c{place}" for place in range(len(self.columns)))
        many = f"{into} SELECT {values} FROM {self._record(connection, self.columns)} {tail()}"
        return self._keep(connection, (connection.dialect.name, *kind), one, many, self.columns)

    def _update_sql(
        self, names: Sequence[str], where: Sequence[str], values: Sequence[str], origin: str, also: str
    ) -> str:
        changes = ", ".join(f"{_quoted(name)} = {value}" for name, value in zip(names, values, strict=False))
        keys = zip(where, values[len(names) :], strict=True)
        wanted = " AND ".join(f"{self._name}.{_quoted(name)} = {value}" for name, value in keys)
        wanted += f" AND {self._name}.{_quoted(also)} IS NULL" if also else ""
        return f"UPDATE {self._name} SET {changes} {origin} WHERE {wanted}"

    def _record(self, connection: sa.Connection, names: Sequence[str]) -> str:
        """A JSON array of objects with keys ``c0``, ``c1`` … as rows of the columns' types."""
        types = (self.table.c[name].type.compile(connection.dialect).split(" COLLATE ")[0] for name in names)
        return f"json_to_recordset(?::json) AS r({', '.join(f'c{place} {kind}' for place, kind in enumerate(types))})"

    def _keep(
        self, connection: sa.Connection, kind: tuple[str, ...], one: str, many: str, names: Sequence[str]
    ) -> Rendered:
        dialect = connection.dialect
        converters = tuple(
            (place, convert)
            for place, name in enumerate(names)
            if (convert := _binding(self.table.c[name], dialect)) is not None
        )
        if dialect.name == "sqlite":
            rendered = Rendered(one, None, converters)
        else:
            rendered = Rendered(one.replace("?", "%s"), many.replace("?", "%s"), converters)
        self._rendered[kind] = rendered
        return rendered


def _binding(column: sa.Column[Any], dialect: sa.Dialect) -> Convert | None:
    """How a value becomes what the driver takes; None where it is that already.

    What most columns of a posting hold is converted without the calls SQLAlchemy puts around it, to the same end.
    """
    if isinstance(column.type, Scaled):
        return partial(scaled, column.type.scale)
    if dialect.name == "sqlite" and isinstance(column.type, sa.Date):
        return date.isoformat
    if dialect.name == "sqlite" and isinstance(column.type, sa.DateTime):
        return _SQLITE_MOMENT
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def add_row(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> int:
    """Insert one row whose id the database makes; returns that id."""
    key = connection.execute(table.insert(), dict(values)).inserted_primary_key
    if key is None:
        raise LookupError(f"{table.name} gave no id")
    return int(key[0])


def json_rows(rows: Sequence[Row]) -> str:
    """Rows as a JSON array of objects ``c0``, ``c1`` …; whole numbers, texts, booleans, dates and moments are exact.

    What is empty is left out: to PostgreSQL a missing key is NULL as well, and half of a ledger entry is empty.
    """
    names = [f"c{place}" for place in range(len(rows[0]))]
    return _JSON.encode(
        [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
    )


def _moment(value: object) -> str:
    if isinstance(value, date):  # moments too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not go into a column as it is")


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_moment)


def _quoted(name: str) -> str:
    """Names of tables and columns come from keys made of lower-case letters, digits and underscores."""
    return f'"{name}"'
