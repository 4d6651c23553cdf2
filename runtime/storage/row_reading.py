"""Columns of rows by the values of one column, as fast as the driver allows: SQL rendered once, results converted.

A submission follows a dozen links; each is one such query, and putting the statement together anew cost more than
running it. Wanted values travel as one parameter (a JSON array on SQLite, an array on PostgreSQL), so one text serves
any number of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from runtime.storage.column_types import Scaled, unscaled
from runtime.storage.driver import among, fetched, listed

Convert = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A statement in the words of one driver, and the places of its result whose values must be converted."""

    text: str
    converters: tuple[tuple[int, Convert], ...]


class Reader:
    """Reads one table. The rendered statements are kept per dialect and set of columns; they depend on nothing else."""

    def __init__(self, table: sa.Table) -> None:
        self._table = table
        self._rendered: dict[tuple[str, ...], _Rendered] = {}

    def rows(
        self, connection: sa.Connection, columns: Sequence[str], by: str, values: Iterable[int | str], also: str = ""
    ) -> Sequence[Sequence[Any]]:
        """``columns`` of the rows whose column ``by`` (whole numbers or text) is one of ``values``, in any order.

        ``also``: a further condition, constant and in words both databases understand.
        """
        wanted = list(values)
        if not wanted:
            return ()
        kind = (connection.dialect.name, by, also, *columns)
        rendered = self._rendered.get(kind) or self._render(connection, kind, columns, by, also)
        found = fetched(connection, rendered.text, (listed(connection, wanted),))
        if not rendered.converters:
            return found
        return [self._converted(row, rendered.converters) for row in found]

    def _converted(self, row: Sequence[Any], converters: tuple[tuple[int, Convert], ...]) -> Sequence[Any]:
        values = list(row)
        for place, convert in converters:
            value = values[place]
            if value is not None:  # NULL is an empty value in every type of ours
                values[place] = convert(value)
        return values

    def _render(
        self, connection: sa.Connection, kind: tuple[str, ...], columns: Sequence[str], by: str, also: str
    ) -> _Rendered:
        dialect = connection.dialect
        names = ", ".join(f'"{name}"' for name in columns)
        converters = tuple(
            (place, convert)
            for place, name in enumerate(columns)
            if (convert := self._processor(dialect, self._table.c[name])) is not None
        )
        text = f'SELECT {names} FROM "{self._table.name}" WHERE "{by}" {among(connection)}{also and f" AND {also}"}'
        made = self._rendered[kind] = _Rendered(text, converters)
        return made

    def _processor(self, dialect: sa.Dialect, column: sa.Column[Any]) -> Convert | None:
        if isinstance(column.type, Scaled):  # most of what is read; without the calls SQLAlchemy puts around it
            scale = column.type.scale
            return lambda value: unscaled(value, scale)
        # the driver's own kind of the value matters only to dialects that ask for it; neither of ours does
        return column.type.dialect_impl(dialect).result_processor(dialect, None)
