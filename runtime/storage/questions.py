"""A statement that every request asks with other values: put together and rendered once, handed straight to the driver.

For statements that never change their shape; see `driver` for what that saves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

from runtime.storage.driver import fetched

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Rendered:
    """The words of one driver.

    Attributes:
        order: names of the values, where the driver takes them by place. fixed: values the statement brings along.
        given, found: how values asked with, and those of the answer by place, are converted.
    """

    text: str
    order: tuple[str, ...]
    fixed: dict[str, Any]
    given: dict[str, Convert]
    found: tuple[tuple[int, Convert], ...]


class Question:
    """The statement, asked by the names of its bound parameters."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        self._statement = statement
        self._rendered: dict[str, _Rendered] = {}

    def ask(self, connection: sa.Connection, **values: Any) -> list[Sequence[Any]]:
        """Every row of the answer, as SQLAlchemy would give it."""
        words = self._rendered.get(connection.dialect.name) or self._render(connection.dialect)
        named = {**words.fixed, **values}
        for name, convert in words.given.items():
            named[name] = convert(named[name])
        asked = [named[name] for name in words.order] if words.order else named
        rows = fetched(connection, words.text, asked)
        return [_converted(row, words.found) for row in rows] if words.found else [*rows]

    def _render(self, dialect: sa.Dialect) -> _Rendered:
        compiled = self._statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        binds = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
        # the driver's own kind of the value matters only to dialects that ask for it; neither of ours does
        results = [
            one.type.dialect_impl(dialect).result_processor(dialect, None) for one in self._statement.selected_columns
        ]
        made = self._rendered[dialect.name] = _Rendered(
            text=compiled.string,
            order=tuple(compiled.positiontup or ()),
            fixed=dict(compiled.params),
            given={name: convert for name, convert in binds.items() if convert is not None},
            found=tuple((place, convert) for place, convert in enumerate(results) if convert is not None),
        )
        return made


def _converted(row: Sequence[Any], converters: Sequence[tuple[int, Convert]]) -> Sequence[Any]:
    values = list(row)
    for place, convert in converters:
        values[place] = convert(values[place])
    return values
