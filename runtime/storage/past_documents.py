"""Documents a changed definition is tried on: one by its number, or those of a past period, in portions."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from runtime.storage.app_tables import AppTables


def numbered(connection: sa.Connection, tables: AppTables, form: str, number: str) -> int | None:
    """Id of the document with this number."""
    header = tables.forms[form].header
    return connection.execute(sa.select(header.c.id).where(header.c.number == number).limit(1)).scalar_one_or_none()


def of_period(
    connection: sa.Connection,
    tables: AppTables,
    form: str,
    first: date,
    last: date,
    *,
    submitted: bool,
    after: int = 0,
    limit: int = 200,
) -> tuple[int, ...]:
    """Ids behind ``after``, ascending, of the form's documents from ``first`` to ``last``, both included.

    The business date counts; for records without one the day they were made.

    Args:
        submitted: leave out drafts and what was voided.
    """
    header = tables.forms[form].header
    made = (
        header.c.created_at >= datetime.combine(first, time()),
        header.c.created_at < datetime.combine(last + timedelta(days=1), time()),
    )
    dated = header.c.biz_date.between(first, last)
    query = sa.select(header.c.id).where(header.c.id > after)
    query = query.where(sa.or_(dated, sa.and_(header.c.biz_date.is_(None), *made)))
    if submitted:
        query = query.where(header.c.doc_status.not_in(("draft", "voided")))
    return tuple(connection.execute(query.order_by(header.c.id).limit(limit)).scalars())
