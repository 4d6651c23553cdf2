"""Documents as rows and rows as documents: the order of columns of `app_tables` in both directions.

Pure translation. Which rows are read or written is decided in `documents`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from engine.document import DocStatus, Document, ExecStatus, Line, SourceLine
from runtime.storage.app_tables import HEADER_SYSTEM, LINE_SYSTEM, FormTables, RowTable

HEADER_WIDTH = len(HEADER_SYSTEM)
LINE_WIDTH = len(LINE_SYSTEM)
DRAFTS = (DocStatus.DRAFT, DocStatus.REJECTED)


def header_row(
    tables: FormTables, document: Document, search: str, at: datetime, batch: int | None
) -> tuple[object, ...]:
    """A new header row, in the order of the table's columns."""
    values = document.values
    return (
        document.id,
        document.number,
        document.status.value,
        document.exec_status.value,
        document.version,
        document.snapshot,
        document.creator,
        document.department,
        document.created_at or at,
        at,
        document.creator,
        None if tables.form.is_master or document.status in DRAFTS else at,
        document.approver,
        document.approved_at,
        document.biz_date,
        document.origin,
        batch,
        search,
        *map(values.get, tables.rows.keys),
    )


def line_row(rows: RowTable, document: int, line: Line) -> tuple[object, ...]:
    """A row of a line table, in the order of its columns."""
    source = line.source
    origin = (None, None, None) if source is None else (source.form, source.document, source.line)
    return (line.id, document, line.number, *origin, *map(line.values.get, rows.keys))


def header_changes(
    tables: FormTables, old: Document, new: Document, search: str | None, at: datetime, modifier: int | None
) -> dict[str, object]:
    """Columns that differ, by name, with what every change notes: version, time and person."""
    changed: dict[str, object] = {"version": old.version + 1, "modified_at": at}
    if modifier is not None:
        changed["modifier"] = modifier
    if old.status in DRAFTS and new.status not in DRAFTS:
        changed["submitted_at"] = at
    if search is not None:
        changed["search"] = search
    system: tuple[tuple[str, Any, Any], ...] = (
        ("number", old.number, new.number),
        ("doc_status", old.status.value, new.status.value),
        ("exec_status", old.exec_status.value, new.exec_status.value),
        ("snapshot", old.snapshot, new.snapshot),
        ("department", old.department, new.department),
        ("approver", old.approver, new.approver),
        ("approved_at", old.approved_at, new.approved_at),
        ("biz_date", old.biz_date, new.biz_date),
    )
    changed.update((name, after) for name, before, after in system if before != after)
    for key, column in tables.rows.fields.items():
        if old.values.get(key) != new.values.get(key):
            changed[column.name] = new.values.get(key)
    return changed


def document_of(form: str, rows: RowTable, row: Sequence[Any], lines: Mapping[str, tuple[Line, ...]]) -> Document:
    """The document of a header row and its lines."""
    return Document(
        form=form,
        id=row[0],
        number=row[1],
        status=DocStatus(row[2]),
        exec_status=ExecStatus(row[3]),
        version=row[4],
        snapshot=row[5],
        creator=row[6],
        department=row[7],
        created_at=row[8],
        approver=row[12],
        approved_at=row[13],
        biz_date=row[14],
        origin=row[15],
        values=MappingProxyType(dict(zip(rows.keys, row[HEADER_WIDTH:], strict=True))),
        lines=MappingProxyType(lines),
    )


def line_of(rows: RowTable, row: Sequence[Any]) -> Line:
    """The line of a row."""
    source = None if row[3] is None else SourceLine(form=row[3], document=row[4], line=row[5])
    values = MappingProxyType(dict(zip(rows.keys, row[LINE_WIDTH:], strict=True)))
    return Line(id=row[0], number=row[2], values=values, source=source)
