"""What ``verify`` asks of the rows: live entries per document, statuses, and how links stand. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from engine.document import DocStatus
from runtime.storage.app_tables import AppTables
from runtime.storage.ledger_tables import balance, entry
from runtime.storage.product_tables import link

PAGE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Entries of one document and action that are neither reversed nor reversals, and in how many acts they came. What
    costing derived is not among them: it stays on a reversed document, adding up to nothing."""

    form: str
    document: int
    action: str
    batches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A document's statuses."""

    id: int
    number: str
    doc_status: str
    exec_status: str


def live_entries(connection: sa.Connection) -> Iterator[Live]:
    """One row per document and action that has live entries."""
    mirror = entry.alias("mirror")
    reversed_ = sa.exists().where(mirror.c.mirror_of == entry.c.id)
    query = (
        sa.select(entry.c.form, entry.c.document, entry.c.action, sa.func.count(sa.distinct(entry.c.batch)))
        .where(entry.c.mirror_of.is_(None), entry.c.basis != "derived", ~reversed_)
        .group_by(entry.c.form, entry.c.document, entry.c.action)
    )
    for row in connection.execute(query):
        yield Live(form=row[0], document=row[1], action=row[2], batches=row[3])


def standings(connection: sa.Connection, tables: AppTables, form: str) -> Iterator[Standing]:
    """Every document of a form, in the order of ids, read in pages."""
    header = tables.forms[form].header
    query = sa.select(header.c.id, header.c.number, header.c.doc_status, header.c.exec_status).order_by(header.c.id)
    last = 0
    while True:
        rows = connection.execute(query.where(header.c.id > last).limit(PAGE)).all()
        for row in rows:
            yield Standing(id=row[0], number=row[1] or "", doc_status=row[2], exec_status=row[3])
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def statuses(connection: sa.Connection, tables: AppTables, form: str, ids: Sequence[int]) -> Mapping[int, DocStatus]:
    """单据状态 of these documents or records; those that are not there are left out."""
    rows = tables.forms[form].header
    query = sa.select(rows.c.id, rows.c.doc_status).where(rows.c.id.in_(ids))
    return {row[0]: DocStatus(row[1]) for row in connection.execute(query)}


def link_states(connection: sa.Connection, form: str) -> Iterator[tuple[int, str]]:
    """Document of ``form`` and state, for every link that arrives at it, each pair once."""
    query = sa.select(link.c.target_id, link.c.state).where(link.c.target_form == form).distinct()
    for row in connection.execute(query):
        yield row[0], row[1]


def sizes(connection: sa.Connection) -> tuple[int, int]:
    """How many entries and balances there are."""
    entries = connection.execute(sa.select(sa.func.count()).select_from(entry)).scalar_one()
    balances = connection.execute(sa.select(sa.func.count()).select_from(balance)).scalar_one()
    return entries, balances
