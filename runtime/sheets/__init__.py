"""Spreadsheet files in and out: the only place that knows their formats."""

from __future__ import annotations

from runtime.sheets.container import FileKind, Limits
from runtime.sheets.read import DEFAULT_LIMITS, SheetInfo, Workbook, open_sheets
from runtime.sheets.write import ErrorRow, WriteColumn, guard, write_csv, write_error_rows, write_xlsx

__all__ = [
    "open_sheets",
    "Workbook",
    "SheetInfo",
    "Limits",
    "DEFAULT_LIMITS",
    "FileKind",
    "write_xlsx",
    "write_csv",
    "write_error_rows",
    "WriteColumn",
    "ErrorRow",
    "guard",
]
