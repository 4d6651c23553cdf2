"""Fills the demo company with its master records and its opening stock: sheets, imported by the data administrator."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from engine.definitions.compiled import CompiledForm
from engine.problems import Refused, problem
from runtime.demo.company import Plan, RowValues
from runtime.facade import imports
from runtime.facade.door import Door
from runtime.sheets.import_plan import BIZ_DATE, BIZ_DATE_LABEL

OPENING = "opening_stock"


def fill(door: Door, plan: Plan, step: Callable[[int], None]) -> None:
    """Import everything; ``step`` is called with the number of rows done.

    Raises:
        Refused: a row was refused; the plan and the template disagree then.
    """
    for form, records in plan.masters:
        _import(door, form, records, "save", step)
    opening = [{BIZ_DATE: plan.opening_day.isoformat(), **row} for row in plan.opening]
    _import(door, OPENING, opening, "approve", step)


def rows(plan: Plan) -> int:
    """How many rows there are to enter."""
    return sum(len(each) for _, each in plan.masters) + len(plan.opening)


def _import(door: Door, form: str, records: Sequence[RowValues], action: str, step: Callable[[int], None]) -> None:
    compiled = door.form(form)
    paths = tuple(dict.fromkeys(path for record in records for path in record))
    name = f"{compiled.label.zh}.csv"
    started = imports.upload(door, form, name, (_sheet(compiled, paths, records),))
    imports.configure(door, started, mapping=dict(enumerate(paths)), mode="create", action=action)
    told = [0]

    def tell(done: int, _total: int) -> None:
        step(max(done - told[0], 0))
        told[0] = max(done, told[0])

    ended = imports.perform(door, started, tell)
    if ended.failed:
        refused, _ = imports.problems_of(door, started, limit=1)
        first = f"{refused[0].row}: {refused[0].text}" if refused else ""
        raise Refused([problem("demo.rows_refused", name, count=ended.failed, first=first)])


def _sheet(form: CompiledForm, paths: Sequence[str], records: Sequence[RowValues]) -> bytes:
    """The rows as CSV under the headings people know."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_heading(form, path) for path in paths])
    writer.writerows([record.get(path, "") for path in paths] for record in records)
    return text.getvalue().encode("utf-8-sig")


def _heading(form: CompiledForm, path: str) -> str:
    field = form.field(path)
    return field.label.zh if field is not None else BIZ_DATE_LABEL.zh
