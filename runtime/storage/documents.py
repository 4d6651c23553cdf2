"""Documents and master records: load and save whole, one query per table.

Ids come before the rows, so that everything goes in with executemany and nothing is read back. Saving checks the
version in its WHERE: whoever was faster wins and the other is told. Only the changed columns of a header and the
changed lines are written. No permission is checked here; documents are loaded by stages that hold an actor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from engine.document import DocStatus, Document, Line
from engine.problems import Refused, problem
from runtime.storage.app_tables import AppTables, FormTables
from runtime.storage.document_rows import DRAFTS, document_of, header_changes, header_row, line_of, line_row
from runtime.storage.duplicates import unique_keys_explained
from runtime.storage.ids import allocate
from runtime.storage.records import (
    display_names,
    find_ids,
    find_keys,
    load_rows,
    look_up,
    numbers,
    record_ids,
    referring_forms,
    unit_codes,
)

__all__ = (
    "delete",
    "display_names",
    "find_ids",
    "find_keys",
    "insert",
    "insert_many",
    "load",
    "load_many",
    "load_rows",
    "look_up",
    "mark",
    "numbers",
    "record_ids",
    "referring_forms",
    "step",
    "unit_codes",
    "update",
)

CHUNK = 1000


def load(connection: sa.Connection, tables: AppTables, form: str, document_id: int) -> Document | None:
    """The document with its lines, or None."""
    of_form = tables.forms[form]
    row = connection.execute(of_form.rows.one, {"id": document_id}).one_or_none()
    if row is None:
        return None
    lines = {
        key: tuple(line_of(rows, each) for each in connection.execute(rows.one, {"id": document_id}))
        for key, rows in of_form.line_rows.items()
    }
    return document_of(form, of_form.rows, row, lines)


def load_many(connection: sa.Connection, tables: AppTables, form: str, ids: Iterable[int]) -> Mapping[int, Document]:
    """Documents by id; one query per table for up to a thousand of them."""
    of_form = tables.forms[form]
    wanted = sorted(set(ids))
    found: dict[int, Document] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        lines: dict[int, dict[str, tuple[Line, ...]]] = {}
        for key, rows in of_form.line_rows.items():
            grouped: dict[int, list[Line]] = {}
            for row in connection.execute(rows.many, {"ids": chunk}):
                grouped.setdefault(row[1], []).append(line_of(rows, row))
            for document in chunk:
                lines.setdefault(document, {})[key] = tuple(grouped.get(document, ()))
        for row in connection.execute(of_form.rows.many, {"ids": chunk}):
            found[row[0]] = document_of(form, of_form.rows, row, lines.get(row[0], {}))
    return MappingProxyType(found)


def insert(
    connection: sa.Connection,
    tables: AppTables,
    document: Document,
    search: str,
    at: datetime,
    *,
    batch: int | None = None,
) -> Document:
    """Store a new document; returns it with the ids of header and lines and version 1.

    Raises ``Refused`` (``storage.duplicate``) when a unique key is taken. ``batch``: the import it came with.
    """
    return insert_many(connection, tables, (document,), (search,), at, batch=batch)[0]


def insert_many(
    connection: sa.Connection,
    tables: AppTables,
    documents: Sequence[Document],
    searches: Sequence[str],
    at: datetime,
    *,
    batch: int | None = None,
) -> tuple[Document, ...]:
    """Store new documents of one form, as `insert` does one."""
    if not documents:
        return ()
    of_form = tables.forms[documents[0].form]
    number = sum(1 + sum(map(len, document.lines.values())) for document in documents)
    ids = iter(allocate(connection, number))
    stored = tuple(
        replace(
            document,
            id=next(ids),
            version=1,
            created_at=document.created_at or at,
            lines=MappingProxyType(
                {
                    key: tuple(line.with_id(next(ids)) for line in document.lines.get(key, ()))
                    for key in of_form.line_rows
                }
            ),
        )
        for document in documents
    )
    with unique_keys_explained(of_form):
        of_form.rows.writer.insert(
            connection,
            [header_row(of_form, each, search, at, batch) for each, search in zip(stored, searches, strict=True)],
        )
        for key, rows in of_form.line_rows.items():
            rows.writer.insert(
                connection,
                [line_row(rows, each.id, line) for each in stored for line in each.lines[key] if each.id is not None],
            )
    return stored


def update(
    connection: sa.Connection,
    tables: AppTables,
    old: Document,
    new: Document,
    search: str | None,
    at: datetime,
    *,
    modifier: int | None = None,
) -> Document:
    """Store ``new`` over ``old``; returns it with the next version and the ids of its new lines.

    Args:
        search: the new search text, None when no searched field changed.

    Raises ``Refused`` with ``document.stale`` (conflict) when the stored version is no longer ``old.version``, and with
    ``storage.duplicate`` when a unique key is taken.
    """
    of_form = tables.forms[new.form]
    changed = header_changes(of_form, old, new, search, at, modifier)
    with unique_keys_explained(of_form):
        row = (*changed.values(), old.id, old.version)
        if of_form.rows.writer.update(connection, tuple(changed), ("id", "version"), (row,)) == 0:
            raise Refused([problem("document.stale")], kind="conflict")
        lines = _update_lines(connection, of_form, old, new)
    return replace(new, id=old.id, version=old.version + 1, lines=MappingProxyType(lines))


def mark(connection: sa.Connection, tables: AppTables, form: str, document_id: int, **system: Any) -> None:
    """Set system columns (``exec_status`` and the like) without a new version: facts derived from elsewhere."""
    of_form = tables.forms[form]
    of_form.rows.writer.update(connection, tuple(system), ("id",), ((*system.values(), document_id),))


def step(
    connection: sa.Connection, tables: AppTables, form: str, document_id: int, version: int, **system: Any
) -> None:
    """Set system columns as a step of the life cycle: checks ``version`` and counts it up.

    Raises ``Refused`` with ``document.stale`` (conflict) when somebody was faster.
    """
    of_form = tables.forms[form]
    row = (*system.values(), version + 1, document_id, version)
    if of_form.rows.writer.update(connection, (*system, "version"), ("id", "version"), (row,)) == 0:
        raise Refused([problem("document.stale")], kind="conflict")


def delete(connection: sa.Connection, tables: AppTables, document: Document) -> None:
    """Delete a draft or a master record with its lines; its history stays.

    Raises ``Refused`` with ``document.stale`` when it changed meanwhile, ``storage.not_deletable`` when its status says
    that others may rely on it.
    """
    of_form = tables.forms[document.form]
    if document.status not in (*DRAFTS, DocStatus.ACTIVE, DocStatus.DISABLED):
        raise Refused([problem("storage.not_deletable")], kind="conflict")
    header = of_form.header
    for lines in of_form.lines.values():
        connection.execute(lines.delete().where(lines.c.document == document.id))
    gone = connection.execute(
        header.delete().where(header.c.id == document.id, header.c.version == document.version)
    ).rowcount
    if gone == 0:
        raise Refused([problem("document.stale")], kind="conflict")


def _update_lines(
    connection: sa.Connection, of_form: FormTables, old: Document, new: Document
) -> dict[str, tuple[Line, ...]]:
    """Delete, insert and update lines by difference. Deleting comes first, so that a unique value may move."""
    stored: dict[str, tuple[Line, ...]] = {}
    for key, rows in of_form.line_rows.items():
        before = {line.id: line for line in old.lines.get(key, ())}
        after = new.lines.get(key, ())
        stored[key] = after
        if new.lines.get(key) is old.lines.get(key):
            continue
        ids = iter(allocate(connection, sum(1 for line in after if line.id not in before)))
        fresh = [line.with_id(next(ids)) for line in after if line.id not in before]
        gone = set(before) - {line.id for line in after}
        if gone:
            connection.execute(rows.table.delete().where(rows.table.c.id.in_(gone)))
        changed = [line for line in after if line.id in before and line != before[line.id]]
        columns = rows.writer.columns[2:]
        rows.writer.update(
            connection,
            columns,
            ("id",),
            [(*line_row(rows, old.id or 0, line)[2:], line.id) for line in changed],
        )
        rows.writer.insert(connection, [line_row(rows, old.id or 0, line) for line in fresh])
        if fresh:
            made = iter(fresh)
            stored[key] = tuple(line if line.id in before else next(made) for line in after)
    return stored
