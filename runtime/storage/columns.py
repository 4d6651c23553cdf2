"""Where the value behind a path is found: a column of the header, or a scalar sub-query that follows links.

Implements what `filters` asks of a resolver, and serves lists the same way, so that a filter, a sort and a column shown
under one path always mean the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from engine.definitions.system_fields import SETTLE_STATUS
from runtime.storage import product_tables
from runtime.storage.app_tables import HEADER_SYSTEM, AppTables, FormTables
from runtime.storage.open_items import settle_status

MEMBERS = ("creator", "approver", "modifier")
USER = product_tables.user
USER_COLUMNS = ("name", "department", "login")


class JsonAttribute(FunctionElement[Any]):
    """One value of a JSON object kept as text."""

    name = "json_attribute"
    inherit_cache = True


@compiles(JsonAttribute, "sqlite")
def _json_sqlite(element: JsonAttribute, compiler: SQLCompiler, **kwargs: Any) -> str:
    json, name = (compiler.process(each, **kwargs) for each in element.clauses)
    return f"json_extract({json}, '$.' || {name})"


@compiles(JsonAttribute, "postgresql")
def _json_postgres(element: JsonAttribute, compiler: SQLCompiler, **kwargs: Any) -> str:
    json, name = (compiler.process(each, **kwargs) for each in element.clauses)
    return f"(({json})::json ->> {name})"


@dataclass(frozen=True, slots=True)
class FormColumns:
    """The columns of one form of an app. ``today``: decides what is overdue, where 结算状态 is asked for."""

    tables: AppTables
    form: str
    today: date | None = None

    def column(self, path: tuple[str, ...]) -> sa.ColumnElement[Any]:
        """The value at ``path``. Raises ``KeyError`` for a path the form does not have."""
        of_form = self.tables.forms[self.form]
        if path == (SETTLE_STATUS,) and self.today is not None:
            return settle_status(of_form.header, self.form, self.today)
        return resolved(self.tables, of_form, of_form.header, path)

    def nullable(self, path: tuple[str, ...]) -> bool:
        """Whether the value at ``path`` may be empty."""
        of_form = self.tables.forms[self.form]
        return len(path) > 1 or path[0] not in HEADER_SYSTEM or bool(of_form.header.c[path[0]].nullable)


@dataclass(frozen=True, slots=True)
class RecordColumns:
    """The columns of a form for expressions that call its record by ``name`` (``warehouse.keeper``)."""

    columns: FormColumns
    name: str

    def column(self, path: tuple[str, ...]) -> sa.ColumnElement[Any]:
        """The value at ``path``; the bare name is the record's id. Raises ``KeyError`` for any other path."""
        return self.columns.column(self._inside(path))

    def nullable(self, path: tuple[str, ...]) -> bool:
        """Whether the value at ``path`` may be empty."""
        return self.columns.nullable(self._inside(path))

    def _inside(self, path: tuple[str, ...]) -> tuple[str, ...]:
        if path[0] != self.name:
            raise KeyError(".".join(path))
        return path[1:] or ("id",)


def column(tables: AppTables, form: str, path: str) -> sa.ColumnElement[Any]:
    """The value at ``path`` (``supplier``, ``supplier.name``, ``doc_status``) of a record of ``form``."""
    return FormColumns(tables, form).column(tuple(path.split(".")))


def resolved(
    tables: AppTables, of_form: FormTables, source: sa.FromClause, path: tuple[str, ...]
) -> sa.ColumnElement[Any]:
    """The value at ``path`` of a row of ``source``, which is the header of ``of_form`` or an alias of it."""
    name, *rest = path
    field = of_form.form.fields.get(name)
    if name in of_form.rows.fields:
        here: sa.ColumnElement[Any] = source.c[of_form.rows.fields[name].name]
    elif name in HEADER_SYSTEM:
        here = source.c[name]
    else:
        raise KeyError(f"{of_form.form.key}.{name}")
    if not rest:
        return here
    record = field.value_type.record if field is not None else "member" if name in MEMBERS else ""
    return followed(tables, source, here, record, path)


def followed(
    tables: AppTables, source: sa.FromClause, here: sa.ColumnElement[Any], record: str, path: tuple[str, ...]
) -> sa.ColumnElement[Any]:
    """The value behind the link ``here``, a column of ``source`` that holds ids of ``record``.

    Raises ``KeyError`` when nothing is known of such records.
    """
    rest = list(path[1:])
    if record == "member":
        return of_member(source, here, rest, path)
    if record not in tables.forms:
        raise KeyError(".".join(path))
    linked = tables.forms[record]
    target = linked.header.alias()
    found = resolved(tables, linked, target, tuple(rest))
    return sa.select(found).where(target.c.id == here).correlate(source).scalar_subquery()


def of_member(
    source: sa.FromClause, here: sa.ColumnElement[Any], rest: list[str], path: tuple[str, ...]
) -> sa.ColumnElement[Any]:
    """A column of the account, or one of its attributes, which are kept as JSON."""
    if len(rest) != 1:
        raise KeyError(".".join(path))
    target = USER.alias()
    if rest[0] in USER_COLUMNS:
        found: sa.ColumnElement[Any] = target.c[rest[0]]
    else:
        text = sa.type_coerce(target.c.attributes, sa.Text())
        found = sa.cast(JsonAttribute(text, sa.literal(rest[0], sa.Text())), sa.BigInteger)
    return sa.select(found).where(target.c.id == here).correlate(source).scalar_subquery()
