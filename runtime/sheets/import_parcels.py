"""Rows of a sheet → records to submit, streaming: each parcel is one record with the rows it came from.

Cells are cleaned and named here, repeated keys recognised, rows of one document put together; whether a value is right
is left to the submission, whose problems find their cell again through the parcel. The order depends on the file and
the plan alone, so a run can be taken up where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from engine.definitions.compiled import CompiledForm
from engine.forms.draft import LinePatch, Patch
from engine.problems import Problem, Severity, problem
from engine.sheets import (
    Cell,
    Dropped,
    Group,
    Purpose,
    Record,
    Row,
    RunningSums,
    cell_at,
    clean_cell,
    compare_totals,
    group_documents,
    sort_rows,
    text_of,
    totals_row,
)
from runtime.sheets.import_plan import NUMBER, ImportPlan, natural_key, purpose
from runtime.sheets.import_table import match_of
from runtime.sheets.read import Workbook

COLLECTED_ROWS = 20_000
KEPT_DROPPED = 2_000
WHOLE_ROW = -1


class RowProblem(NamedTuple):
    """A problem with its place in the sheet; column ``-1`` means the whole row."""

    row: int
    column: int
    problem: Problem


class _Named(NamedTuple):
    number: int
    values: dict[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One record.

    Attributes:
        first: number of its first row, under which it is noted. rows: all of its rows.
        key: values that identify it, as cleaned. lines: line table → row of each line.
        problems: found while cleaning; errors among them keep it from being submitted.
        repeats: the row whose exact repetition this is, else 0.
    """

    first: int
    rows: tuple[int, ...]
    patch: Patch
    key: tuple[Cell, ...]
    lines: Mapping[str, tuple[int, ...]]
    problems: tuple[RowProblem, ...] = ()
    repeats: int = 0

    @property
    def refused(self) -> bool:
        """Whether it cannot be submitted at all."""
        return any(one.problem.severity is Severity.ERROR for one in self.problems)

    def placed(self, plan: ImportPlan, one: Problem) -> RowProblem:
        """A problem of the submission at its cell."""
        parts = one.where.split(".")
        if len(parts) > 1 and parts[0] in self.lines and parts[1].isdigit():
            rows, number = self.lines[parts[0]], int(parts[1])
            row = rows[number - 1] if 0 < number <= len(rows) else self.first
            path = f"{parts[0]}.{parts[2]}" if len(parts) > 2 else parts[0]
            return RowProblem(row, plan.column_of(path), one)
        return RowProblem(self.first, plan.column_of(one.where) if one.where else WHOLE_ROW, one)


@dataclass(slots=True, kw_only=True)
class Seen:
    """What passed by: complete once the parcels have been read to their end."""

    rows: int = 0
    dropped: list[Dropped] = field(default_factory=list)
    dropped_count: int = 0
    totals: tuple[Problem, ...] = ()
    sums: Mapping[str, Decimal] = field(default_factory=dict)
    has_total: bool = False


def parcels(book: Workbook, form: CompiledForm, plan: ImportPlan, seen: Seen) -> Iterator[Parcel]:
    """Every record of the table, in the order of the sheet."""
    named = _named(book, form, plan, seen)
    key = natural_key(form, plan.paths)
    grouped = any("." in path for path in plan.paths)
    if grouped:
        made = _grouped((one for one in named), form, plan, key)
    else:
        made = (_single(row, found, key) for row, found in named)
    return _without_repetitions(made, plan, key)


def _named(
    book: Workbook, form: CompiledForm, plan: ImportPlan, seen: Seen
) -> Iterator[tuple[_Named, list[RowProblem]]]:
    head = book.head(plan.sheet, max(plan.header_rows) + 1)
    match = match_of(head, plan.header_rows, plan.columns)
    columns = [
        _Column(index, path, purpose(form, path), plan.scale.get(index, 1), *_unit_of(form, path), _is_day(form, path))
        for index, path in sorted(plan.mapping.items())
    ]
    sums = RunningSums(tuple(plan.columns))
    totals: list[Dropped] = []
    for one in sort_rows(book.rows(plan.sheet, match.header_rows[-1] + 1), match, head.merged, sums):
        if isinstance(one, Dropped):
            seen.dropped_count += 1
            totals.append(one)
            if len(seen.dropped) < KEPT_DROPPED:
                seen.dropped.append(one)
            if len(totals) > KEPT_DROPPED:
                del totals[: KEPT_DROPPED // 2]
            continue
        seen.rows += 1
        yield _read(one, columns)
    said = totals_row(totals, match)
    seen.totals = compare_totals(said, sums, match)
    seen.has_total = bool(said)
    seen.sums = {column.header: sums.of(column.index) for column in match.columns if column.index in said}


class _Column(NamedTuple):
    at: int
    path: str
    purpose: Purpose
    scale: int
    unit_path: str
    has_unit: bool
    is_day: bool


def _read(record: Record, columns: Iterable[_Column]) -> tuple[_Named, list[RowProblem]]:
    values: dict[str, Cell] = {}
    found: list[RowProblem] = []
    units: list[tuple[_Column, str]] = []
    cells: Row = record.cells
    for column in columns:
        cell = cell_at(cells, column.at)
        if cell is None:
            continue
        cleaned = clean_cell(cell, column.purpose)
        if cleaned.problems:
            found.extend(RowProblem(record.number, column.at, one) for one in cleaned.problems)
        value = cleaned.value
        if value is None:
            continue
        if column.scale != 1 and isinstance(value, Decimal) and isinstance(cell, Decimal):
            value *= column.scale
        if column.is_day and isinstance(value, datetime):
            value = value.date()
        values[column.path] = value
        if cleaned.unit:
            units.append((column, cleaned.unit))
    for column, unit in units:
        known = values.get(column.unit_path) if column.has_unit else None
        if column.has_unit and known is None:
            values[column.unit_path] = unit
        elif known is None or text_of(known).casefold() != unit.casefold():
            found.append(RowProblem(record.number, column.at, problem("import.odd_unit", unit=unit)))
    return _Named(record.number, values), found


def _single(row: _Named, found: list[RowProblem], key: tuple[str, ...]) -> Parcel:
    return Parcel(
        first=row.number,
        rows=(row.number,),
        patch=Patch(values={path: value for path, value in row.values.items() if path != NUMBER}),
        key=tuple(row.values.get(path) for path in key),
        lines={},
        problems=tuple(found),
    )


def _grouped(
    named: Iterator[tuple[_Named, list[RowProblem]]], form: CompiledForm, plan: ImportPlan, key: tuple[str, ...]
) -> Iterator[Parcel]:
    """Documents of many rows. Without a number of its own, a document ends where its line table is full."""
    head = tuple(sorted(path for path in plan.paths if "." not in path))
    tables = sorted({path.partition(".")[0] for path in plan.paths if "." in path})
    most = 0 if key else min(form.tables[table].max_rows for table in tables)
    troubles: dict[int, list[RowProblem]] = {}

    def rows() -> Iterator[tuple[int, Mapping[str, Cell]]]:
        for row, found in named:
            if found:
                troubles[row.number] = found
            yield row.number, row.values

    large = plan.rows > COLLECTED_ROWS
    if head:
        groups: Iterable[Group] = group_documents(rows(), head, key, contiguous=large)
    else:
        groups = _headless(rows(), most)
    for group in groups:
        for part in _parts(group, most):
            yield _parcel(part, plan, key, tables, troubles)


def _headless(rows: Iterable[tuple[int, Mapping[str, Cell]]], most: int) -> Iterator[Group]:
    """Rows that fill nothing but lines: one document after the other, each as long as its table allows."""
    lines: list[tuple[int, Mapping[str, Cell]]] = []
    for one in rows:
        lines.append(one)
        if len(lines) == most:
            yield Group(first_row=lines[0][0], head={}, lines=tuple(lines))
            lines = []
    if lines:
        yield Group(first_row=lines[0][0], head={}, lines=tuple(lines))


def _parts(group: Group, most: int) -> Iterator[Group]:
    if not most or len(group.lines) <= most:
        yield group
        return
    for start in range(0, len(group.lines), most):
        lines = group.lines[start : start + most]
        yield replace(group, first_row=lines[0][0], lines=lines, problems=group.problems if start == 0 else ())


def _parcel(
    group: Group, plan: ImportPlan, key: tuple[str, ...], tables: list[str], troubles: dict[int, list[RowProblem]]
) -> Parcel:
    patches: dict[str, tuple[LinePatch, ...]] = {}
    places: dict[str, tuple[int, ...]] = {}
    for table in tables:
        prefix = f"{table}."
        rows = [
            (number, {path[len(prefix) :]: value for path, value in values.items() if path.startswith(prefix)})
            for number, values in group.lines
        ]
        rows = [(number, values) for number, values in rows if values]
        patches[table] = tuple(LinePatch(values=values) for _, values in rows)
        places[table] = tuple(number for number, _ in rows)
    numbers = tuple(dict.fromkeys((group.first_row, *(number for number, _ in group.lines))))
    found = [one for number in numbers for one in troubles.pop(number, ())]
    for differing in group.problems:
        row, _, path = differing.where.partition(".")
        warning = replace(differing, severity=Severity.WARNING)
        found.append(RowProblem(int(row), plan.column_of(path), warning))
    return Parcel(
        first=group.first_row,
        rows=numbers,
        patch=Patch(values={path: value for path, value in group.head.items() if path != NUMBER}, lines=patches),
        key=tuple(group.head.get(path) for path in key),
        lines=places,
        problems=tuple(found),
    )


def _without_repetitions(made: Iterable[Parcel], plan: ImportPlan, key: tuple[str, ...]) -> Iterator[Parcel]:
    """Marks exact repetitions of a key, and refuses rows that contradict an earlier one."""
    first: dict[int, tuple[int, int]] = {}
    column = plan.column_of(key[0]) if key else WHOLE_ROW
    for parcel in made:
        shown = "\x1f".join(text_of(part).strip().casefold() for part in parcel.key)
        if not key or not shown.strip("\x1f"):
            yield parcel
            continue
        content = _digest(_content(parcel))
        earlier = first.setdefault(_digest(shown), (parcel.first, content))
        if earlier[0] == parcel.first:
            yield parcel
        elif earlier[1] == content:
            yield replace(parcel, repeats=earlier[0])
        else:
            said = problem(
                "sheet.duplicate_key",
                key=" / ".join(text_of(part) for part in parcel.key),
                first=earlier[0],
                row=parcel.first,
            )
            yield replace(parcel, problems=(*parcel.problems, RowProblem(parcel.first, column, said)))


def _content(parcel: Parcel) -> str:
    lines = [sorted(line.values.items()) for rows in parcel.patch.lines.values() for line in rows]
    return repr((sorted(parcel.patch.values.items()), lines))


def _digest(text: str) -> int:
    """A number that stands for a text, so that memory grows neither with keys nor with the width of the sheet."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=12).digest())


def _unit_of(form: CompiledForm, path: str) -> tuple[str, bool]:
    """The field of the same row that names the unit of a quantity."""
    one = form.field(path)
    unit = str(getattr(one.options, "unit", "")) if one is not None and one.type_name == "quantity" else ""
    if one is None or not unit:
        return "", False
    return (f"{one.table}.{unit}" if one.table else unit), True


def _is_day(form: CompiledForm, path: str) -> bool:
    one = form.field(path)
    return one is None or one.type_name == "date"
