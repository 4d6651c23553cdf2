"""Problems of rows as JSON notes kept with an import, and back: row, column, problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.problems import Severity
from runtime.jobs.attempt import problems_from_json, problems_json
from runtime.sheets.import_parcels import Parcel, RowProblem
from runtime.storage.imports import Act, ImportedRow

MOST_PER_RECORD = 200


def of_parcel(parcel: Parcel, found: Sequence[RowProblem]) -> Mapping[str, Any]:
    """What is kept about a record: its rows and the problems, each at its cell."""
    kept = sorted(found, key=lambda one: (one.row, one.column))[:MOST_PER_RECORD]
    return {
        "rows": list(parcel.rows),
        "problems": [[one.row, one.column, str(one.problem.severity), *problems_json([one.problem])] for one in kept],
    }


def noted(parcel: Parcel, found: Sequence[RowProblem], act: Act) -> ImportedRow:
    """A note without a document."""
    return ImportedRow(row=parcel.first, document=0, action=act, before=of_parcel(parcel, found))


def rows_of_note(note: ImportedRow) -> tuple[int, ...]:
    """The rows of the record."""
    return tuple(note.before["rows"])


def problems_of_note(note: ImportedRow) -> tuple[RowProblem, ...]:
    """The problems of the record."""
    return tuple(
        RowProblem(row, column, replace(problems_from_json([data])[0], severity=Severity(severity)))
        for row, column, severity, data in note.before["problems"]
    )
