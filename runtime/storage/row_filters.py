"""Row filters in SQL: the WHERE twin of ``engine.permissions.admits``; a property test holds the two together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from engine.actor import Actor
from engine.expressions import Checked, Clock
from engine.permissions import RowFilter
from runtime.storage.app_tables import AppTables
from runtime.storage.columns import FormColumns, RecordColumns
from runtime.storage.filters import compile_where


def where_of(
    row_filter: RowFilter | None,
    tables: AppTables,
    form: str,
    actor: Actor,
    names: Mapping[str, object],
    clock: Clock,
    record: str = "",
) -> sa.ColumnElement[bool] | None:
    """The condition that admits exactly the filter's rows; None when it admits all.

    Args:
        names: constants of the expressions, ``me`` and ``app``.
        record: what the conditions call the record where they do not see its fields directly (``warehouse.keeper``).
    """
    if row_filter is None:
        return sa.false()
    if row_filter.everything:
        return None
    header = tables.forms[form].header
    terms: list[sa.ColumnElement[bool]] = []
    if row_filter.own:
        terms.append(header.c.creator == actor.user)
    if row_filter.department:
        terms.append(header.c.department.in_(sorted(actor.departments)))
    fields = FormColumns(tables, form)
    columns = RecordColumns(fields, record) if record else fields
    terms.extend(compile_where(condition, columns, names, clock) for condition in row_filter.conditions)
    return sa.or_(sa.false(), *terms)


def matching(
    connection: sa.Connection, tables: AppTables, form: str, ids: Iterable[int], condition: sa.ColumnElement[bool]
) -> frozenset[int]:
    """Those of ``ids`` whose record satisfies ``condition``."""
    header = tables.forms[form].header
    query = sa.select(header.c.id).where(header.c.id.in_(sorted(set(ids))), condition)
    return frozenset(connection.execute(query).scalars())


def link_condition(
    checked: Checked, tables: AppTables, target: str, names: Mapping[str, object], clock: Clock
) -> sa.ColumnElement[bool]:
    """The filter of a link as a condition on the linked form; ``names`` holds ``me``, ``app`` and ``row``."""
    return compile_where(checked, FormColumns(tables, target), names, clock)
