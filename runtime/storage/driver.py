"""Statements handed straight to the driver, inside the transaction of a SQLAlchemy connection.

A submission sends two dozen small statements whose text is rendered once (see `row_reading`, `row_writing`); the
execution context and result objects of SQLAlchemy would cost as much as the statements. Errors are SQLAlchemy's all the
same, so that conflicts and violated keys are recognised where they always are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, cast

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


def fetched(connection: sa.Connection, sql: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Every row of the answer, as the driver gives it. Raises ``DBAPIError``."""
    if not connection.in_transaction():
        connection.begin()
    cursor = _cursor(connection)
    try:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, values, error) from error
    finally:
        cursor.close()


def executed(connection: sa.Connection, sql: str, values: Sequence[Any]) -> int:
    """Execute once; returns the number of rows touched. Raises ``DBAPIError``."""
    if not connection.in_transaction():
        connection.begin()
    cursor = _cursor(connection)
    try:
        cursor.execute(sql, values)
        return int(cursor.rowcount)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, values, error) from error
    finally:
        cursor.close()


def executed_many(connection: sa.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> int:
    """Execute for every row; returns the number of rows touched. Raises ``DBAPIError``."""
    if not connection.in_transaction():
        connection.begin()
    cursor = _cursor(connection)
    try:
        cursor.executemany(sql, rows)
        return int(cursor.rowcount)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, rows, error) from error
    finally:
        cursor.close()


def begun(connection: sa.Connection, sql: str) -> None:
    """What begins a transaction, in the event in which SQLAlchemy does so. Raises ``DBAPIError``."""
    cursor = _cursor(connection)
    try:
        cursor.execute(sql)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, (), error) from error
    finally:
        cursor.close()


def _cursor(connection: sa.Connection) -> DBAPICursor:
    """A cursor of the driver. To be closed in a plain ``finally``: a context manager written as a generator costs a
    tenth of a small statement."""
    return connection.connection.cursor()


def _told(connection: sa.Connection, sql: str, values: Any, error: Exception) -> DBAPIError:
    """The driver's error as SQLAlchemy says it."""
    error_type = connection.dialect.loaded_dbapi.Error
    told = DBAPIError.instance(sql, values, error, error_type, dialect=connection.dialect)
    return cast("DBAPIError", told)
