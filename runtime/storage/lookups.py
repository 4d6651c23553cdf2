"""Declared look-ups of rules as SQL: one need, one query, grouped by what the rule's records and lines ask for.

What a path means is the same as everywhere else (`columns`), and so is a condition (`filters`). Entries of a ledger are
seen with the names of its dimensions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from engine.definitions.app import AppDef
from engine.expressions import Checked, Clock, EvaluationFailed
from engine.problems import problem
from engine.rules.lookups import Found, LookupNeed
from runtime.storage.app_tables import AppTables
from runtime.storage.column_types import Scaled, scaled
from runtime.storage.columns import FormColumns, followed, resolved
from runtime.storage.filters import ColumnResolver, compile_where
from runtime.storage.ledger_tables import entry

CHUNK = 500
ONE = sa.literal(1, sa.BigInteger())
# Dimensions of entries that are records, and the column each is kept in.
DIMENSIONS: Mapping[str, str] = MappingProxyType(
    {name: name for name in ("product", "warehouse", "bin", "owner")} | {"supplier": "partner", "customer": "partner"}
)
LATEST = "latest"
ENDS = ("min", "max")


@dataclass(frozen=True, slots=True)
class LineColumns:
    """The columns of a line table: its own fields first, then those of the header."""

    tables: AppTables
    form: str
    table: str

    def column(self, path: tuple[str, ...]) -> sa.ColumnElement[Any]:
        """The value at ``path``. Raises ``KeyError`` for a path there is none for."""
        of_form = self.tables.forms[self.form]
        rows = of_form.line_rows[self.table]
        if path[0] in rows.fields:
            here: sa.ColumnElement[Any] = rows.table.c[rows.fields[path[0]].name]
            if len(path) == 1:
                return here
            record = of_form.form.tables[self.table].fields[path[0]].value_type.record
            return followed(self.tables, rows.table, here, record, path)
        if path == ("line_no",):
            return rows.table.c.line_no
        return resolved(self.tables, of_form, of_form.header, path)


@dataclass(frozen=True, slots=True)
class EntryColumns:
    """The columns of ledger entries under the names of the app's dimensions; 0 and empty mean nothing there."""

    tables: AppTables
    app: AppDef

    def column(self, path: tuple[str, ...]) -> sa.ColumnElement[Any]:
        """The value at ``path``. Raises ``KeyError`` for a path there is none for."""
        name = path[0]
        if name == "cancelled":
            mirror = entry.alias()
            undone = sa.exists().where(mirror.c.mirror_of == entry.c.id).correlate(entry)
            return sa.or_(entry.c.mirror_of.is_not(None), undone)
        if name not in DIMENSIONS:
            return entry.c[name]
        here = sa.func.nullif(entry.c[DIMENSIONS[name]], 0, type_=sa.BigInteger())
        if len(path) == 1:
            return here
        record = str(getattr(self.app.dimensions, name) or "")
        return followed(self.tables, entry, here, record, path)

    def records(self, names: tuple[str, ...]) -> sa.ColumnElement[int] | None:
        """The ids of the records of the one dimension named; None when it is none, or there are several."""
        name = names[0] if len(names) == 1 else ""
        form = str(getattr(self.app.dimensions, name, None) or "") if name in DIMENSIONS else ""
        return self.tables.forms[form].header.c.id if form in self.tables.forms else None


def answered(connection: sa.Connection, tables: AppTables, app: AppDef, need: LookupNeed, clock: Clock) -> Found:
    """The figures of one need by key. Keys nothing was found for are left out.

    Raises:
        Refused: the condition cannot be asked of a database.
        EvaluationFailed: a part of it has no value.
    """
    columns, source, order = _where_to_look(tables, app, need)
    conditions = [] if need.where is None else [compile_where(need.where, columns, need.known, clock)]
    if need.since is not None:
        day = entry.c.biz_date if need.ledger else tables.forms[need.form].header.c.biz_date
        conditions.append(day >= need.since)
    if need.ledger:
        conditions.append(entry.c.ledger == need.ledger)
    if isinstance(columns, EntryColumns) and need.take in ENDS and (ids := columns.records(need.columns)) is not None:
        return _ends(connection, columns, need, conditions, ids)
    grouped = [columns.column((name,)) for name in need.columns]
    found: dict[tuple[object, ...], object] = {}
    for part in _parts(need):
        wanted = [*conditions, *(_among(columns, name, part[place]) for place, name in enumerate(need.columns))]
        query = _query(need, columns, grouped, source, order).where(*wanted)
        if need.take == LATEST:
            newest = query.subquery()
            query = sa.select(*list(newest.c)[:-1]).where(list(newest.c)[-1] == 1)
        elif grouped:
            query = query.group_by(*grouped)
        for row in connection.execute(query):
            found[tuple(row[:-1])] = _figure(need, row[-1])
    return found


def _ends(
    connection: sa.Connection,
    columns: EntryColumns,
    need: LookupNeed,
    conditions: Iterable[sa.ColumnElement[bool]],
    ids: sa.ColumnElement[int],
) -> Found:
    """The first or last value among entries, asked record by record inside one statement: the database then walks an
    index from that end and stops at the first entry that counts, however many there are."""
    mine = entry.c[DIMENSIONS[need.columns[0]]] == ids
    figure = _query(need, columns, [], entry, ()).where(*conditions, mine).scalar_subquery()
    found: dict[tuple[object, ...], object] = {}
    for (wanted,) in _parts(need):
        asked = sa.select(ids, figure).where(ids.in_([each for each in wanted if each is not None]))
        found |= {(row[0],): row[1] for row in connection.execute(asked) if row[1] is not None}
    return found


def _where_to_look(
    tables: AppTables, app: AppDef, need: LookupNeed
) -> tuple[ColumnResolver, sa.FromClause, tuple[sa.ColumnElement[Any], ...]]:
    """The columns, the rows, and the order that tells which is the latest."""
    if need.ledger:
        return EntryColumns(tables, app), entry, (entry.c.biz_date.desc(), entry.c.id.desc())
    of_form = tables.forms[need.form]
    header = of_form.header
    order = (header.c.biz_date.desc().nulls_last(), header.c.id.desc())
    if not need.table:
        return FormColumns(tables, need.form), header, order
    lines = of_form.line_rows[need.table].table
    joined = header.join(lines, lines.c.document == header.c.id)
    return LineColumns(tables, need.form, need.table), joined, (*order, lines.c.id.desc())


def _query(
    need: LookupNeed,
    columns: ColumnResolver,
    grouped: list[sa.ColumnElement[Any]],
    source: sa.FromClause,
    order: tuple[sa.ColumnElement[Any], ...],
) -> sa.Select[Any]:
    named = [column.label(f"k{place}") for place, column in enumerate(grouped)]
    if need.take in ("count", "exists"):
        return sa.select(*named, sa.func.count(ONE)).select_from(source)
    figure = columns.column((need.of,))
    if need.take == LATEST:
        place = sa.func.row_number().over(partition_by=grouped or None, order_by=order)
        return sa.select(*named, figure.label("figure"), place.label("place")).select_from(source)
    aggregate: Any = {"sum": sa.func.sum, "min": sa.func.min, "max": sa.func.max}[need.take]
    return sa.select(*named, sa.type_coerce(aggregate(figure), figure.type)).select_from(source)


def _parts(need: LookupNeed) -> Iterable[tuple[set[object], ...]]:
    """Values asked for per column, few enough at a time for one statement."""
    for start in range(0, len(need.keys), CHUNK):
        keys = need.keys[start : start + CHUNK]
        yield tuple({key[place] for key in keys} for place in range(len(need.columns)))


def _among(columns: ColumnResolver, name: str, values: Collection[object]) -> sa.ColumnElement[bool]:
    if isinstance(columns, EntryColumns) and name in DIMENSIONS:  # the bare column, which indexes know; 0 is nothing
        return entry.c[DIMENSIONS[name]].in_([value or 0 for value in values])
    column = columns.column((name,))
    among = column.in_([value for value in values if value is not None and _kept(column, value)])
    return sa.or_(among, column.is_(None)) if None in values else among


def _kept(column: sa.ColumnElement[Any], value: Any) -> bool:
    """Whether the column could hold the value at all: a third of something is nowhere."""
    if isinstance(column.type, Scaled):
        try:
            scaled(value, column.type.scale)
        except ValueError:
            return False
    return True


def _figure(need: LookupNeed, value: Any) -> object:
    if need.take == "count":
        return Decimal(value)
    if need.take == "exists":
        return value > 0
    return Decimal(0) if value is None and need.take == "sum" else value


def matching_ids(
    connection: sa.Connection,
    tables: AppTables,
    form: str,
    where: Checked | None,
    known: Mapping[str, object],
    clock: Clock,
    most: int,
) -> tuple[int, ...]:
    """Ids of the records ``where`` holds for; ``known`` are the names in it that are no columns.

    Raises:
        Refused: the condition cannot be asked of a database.
        EvaluationFailed: a part of it has no value, or more than ``most`` records match.
    """
    header = tables.forms[form].header
    query = sa.select(header.c.id).order_by(header.c.id).limit(most + 1)
    if where is not None:
        query = query.where(compile_where(where, FormColumns(tables, form), known, clock))
    ids = tuple(connection.execute(query).scalars())
    if len(ids) > most:
        raise EvaluationFailed(problem("rule.too_many", form=form, limit=most))
    return ids


def page_of_ids(
    connection: sa.Connection,
    tables: AppTables,
    form: str,
    *,
    after: int,
    limit: int,
    where: sa.ColumnElement[bool] | None = None,
) -> tuple[int, ...]:
    """Ids of records of a form that come after ``after``, rising."""
    header = tables.forms[form].header
    query = sa.select(header.c.id).where(header.c.id > after).order_by(header.c.id).limit(limit)
    return tuple(connection.execute(query if where is None else query.where(where)).scalars())


def condition(
    tables: AppTables, form: str, where: Checked, known: Mapping[str, object], clock: Clock
) -> sa.ColumnElement[bool]:
    """``where`` over records of a form as a condition for `page_of_ids`.

    Raises:
        Refused: it cannot be asked of a database. EvaluationFailed: a part of it has no value.
    """
    return compile_where(where, FormColumns(tables, form), known, clock)


def dated_ids(
    connection: sa.Connection,
    tables: AppTables,
    form: str,
    moment: sa.ColumnElement[Any],
    first: date,
    last: date,
    *,
    after: int,
    limit: int,
) -> tuple[tuple[int, date], ...]:
    """Records whose ``moment`` (a date or a moment) lies from ``first`` to ``last``, with it; by rising id."""
    header = tables.forms[form].header
    query = (
        sa.select(header.c.id, moment)
        .where(header.c.id > after, moment >= first, moment <= last)
        .order_by(header.c.id)
        .limit(limit)
    )
    return tuple((row[0], row[1]) for row in connection.execute(query))


def any_dated(tables: AppTables, form: str, moment: sa.ColumnElement[Any], spans: int) -> sa.Select[int]:
    """The question `is_any_dated` asks, for as many spans."""
    header = tables.forms[form].header
    within = [moment.between(sa.bindparam(f"first_{place}"), sa.bindparam(f"last_{place}")) for place in range(spans)]
    return sa.select(ONE).select_from(header).where(sa.or_(*within)).limit(1)


def is_any_dated(connection: sa.Connection, query: sa.Select[int], spans: Sequence[tuple[date, date]]) -> bool:
    """Whether a record's moment lies in one of the spans, their ends included."""
    asked = {f"first_{place}": first for place, (first, _) in enumerate(spans)}
    asked |= {f"last_{place}": last for place, (_, last) in enumerate(spans)}
    return connection.execute(query, asked).first() is not None
