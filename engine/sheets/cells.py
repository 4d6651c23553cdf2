"""What a spreadsheet is once it has been read: rows of plain cells, and where its cells were merged.

Nothing here knows a file format; whoever reads a file delivers these values. Rows are counted from 1 as the person
sees them in Excel, columns from 0. Floats never occur: a number is a ``Decimal``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

Cell: TypeAlias = str | Decimal | bool | date | datetime | None
Row: TypeAlias = tuple[Cell, ...]
NumberedRow: TypeAlias = tuple[int, Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merged block, corners included; only its top left cell carries a value.

    Attributes:
        first_row, last_row: row numbers from 1. first_column, last_column: column indexes from 0.
    """

    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The beginning of one sheet, enough to recognise its table.

    Attributes:
        name: as on the tab; the file name for CSV.
        rows: from row 1 on, without gaps; may be fewer than the sheet has.
        merged: merged blocks of the whole sheet.
        hidden: the author hid the tab.
    """

    name: str
    rows: Sequence[Row]
    merged: tuple[Merged, ...] = ()
    hidden: bool = False


def is_blank(cell: Cell) -> bool:
    """Nothing in it: empty, or text made of white space only."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def text_of(cell: Cell) -> str:
    """The cell as text without exponent or trailing zeros of a whole number; empty for an empty cell."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    return cell


def column_letter(index: int) -> str:
    """Spreadsheet name of a column: 0 → ``A``, 27 → ``AB``."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_at(row: Sequence[Cell], index: int) -> Cell:
    """The cell, or ``None`` beyond the end of a short row."""
    return row[index] if index < len(row) else None
