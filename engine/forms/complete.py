"""Defaults, fills and formulas: what follows from what was given. Pure; linked rows have been loaded before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from engine.definitions.compiled import CompiledField, CompiledForm, CompiledRow
from engine.document import Document, Line, Value
from engine.environment import Linked, Scene, Surroundings, scene, shown
from engine.expressions import Checked, EvaluationFailed, evaluate
from engine.expressions.number_functions import is_empty
from engine.expressions.types import Row
from engine.forms.draft import Draft
from engine.forms.unit_prices import priced_by_unit
from engine.problems import Problem
from engine.values import rounded


def prefilled(draft: Draft, form: CompiledForm, linked: Linked, around: Surroundings) -> Draft:
    """Apply defaults of the header, then fills of links, then defaults of lines, where the caller gave nothing.

    A fill also follows a link that was changed on a stored document. Problems of a default's expression are collected.
    """
    problems = list(draft.problems)
    document = draft.document
    values = dict(document.values)
    names = scene(form, document, linked, around)
    top = form.rows[""]
    if draft.old is None:
        for field, default in top.defaulted:
            if values.get(field.key) is None and field.key not in draft.given:
                values[field.key] = _evaluated(field, default, names.header, field.key, around, problems)
    _fills(top, values, draft.old.values if draft.old else None, "", draft.given, linked, around)
    if not any(document.lines.values()):
        return replace(draft, document=document.with_content(values, document.lines), problems=tuple(problems))
    for key, value in values.items():
        if value is not document.values.get(key) and (changed := form.fields.get(key)) is not None:
            names.put(key, shown(form, changed, value, linked))
    old_lines = {
        line.id: line.values for rows in (draft.old.lines.values() if draft.old else ()) for line in rows if line.id
    }
    lines: dict[str, tuple[Line, ...]] = {}
    for table, rows in document.lines.items():
        made, compiled = [], form.rows[table]
        scopes = names.all_lines()[table] if compiled.defaulted else ()
        for index, line in enumerate(rows):
            row, where = dict(line.values), f"{table}.{line.number}."
            before = old_lines.get(line.id) if line.id else None
            _fills(compiled, row, before, where, draft.given, linked, around)
            for field, default in compiled.defaulted if before is None else ():
                place = f"{where}{field.key}"
                if row.get(field.key) is None and place not in draft.given:
                    row[field.key] = _evaluated(field, default, scopes[index], place, around, problems)
            made.append(line.with_values(row))
        lines[table] = tuple(made)
    filled = document.with_content(values, MappingProxyType(lines))
    return replace(draft, document=filled, problems=tuple(problems))


def computed(
    document: Document, form: CompiledForm, linked: Linked, around: Surroundings
) -> tuple[Document, tuple[Problem, ...], Scene]:
    """Evaluate every formula in dependency order.

    Returns:
        The document with computed values, problems of formulas (address and field), and the scene that matches it.
    """
    names = scene(form, document, linked, around)
    scopes = names.all_lines()
    values = dict(document.values)
    lines = {table: [dict(line.values) for line in rows] for table, rows in document.lines.items()}
    problems: list[Problem] = []
    for path in form.computed:
        field = form.field(path)
        if field is None or field.formula is None:
            continue
        if not field.table:
            value = _evaluated(field, field.formula, names.header, path, around, problems)
            values[path] = value
            names.put(path, shown(form, field, value, linked))
            continue
        key, table = field.key, field.table
        told = zip(lines.get(table, ()), names.lines[table], scopes[table], strict=True)
        for number, (row, line_names, scope) in enumerate(told, start=1):
            row[key] = value = _evaluated(field, field.formula, scope, f"{table}.{number}.{key}", around, problems)
            line_names[key] = scope[key] = shown(form, field, value, linked) if field.linked else value
    made = {
        table: tuple(line.with_values(row) for line, row in zip(rows, lines[table], strict=True))
        for table, rows in document.lines.items()
    }
    return document.with_content(values, MappingProxyType(made)), tuple(problems), names


def _fills(
    compiled: CompiledRow,
    values: dict[str, Value],
    before: Mapping[str, Value] | None,
    where: str,
    given: frozenset[str],
    linked: Linked,
    around: Surroundings,
) -> None:
    for field, prices in compiled.filling:
        key, form = field.key, field.linked
        link = values.get(key)
        changed = before is None or before.get(key) != link
        row = linked.get((form, link)) if isinstance(link, int) else None
        if row is None:
            continue
        typed = {target for target in field.fills if f"{where}{target}" in given}
        copied: set[str] = set()
        for target, sources in field.fills.items() if changed else ():
            if target in typed or (before is None and values.get(target) is not None):
                continue
            found = (_reached(row, form, source.split("."), linked, around) for source in sources)
            values[target] = next((value for value in found if not is_empty(value)), None)
            copied.add(target)
        if prices:
            priced_by_unit(field, prices, compiled.fields, values, before, row, copied, typed)


def _reached(row: Row | None, form: str, path: Sequence[str], linked: Linked, around: Surroundings) -> Value:
    """The value at the end of ``path`` from a record of ``form``; None where the path breaks off."""
    for name in path[:-1]:
        field = around.bundle.forms[form].fields.get(name) if form in around.bundle.forms else None
        value = row.values.get(name) if row is not None else None
        if field is None or not isinstance(value, int):
            return None
        form = field.linked
        row = linked.get((form, value))
    value = row.values.get(path[-1]) if row is not None else None
    return value.id if isinstance(value, Row) else value  # type: ignore[return-value]


def _evaluated(
    field: CompiledField,
    checked: Checked,
    names: Mapping[str, object],
    where: str,
    around: Surroundings,
    problems: list[Problem],
) -> Value:
    try:
        value = evaluate(checked, names, around.clock)
    except EvaluationFailed as failed:
        problems.append(replace(failed.problem, where=where, params={"field": field.label, **failed.problem.params}))
        return None
    return stored_value(field, value)


def stored_value(field: CompiledField, value: object) -> Value:
    """The result of an expression as a value of ``field``: rows become ids, decimals take the field's scale."""
    if isinstance(value, Decimal):
        return rounded(value, field.places)
    if isinstance(value, Row):
        return value.id
    if isinstance(value, datetime) and field.type_name == "date":
        return value.date()
    return value  # type: ignore[return-value]
