"""Row filters in SQL: the WHERE twin of ``engine.permissions.admits``; a property test holds the two together."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from engine.actor import Actor
from engine.expressions import Clock
from engine.permissions import RowFilter
from runtime.storage.app_tables import AppTables
from runtime.storage.columns import FormColumns
from runtime.storage.filters import compile_where


def where_of(
    row_filter: RowFilter | None,
    tables: AppTables,
    form: str,
    actor: Actor,
    names: Mapping[str, object],
    clock: Clock,
) -> sa.ColumnElement[bool] | None:
    """The condition that admits exactly the filter's rows; None when it admits all.

    Args:
        names: constants of the expressions, ``me`` and ``app``.
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
    columns = FormColumns(tables, form)
    terms.extend(compile_where(condition, columns, names, clock) for condition in row_filter.conditions)
    return sa.or_(sa.false(), *terms)
