"""Statements handed straight to the driver, inside the transaction of a SQLAlchemy connection.

A submission sends two dozen small statements whose text is rendered once (see `row_reading`, `row_writing`); the
execution context and result objects of SQLAlchemy would cost as much as the statements. Errors are SQLAlchemy's all the
same, so that conflicts and violated keys are recognised where they always are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError


def placeholders(connection: sa.Connection, number: int) -> str:
    """Places for ``number`` values in a list, as the driver writes them."""
    return ", ".join(["?" if connection.dialect.name == "sqlite" else "%s"] * number)


def among(connection: sa.Connection) -> str:
    """``IN`` a list that travels as one parameter (``listed``), so that one text serves any number of values."""
    return "IN (SELECT value FROM json_each(?))" if connection.dialect.name == "sqlite" else "= ANY(%s)"


def listed(connection: sa.Connection, values: Iterable[int | str]) -> object:
    """The parameter of ``among``."""
    return json.dumps(list(values)) if connection.dialect.name == "sqlite" else list(values)


def day_value(connection: sa.Connection, day: date) -> object:
    """A date as the driver takes it."""
    return day.isoformat() if connection.dialect.name == "sqlite" else day


def fetched(connection: sa.Connection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Every row of the answer, as the driver gives it. Raises ``DBAPIError``."""
    with _cursor(connection, sql, values) as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def executed(connection: sa.Connection, sql: str, values: Sequence[Any]) -> int:
    """Execute once; returns the number of rows touched. Raises ``DBAPIError``."""
    with _cursor(connection, sql, values) as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def executed_many(connection: sa.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> int:
    """Execute for every row; returns the number of rows touched. Raises ``DBAPIError``."""
    with _cursor(connection, sql, rows) as cursor:
        cursor.executemany(sql, rows)
        return int(cursor.rowcount)


@contextmanager
def _cursor(connection: sa.Connection, sql: str, values: Any) -> Iterator[DBAPICursor]:
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()
    error_type = connection.dialect.loaded_dbapi.Error
    try:
        yield cursor
    except error_type as error:
        raise DBAPIError.instance(sql, values, error, error_type, dialect=connection.dialect) from error
    finally:
        cursor.close()
