"""Imports as pages show them: runs, plans and notes turned into views with labels and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.definitions.compiled import CompiledForm
from engine.sheets import Target, column_letter
from runtime.facade.door import Door
from runtime.facade.import_views import (
    ColumnView,
    ImportView,
    PreviewRow,
    ProgressView,
    RowProblemView,
    SummaryView,
    TargetView,
)
from runtime.jobs.attempt import problems_from_json
from runtime.sheets.import_notes import problems_of_note
from runtime.sheets.import_plan import MODES, ImportPlan, natural_key, plan_of
from runtime.sheets.import_table import mapping_problems
from runtime.storage.imports import ImportedRow, ImportRun

SAMPLES = 3
LARGE_ROWS = 2_000


def progress_view(door: Door, form: CompiledForm, run: ImportRun) -> ProgressView:
    """How far an import is."""
    assert run.id is not None
    return ProgressView(
        id=run.id,
        form=form.key,
        form_label=form.label.text(door.language),
        file_name=run.file_name,
        mode=run.mode,
        action=plan_of(run).action,
        state=run.state,
        done=run.done,
        total=run.total,
        created=run.created,
        updated=run.updated,
        skipped=run.skipped,
        failed=run.failed,
        created_at=run.created_at,
        finished_at=run.undone_at or run.finished_at,
        error=run.error or "",
        undoable=run.state in ("done", "failed") and run.created + run.updated > 0,
    )


def import_view(
    door: Door,
    form: CompiledForm,
    run: ImportRun,
    targets: Sequence[Target],
    notes: Sequence[ImportedRow],
    earlier: Sequence[ImportRun],
) -> ImportView:
    """The page of an import that has not begun."""
    plan = plan_of(run)
    labels = {target.path: _label(door, form, target) for target in targets}
    types = {target.path: target.field_type for target in targets}
    actions = door.access(form).actions
    at_cells = _by_cell(door, plan, notes)
    order = sorted(plan.columns)
    return ImportView(
        progress=progress_view(door, form, run),
        sheet=plan.sheet,
        sheets=plan.sheets,
        header_row=plan.header_rows[0],
        rows=plan.rows,
        columns=tuple(
            ColumnView(
                index=index,
                letter=column_letter(index),
                header=plan.columns[index],
                target=plan.mapping.get(index, ""),
                target_label=labels.get(plan.mapping.get(index, ""), ""),
                why=plan.why.get(index, ""),
                percent=types.get(plan.mapping.get(index, "")) == "percent",
                scale=plan.scale.get(index, 1),
                samples=_samples(plan, place),
            )
            for place, index in enumerate(order)
        ),
        targets=tuple(TargetView(path=one.path, label=labels[one.path], required=one.required) for one in targets),
        modes=tuple(mode for mode in MODES if _may(mode, actions)),
        actions=("save",)
        if form.is_master
        else tuple(one for one in ("save", "submit", "approve") if _may_act(one, actions)),
        key=tuple(labels.get(path, path) for path in natural_key(form, plan.paths)),
        preview=tuple(
            PreviewRow(number=number, cells=texts, problems=at_cells.get(number, {})) for number, texts in plan.preview
        ),
        summary=_summary(door, plan) if plan.summary else None,
        earlier=earlier[-1].finished_at if earlier else None,
        problems=tuple(door.say(one) for one in mapping_problems(form, plan, targets)),
        large=plan.rows > LARGE_ROWS,
    )


def error_cells(door: Door, plan: ImportPlan, note: ImportedRow) -> Iterator[RowProblemView]:
    """The problems of one record, each at its cell."""
    for row, column, one in problems_of_note(note):
        sentence, hint = door.house.catalogue.text(one, door.language)
        yield RowProblemView(
            row=row,
            letter=column_letter(column) if column >= 0 else "",
            header=plan.columns.get(column, ""),
            text=sentence,
            hint=hint or "",
            severity=str(one.severity),
        )


def _by_cell(door: Door, plan: ImportPlan, notes: Sequence[ImportedRow]) -> Mapping[int, dict[int, str]]:
    """Row → position of the column → sentence, for the rows of the preview."""
    shown = {number for number, _ in plan.preview}
    place = {index: position for position, index in enumerate(sorted(plan.columns))}
    found: dict[int, dict[int, str]] = {}
    for note in notes:
        for row, column, one in problems_of_note(note):
            if row in shown:
                found.setdefault(row, {}).setdefault(place.get(column, -1), door.say(one))
    return found


def _samples(plan: ImportPlan, place: int) -> tuple[str, ...]:
    texts = (cells[place] for _, cells in plan.preview if place < len(cells))
    return tuple(dict.fromkeys(text for text in texts if text.strip()))[:SAMPLES]


def _summary(door: Door, plan: ImportPlan) -> SummaryView:
    kept: Mapping[str, Any] = plan.summary
    say = door.house.catalogue.ui
    return SummaryView(
        created=kept["created"],
        updated=kept["updated"],
        skipped=kept["skipped"],
        refused=kept["refused"],
        rows=kept["rows"],
        errors=kept["errors"],
        warnings=kept["warnings"],
        dropped=tuple(
            (row, say(f"sheet.dropped.{reason}", door.language), text) for row, reason, text in kept["dropped"]
        ),
        dropped_count=kept["dropped_count"],
        repeats=tuple((row, first) for row, first in kept["repeats"]),
        totals=tuple(door.say(one) for one in problems_from_json(kept["totals"])),
        sums=dict(kept["sums"]),
        cut=tuple(door.say(one) for one in problems_from_json(kept["cut"])),
        has_total=kept["has_total"],
    )


def _label(door: Door, form: CompiledForm, target: Target) -> str:
    label = target.label.text(door.language)
    return f"{form.tables[target.table].label.text(door.language)} · {label}" if target.table else label


def _may(mode: str, actions: frozenset[str]) -> bool:
    wanted = {"create": {"create"}, "update": {"update"}, "upsert": {"create", "update"}}[mode]
    return wanted <= actions


def _may_act(action: str, actions: frozenset[str]) -> bool:
    wanted = {"save": {"create"}, "submit": {"submit"}, "approve": {"submit", "approve"}}[action]
    return wanted <= actions
