"""Lists of records: filtered, searched, sorted, and paged by key.

No page counts or skips anything: it starts behind the last record of the page before it, so a page in the middle of a
million rows costs what the first one does, and rows added meanwhile neither repeat nor hide another. Empty values come
last when ascending and first when descending, on both databases. What a person may see is decided by the caller, who
passes the row filter as ``where`` and never asks for a hidden field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, TypeAlias

import sqlalchemy as sa

from engine.document import Value
from engine.fieldtypes.contract import Operator
from engine.problems import Refused, problem
from runtime.storage.app_tables import AppTables, RowTable
from runtime.storage.column_types import TEXT, JsonText
from runtime.storage.columns import FormColumns
from runtime.storage.list_cursor import Cursor, comparable, read_cursor, write_cursor
from runtime.storage.list_filters import condition
from runtime.storage.records import contains
from runtime.storage.search_text import terms

Filter: TypeAlias = tuple[str, Operator, Any]
Clause: TypeAlias = sa.ColumnElement[bool]
MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """What a list asks for.

    Attributes:
        columns: paths to show: header fields, system fields, or fields of linked records (``supplier.name``).
        filters: path, operator and value (already parsed by the field type); a line field (``lines.product``) means
            "on some line". All must hold.
        where: a further condition, the row filter of the person asking.
        sort: paths, each with whether it descends; the id decides ties.
        after: cursor of a page before, as the page gave it.
        today: what 结算状态 is judged by.
    """

    columns: tuple[str, ...]
    filters: tuple[Filter, ...] = ()
    where: Clause | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    search: str = ""
    after: str | None = None
    limit: int = 50
    today: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows by path, each with its ``id``; ``next`` and ``previous`` are cursors, None where there is nothing."""

    rows: tuple[Mapping[str, Value], ...]
    next: str | None = None
    previous: str | None = None


def page(connection: sa.Connection, tables: AppTables, form: str, query: ListQuery) -> Page:
    """One page. Raises ``Refused`` (``storage.bad_cursor``) for a cursor of another sort order."""
    columns = FormColumns(tables, form, query.today)
    limit = max(1, min(query.limit, MOST))
    cursor = read_cursor(query.after) if query.after else None
    backward = cursor is not None and cursor.backward
    order = _order(columns, query, backward)
    if query.after and (cursor is None or not _belongs(cursor, order)):
        raise Refused([problem("storage.bad_cursor")])
    shown = [columns.column(_path(path)).label(f"c{place}") for place, path in enumerate(query.columns)]
    keys = [term.column.label(f"k{place}") for place, term in enumerate(order)]
    select = sa.select(*shown, *keys).where(*_conditions(columns, tables, form, query))
    found = _rows(connection, select, order, cursor, limit + 1)
    more, found = len(found) > limit, found[:limit]
    if backward:
        found.reverse()
    rows = tuple(_shown(query.columns, row) for row in found)
    if not found:
        return Page(rows=rows)
    width = len(query.columns)
    first, last = (tuple(row[width:]) for row in (found[0], found[-1]))
    return Page(
        rows=rows,
        next=write_cursor(Cursor(last)) if (more or backward) else None,
        previous=write_cursor(Cursor(first, backward=True)) if (more if backward else cursor is not None) else None,
    )


def count_up_to(
    connection: sa.Connection,
    tables: AppTables,
    form: str,
    *,
    where: Clause | None = None,
    filters: Iterable[Filter] = (),
    search: str = "",
    limit: int = 1000,
) -> int:
    """How many records there are, counted no further than ``limit``: enough for "999+" on a card."""
    query = ListQuery(columns=(), filters=tuple(filters), where=where, search=search)
    columns = FormColumns(tables, form)
    some = sa.select(sa.literal(1)).select_from(tables.forms[form].header)
    some = some.where(*_conditions(columns, tables, form, query)).limit(limit)
    return int(connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())


@dataclass(frozen=True, slots=True)
class _Term:
    """One step of the sort order; ``descends`` already turned around when paging backward."""

    column: sa.ColumnElement[Any]
    descends: bool
    nullable: bool

    @property
    def ordering(self) -> sa.UnaryExpression[Any]:
        if self.descends:
            return self.column.desc().nulls_first() if self.nullable else self.column.desc()
        return self.column.asc().nulls_last() if self.nullable else self.column.asc()

    def behind(self, value: object) -> Clause:
        """Records that come after one with ``value`` here."""
        if value is None:
            return self.column.is_not(None) if self.descends else sa.false()
        if self.descends:
            return self.column < value
        return sa.or_(self.column > value, self.column.is_(None)) if self.nullable else self.column > value

    def same(self, value: object) -> Clause:
        return self.column.is_(None) if value is None else self.column == value


def _order(columns: FormColumns, query: ListQuery, backward: bool) -> list[_Term]:
    order = []
    for path, descends in query.sort:
        column = columns.column(_path(path))
        column = sa.type_coerce(column, TEXT) if isinstance(column.type, JsonText) else column
        order.append(_Term(column, descends is not backward, columns.nullable(_path(path))))
    descends = query.sort[0][1] if query.sort else False
    order.append(_Term(columns.column(("id",)), descends is not backward, False))
    return order


def _belongs(cursor: Cursor, order: Sequence[_Term]) -> bool:
    """Whether the values of ``cursor`` can be compared with the columns sorted by."""
    return len(cursor.values) == len(order) and all(
        comparable(value, term.column.type) for value, term in zip(cursor.values, order, strict=True)
    )


def _conditions(columns: FormColumns, tables: AppTables, form: str, query: ListQuery) -> list[Clause]:
    of_form = tables.forms[form]
    found: list[Clause] = []
    for path, operator, value in query.filters:
        table, _, key = path.partition(".")
        if table in of_form.line_rows:
            found.append(_on_some_line(of_form.header, of_form.line_rows[table], key, operator, value))
        else:
            found.append(condition(columns.column(_path(path)), operator, value))
    found += [contains(of_form.header.c.search, term) for term in terms(query.search)]
    if query.where is not None:
        found.append(query.where)
    return found


def _on_some_line(header: sa.Table, rows: RowTable, key: str, operator: Operator, value: Any) -> Clause:
    on_line = condition(rows.fields[key], operator, value)
    return sa.exists().where(rows.table.c.document == header.c.id, on_line).correlate(header)


def _rows(
    connection: sa.Connection, select: sa.Select[Any], order: Sequence[_Term], cursor: Cursor | None, wanted: int
) -> list[sa.Row[Any]]:
    """Where the first term may be empty, its empty and its filled part are asked for one after the other, each of which
    an index serves in order; the second question is rarely needed."""
    values = None if cursor is None else cursor.values
    first = order[0]
    if not first.nullable:
        parts: list[tuple[Clause | None, tuple[object, ...] | None]] = [(None, values)]
    else:
        empty, filled = first.column.is_(None), first.column.is_not(None)
        parts = [(empty, None), (filled, None)] if first.descends else [(filled, None), (empty, None)]
        if values is not None:
            started = (values[0] is None) is not first.descends
            parts = parts[1:] if started else parts
            parts[0] = (parts[0][0], values)
    found: list[sa.Row[Any]] = []
    for part, behind in parts:
        statement = select.order_by(*(term.ordering for term in order)).limit(wanted - len(found))
        if part is not None:
            statement = statement.where(part)
        if behind is not None:
            statement = statement.where(_behind(order, behind))
        found.extend(connection.execute(statement))
        if len(found) >= wanted:
            break
    return found


def _behind(order: Sequence[_Term], values: Sequence[object]) -> Clause:
    """Lexicographic "after": the first differing term decides. The leading conjunct lets an index start there."""
    clauses: list[Clause] = []
    for place, term in enumerate(order):
        equal = [earlier.same(value) for earlier, value in zip(order[:place], values, strict=False)]
        clauses.append(sa.and_(*equal, term.behind(values[place])))
    first, value = order[0], values[0]
    if value is None:
        return sa.or_(*clauses)
    start = first.column <= value if first.descends else first.column >= value
    return sa.and_(start, sa.or_(*clauses))


def _shown(paths: Sequence[str], row: sa.Row[Any]) -> Mapping[str, Value]:
    values = dict(zip(paths, row, strict=False))
    values["id"] = row[-1]
    return MappingProxyType(values)


def _path(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))
