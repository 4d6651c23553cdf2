"""Write lists to Excel and CSV, row by row and in constant memory, and the rows an import refused with their reasons.

Text that a spreadsheet would run as a formula gets an apostrophe in front; reading such a file takes it off again.
Numbers of more than 15 digits are written as text, because a spreadsheet would round them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from engine.labels import Label
from engine.sheets import Cell, text_of

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_048_575
_EXACT = 15
_LONGEST = 32_767
_GUARDED = ("=", "+", "-", "@", "\t", "\r")
_ROW_NUMBER = Label("行号", "Row")
_ERRORS = Label("错误", "Errors")
_SHEET = Label("错误行", "Rejected rows")


@dataclass(frozen=True, slots=True)
class WriteColumn:
    """A column of an export: heading, width in characters, number format (``0.00``; empty for none)."""

    header: str
    width: int = 14
    number_format: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """A refused row.

    Attributes:
        number: its row in the uploaded sheet. cells: as uploaded, one per column.
        errors: position of the column → sentence in the reader's language; ``-1`` for what concerns the whole row.
    """

    number: int
    cells: Sequence[Cell]
    errors: Mapping[int, str]


def guard(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula: ``=1+1`` → ``'=1+1``."""
    return f"'{text}" if text.startswith(_GUARDED) else text


def write_xlsx(
    path: Path, columns: Sequence[WriteColumn], rows: Iterable[Sequence[Cell]], *, sheet: str = "Sheet1"
) -> int:
    """Write a list; the heading is frozen and filterable.

    Args:
        path: is overwritten. columns: headings from left to right. rows: cells in the same order.
        sheet: name of the tab; signs Excel forbids are replaced.

    Returns:
        number of rows written; at most 1,048,575, what one sheet holds.
    """
    import xlsxwriter  # deferred: takes 50 ms and only writing a sheet needs it

    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "nan_inf_to_errors": False}) as book:
        page = book.add_worksheet(_tab(sheet))
        heading = book.add_format({"bold": True, "bg_color": "#EEF1F4", "bottom": 1})
        shapes = _Shapes(book)
        by_column = [shapes.number(c.number_format) for c in columns]
        for n, column in enumerate(columns):
            page.set_column(n, n, column.width)
            page.write_string(0, n, guard(column.header), heading)
        page.freeze_panes(1, 0)
        count = 0
        for row in rows:
            if count == MOST_ROWS:
                break
            count += 1
            for n, cell in enumerate(row):
                _write(page, count, n, cell, by_column[n] if n < len(by_column) else None, shapes)
        if columns:
            page.autofilter(0, 0, count, len(columns) - 1)
    return count


def write_error_rows(path: Path, headers: Sequence[str], rows: Iterable[ErrorRow], language: str = "zh") -> int:
    """The rows an import refused, to be corrected and uploaded again: 行号, the original columns, 错误.

    Args:
        path: is overwritten. headers: the original headings. rows: refused rows; wrong cells become red.
        language: of the two added headings.

    Returns:
        number of rows written.
    """
    import xlsxwriter  # deferred: takes 50 ms and only writing a sheet needs it

    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "nan_inf_to_errors": False}) as book:
        page = book.add_worksheet(_tab(_SHEET.text(language)))
        heading = book.add_format({"bold": True, "bg_color": "#EEF1F4", "bottom": 1})
        red = book.add_format({"bg_color": "#FFD9D6", "font_color": "#9C0006"})
        red_day = book.add_format({"bg_color": "#FFD9D6", "font_color": "#9C0006", "num_format": "yyyy-mm-dd"})
        shapes = _Shapes(book)
        page.set_column(0, 0, 7)
        page.set_column(1, len(headers), 14)
        page.set_column(len(headers) + 1, len(headers) + 1, 60)
        for n, text in enumerate((_ROW_NUMBER.text(language), *headers, _ERRORS.text(language))):
            page.write_string(0, n, guard(text), heading)
        page.freeze_panes(1, 1)
        count = 0
        for row in rows:
            if count == MOST_ROWS:
                break
            count += 1
            page.write_number(count, 0, row.number)
            for n in range(len(headers)):
                cell = row.cells[n] if n < len(row.cells) else None
                wrong = n in row.errors
                if wrong and cell is None:
                    page.write_blank(count, n + 1, None, red)
                else:
                    shape = (red_day if isinstance(cell, date) else red) if wrong else None
                    _write(page, count, n + 1, cell, shape, shapes)
            sentences = [
                f"{headers[n]}：{text}" if 0 <= n < len(headers) else text for n, text in sorted(row.errors.items())
            ]
            page.write_string(count, len(headers) + 1, guard("\n".join(sentences))[:_LONGEST])
    return count


def write_csv(path: Path, columns: Sequence[WriteColumn], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a list as CSV in UTF-8 with mark, which Excel opens correctly. Returns the number of rows."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([guard(column.header) for column in columns])
        for row in rows:
            count += 1
            writer.writerow([guard(text_of(cell)) if isinstance(cell, str) else text_of(cell) for cell in row])
    return count


class _Shapes:
    """Cell formats of one workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self.day: Format = book.add_format({"num_format": "yyyy-mm-dd"})
        self.moment: Format = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})

    def number(self, pattern: str) -> Format | None:
        """A format for a number pattern, ``None`` for an empty one."""
        return self._book.add_format({"num_format": pattern}) if pattern else None


def _write(page: Worksheet, row: int, column: int, cell: Cell, shape: Format | None, shapes: _Shapes) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        page.write_boolean(row, column, cell, shape)
    elif isinstance(cell, Decimal):
        if len(cell.normalize().as_tuple().digits) > _EXACT or not cell.is_finite():
            page.write_string(row, column, text_of(cell), shape)
        else:
            page.write_number(row, column, float(cell), shape)  # 15 digits survive the way through a float
    elif isinstance(cell, datetime):
        page.write_datetime(row, column, cell.replace(tzinfo=None), shape or shapes.moment)
    elif isinstance(cell, date):
        page.write_datetime(row, column, cell, shape or shapes.day)
    else:
        page.write_string(row, column, guard(cell)[:_LONGEST], shape)


def _tab(name: str) -> str:
    bare = "".join("_" if sign in "[]:*?/\\" else sign for sign in name).strip("'")[:31]
    return bare or "Sheet1"
