"""What a closing asks the tables: documents that are not finished, stock that cannot be right, what is left on jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.values import ZERO
from runtime.storage.app_tables import AppTables
from runtime.storage.ledger_tables import balance, entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How many there are, and the first few: (id, number) of documents or (product, warehouse) of places."""

    count: int
    first: tuple[tuple[int, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Documents of a form dated up to a day, in some statuses.

    Attributes:
        since: only those dated after this day. warehouse: only those of this warehouse, told by ``fields`` (paths of
            links to a warehouse; header fields first); 0: any.
        unfinished: only those whose 执行状态 is not done.
    """

    form: str
    statuses: tuple[str, ...]
    through: date
    since: date | None = None
    warehouse: int = 0
    fields: tuple[str, ...] = ()
    unfinished: bool = False


def documents_like(connection: sa.Connection, tables: AppTables, wanted: Wanted, limit: int = 5) -> Found:
    """Documents as ``wanted``, in the order of their dates."""
    of_form = tables.forms[wanted.form]
    header = of_form.header
    conditions = [header.c.doc_status.in_(wanted.statuses), header.c.biz_date <= wanted.through]
    if wanted.since is not None:
        conditions.append(header.c.biz_date > wanted.since)
    if wanted.unfinished:
        conditions.append(header.c.exec_status != "done")
    if wanted.warehouse:
        conditions.append(sa.or_(*(_stands_in(tables, wanted, path) for path in wanted.fields)))
    count = connection.execute(sa.select(sa.func.count()).select_from(header).where(*conditions)).scalar_one()
    query = sa.select(header.c.id, header.c.number).where(*conditions).order_by(header.c.biz_date, header.c.id)
    rows = connection.execute(query.limit(limit)).all() if count else ()
    return Found(count=count, first=tuple((row[0], row[1] or "") for row in rows))


def _stands_in(tables: AppTables, wanted: Wanted, path: str) -> sa.ColumnElement[bool]:
    of_form = tables.forms[wanted.form]
    table, dot, key = path.partition(".")
    if not dot:
        return of_form.rows.fields[path] == wanted.warehouse
    rows = of_form.line_rows[table]
    return (
        sa.exists()
        .where(rows.table.c.document == of_form.header.c.id, rows.fields[key] == wanted.warehouse)
        .correlate(of_form.header)
    )


def negative_places(connection: sa.Connection, warehouse: int = 0, limit: int = 5) -> Found:
    """Places with less than nothing on hand."""
    return _places(connection, "place", balance.c.quantity < 0, warehouse, limit)


def worthless_pools(connection: sa.Connection, limit: int = 5) -> Found:
    """Goods on hand that cost nothing or less."""
    return _places(connection, "cost", sa.and_(balance.c.quantity > 0, balance.c.value <= 0), 0, limit)


def _places(
    connection: sa.Connection, grain: str, condition: sa.ColumnElement[bool], warehouse: int, limit: int
) -> Found:
    conditions = [balance.c.ledger == "stock", balance.c.grain == grain, condition]
    if warehouse:
        conditions.append(balance.c.warehouse == warehouse)
    count = connection.execute(sa.select(sa.func.count()).select_from(balance).where(*conditions)).scalar_one()
    query = sa.select(balance.c.product, balance.c.warehouse).where(*conditions).order_by(balance.c.key).limit(limit)
    rows = connection.execute(query).all() if count else ()
    return Found(count=count, first=tuple((row[0], row[1]) for row in rows))


def free_issues(connection: sa.Connection, since: date, limit: int = 5) -> Found:
    """Entries since a day that took our goods at no cost: the count, and (entry, form/document) of the latest."""
    free = (
        entry.c.ledger == "stock", entry.c.quantity < 0, entry.c.value == 0, entry.c.owner == 0,
        entry.c.mirror_of.is_(None), entry.c.biz_date >= since,
    )  # fmt: skip
    count = connection.execute(sa.select(sa.func.count()).select_from(entry).where(*free)).scalar_one()
    query = sa.select(entry.c.id, entry.c.form, entry.c.document).where(*free).order_by(entry.c.id.desc()).limit(limit)
    rows = connection.execute(query).all() if count else ()
    return Found(count=count, first=tuple((row[2], row[1]) for row in rows))


def open_jobs(connection: sa.Connection) -> Sequence[tuple[int, Decimal]]:
    """Subjects with a value left in work in process, and how much."""
    query = (
        sa.select(balance.c.subject, balance.c.value)
        .where(balance.c.ledger == "wip", balance.c.grain == "subject", balance.c.value != 0)
        .order_by(balance.c.subject)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def totals(connection: sa.Connection, chains: Sequence[tuple[str, str]]) -> Sequence[tuple[str, Decimal, Decimal]]:
    """Quantity and value of whole ledgers, each given with the grain that counts every entry once."""
    found = []
    for ledger, grain in chains:
        query = sa.select(sa.func.sum(balance.c.quantity), sa.func.sum(balance.c.value)).where(
            balance.c.ledger == ledger, balance.c.grain == grain
        )
        row = connection.execute(query).one()
        found.append((ledger, row[0] or ZERO, row[1] or ZERO))
    return found
