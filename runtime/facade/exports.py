"""A list as an Excel file: the same columns, filters and rights as on the page, page by page in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from engine.problems import Refused, problem
from engine.sheets import Cell
from runtime.facade.door import Door
from runtime.facade.list_views import ColumnView, ListRequest, ListView
from runtime.facade.lists import page
from runtime.facade.views import CellView
from runtime.sheets import WriteColumn, write_xlsx

PAGE = 500
WIDE = 24


def export(door: Door, form: str, request: ListRequest, path: Path, most: int = 50_000) -> int:
    """Write the list ``request`` asks for to ``path``, at most ``most`` rows; returns how many were written.

    Raises:
        Refused: ``forbidden`` without the right to export, and whatever the list itself refuses.
    """
    compiled = door.form(form)
    if not door.may(compiled, "export"):
        raise Refused([problem("permission.export_denied", form=compiled.label)], "forbidden")
    asked = replace(request, after="", limit=PAGE)
    first = page(door, form, asked)
    return write_xlsx(
        path,
        [_head(column) for column in first.columns],
        _rows(door, form, asked, first, most),
        sheet=compiled.label.text(door.language),
    )


def _rows(door: Door, form: str, asked: ListRequest, first: ListView, most: int) -> Iterator[list[Cell]]:
    view, written = first, 0
    while True:
        for row in view.rows:
            if written >= most:
                return
            written += 1
            yield [_cell(column, row.cells[column.path]) for column in view.columns]
        if view.next is None:
            return
        view = page(door, form, replace(asked, after=view.next))


def _head(column: ColumnView) -> WriteColumn:
    return WriteColumn(header=column.label, width=WIDE if column.to or column.type_name == "text" else 14)


def _cell(column: ColumnView, cell: CellView) -> Cell:
    """Figures and dates as what they are, everything else as it reads."""
    if cell.value is None:
        return None
    if column.align == "right":
        try:
            return Decimal(str(cell.value))
        except InvalidOperation:
            return cell.text
    if column.type_name == "date":
        return date.fromisoformat(str(cell.value)[:10])
    return cell.text
