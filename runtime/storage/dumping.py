"""The rows of a dump, table by table in a fixed order, so that equal ledgers are equal dumps on either database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from runtime.storage.app_tables import AppTables
from runtime.storage.ledger_tables import balance, closing, entry, layer, layer_use, lot, seal, seal_head
from runtime.storage.plain_rows import plain_rows

DOCUMENT = ("form", "id", "number", "status")
ENTRY = (
    "id", "ledger", "product", "warehouse", "bin", "lot", "serial", "status", "owner", "partner", "subject", "element",
    "ref_form", "ref_document", "ref_line", "quantity", "value", "aux", "due", "move", "form", "document", "line",
    "action", "batch", "biz_date", "basis", "origin", "stated", "mirror_of", "snapshot", "posted_at", "user", "hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a dump: the name of its file, its columns, and its rows as texts."""

    name: str
    columns: Sequence[str]
    rows: Iterator[list[str]]


def tables(connection: sa.Connection, app: AppTables) -> Iterator[Table]:
    """Everything the ledgers consist of, and where documents stand."""
    yield _table(connection, "entries", entry, [entry.c.id], columns=ENTRY)
    # A balance somebody only asked for is a row on PostgreSQL and none on SQLite.
    used = sa.or_(balance.c.entries != 0, balance.c.quantity != 0, balance.c.value != 0, balance.c.head != "")
    names = tuple(column.name for column in balance.columns if column.name != "version")
    yield _table(connection, "balances", balance, [balance.c.key], used, columns=names)
    yield _table(connection, "layers", layer, [layer.c.pool, layer.c.entry, layer.c.part])
    yield _table(connection, "layer_uses", layer_use, [layer_use.c.entry, layer_use.c.layer, layer_use.c.part])
    yield _table(connection, "lots", lot, [lot.c.product, lot.c.lot])
    yield _table(connection, "closings", closing, [closing.c.id])
    yield _table(connection, "seals", seal, [seal.c.id])
    yield _table(connection, "seal_heads", seal_head, [seal_head.c.seal, seal_head.c.key])
    yield Table(name="documents", columns=DOCUMENT, rows=_documents(connection, app))


def _table(
    connection: sa.Connection,
    name: str,
    table: sa.Table,
    order: Sequence[sa.Column[object]],
    *where: sa.ColumnElement[bool],
    columns: Sequence[str] = (),
) -> Table:
    names = tuple(columns) or tuple(column.name for column in table.columns)
    return Table(
        name=name, columns=names, rows=plain_rows(connection, [table.c[each] for each in names], order, *where)
    )


def _documents(connection: sa.Connection, app: AppTables) -> Iterator[list[str]]:
    for form in sorted(app.forms):
        header = app.forms[form].header
        columns = [header.c.id, header.c.number, header.c.doc_status]
        for row in plain_rows(connection, columns, [header.c.id]):
            yield [form, *row]
