"""A list as an Excel file: the same columns, filters and rights as on the page, page by page in constant memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path

from engine.problems import Refused, problem
from engine.sheets import Cell
from runtime.facade.door import Door
from runtime.facade.list_views import ColumnView, ListRequest
from runtime.facade.lists import page
from runtime.facade.paging import MOST_ROWS, PAGE, every_row
from runtime.facade.views import CellView
from runtime.sheets import WriteColumn, write_xlsx

WIDE = 24


def export(door: Door, form: str, request: ListRequest, path: Path, most: int = MOST_ROWS) -> int:
    """Write the list ``request`` asks for to ``path``, at most ``most`` rows; returns how many were written.

    Raises:
        Refused: ``forbidden`` without the right to export, and whatever the list itself refuses.
    """
    compiled = door.form(form)
    if not door.may(compiled, "export"):
        raise Refused([problem("permission.export_denied", form=compiled.label)], "forbidden")
    asked = replace(request, after="", limit=PAGE)
    first = page(door, form, asked)
    rows = every_row(first, lambda after: page(door, form, replace(asked, after=after)))
    return write_xlsx(
        path,
        [_head(column) for column in first.columns],
        ([_cell(column, row.cells[column.path]) for column in first.columns] for row in islice(rows, most)),
        sheet=compiled.label.text(door.language),
    )


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
