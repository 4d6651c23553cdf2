"""The refused rows of an import as Excel: the original cells, wrong ones in red, the sentences beside them.

Notes and rows are read side by side in the order of the sheet, so that any number of them fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from engine.sheets import NumberedRow, cell_at
from runtime.facade.door import Door
from runtime.facade.imports import own
from runtime.sheets import ErrorRow, open_sheets, write_error_rows
from runtime.sheets.import_notes import problems_of_note, rows_of_note
from runtime.sheets.import_plan import ImportPlan, plan_of
from runtime.storage import files, imports
from runtime.storage.database import read
from runtime.storage.imports import ImportedRow

PAGE = 1_000
WHOLE_ROW = -1


def error_rows(door: Door, import_id: int, path: Path) -> int:
    """Write the refused rows, to be corrected and uploaded again; returns how many."""
    found = own(door, import_id)
    plan = plan_of(found)
    with closing(open_sheets(files.path_of(door.workspace.files_dir, plan.file), found.file_name)) as book:
        rows = _refused(door, plan, _notes(door, import_id), book.rows(plan.sheet, plan.header_rows[-1] + 1))
        return write_error_rows(path, [plan.columns[n] for n in sorted(plan.columns)], rows, door.language)


def _refused(
    door: Door, plan: ImportPlan, notes: Iterator[ImportedRow], rows: Iterable[NumberedRow]
) -> Iterator[ErrorRow]:
    indexes = sorted(plan.columns)
    place = {index: position for position, index in enumerate(indexes)}
    waiting: dict[int, dict[int, str]] = {}
    note = next(notes, None)
    for number, cells in rows:
        while note is not None and note.row <= number:
            waiting.update(_sentences(door, place, note))
            note = next(notes, None)
        errors = waiting.pop(number, None)
        if errors is not None:
            yield ErrorRow(number=number, cells=[cell_at(cells, index) for index in indexes], errors=errors)


def _sentences(door: Door, place: dict[int, int], note: ImportedRow) -> dict[int, dict[int, str]]:
    """Row → position of the column → sentence; rows of the same document without a problem of their own are empty."""
    told: dict[int, dict[int, str]] = {row: {} for row in rows_of_note(note)}
    for row, column, one in problems_of_note(note):
        of_row = told.setdefault(row, {})
        position = place.get(column, WHOLE_ROW)
        sentence = door.say(one)
        of_row[position] = f"{of_row[position]} {sentence}" if position in of_row else sentence
    return told


def _notes(door: Door, import_id: int) -> Iterator[ImportedRow]:
    after = 0
    while True:
        with read(door.workspace.database) as connection:
            page = imports.problem_rows(connection, import_id, after, PAGE, acts=("refused",))
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].row
