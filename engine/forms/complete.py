"""Defaults, fills and formulas: what follows from what was given. Pure; linked rows have been loaded before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.document import Document, Line, Value
from engine.environment import Linked, Scene, Surroundings, compiled_target, nested, scene
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
    if draft.old is None:
        _defaults(form.fields, values, "", draft.given, names.header, around, problems)
    _fills(form.fields, values, draft.old.values if draft.old else None, "", draft.given, linked, around)
    header = replace(document, values=values)
    if not any(document.lines.values()):
        return replace(draft, document=header, problems=tuple(problems))
    for key, value in values.items():
        if value is not document.values.get(key) and (field := form.fields.get(key)) is not None:
            names.header[key] = nested(form, (key,), compiled_target(field.options), value, linked, around)
    old_lines = {
        line.id: line.values for rows in (draft.old.lines.values() if draft.old else ()) for line in rows if line.id
    }
    lines: dict[str, tuple[Line, ...]] = {}
    for table, rows in document.lines.items():
        made = []
        for index, line in enumerate(rows):
            row, where = dict(line.values), f"{table}.{line.number}."
            before = old_lines.get(line.id) if line.id else None
            _fills(form.tables[table].fields, row, before, where, draft.given, linked, around)
            if before is None:
                _defaults(
                    form.tables[table].fields, row, where, draft.given, names.line(table, index), around, problems
                )
            made.append(replace(line, values=row))
        lines[table] = tuple(made)
    return replace(draft, document=replace(header, lines=MappingProxyType(lines)), problems=tuple(problems))


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
            value = _evaluated(field, field.formula, names.header, field.key, around, problems)
            values[field.key] = value
            shown = nested(form, (field.key,), compiled_target(field.options), value, linked, around)
            names.header[field.key] = shown
            for table, rows in scopes.items():
                if field.key not in form.tables[table].fields:
                    for scope in rows:
                        scope[field.key] = shown
            continue
        for index, row in enumerate(lines.get(field.table, ())):
            where = f"{field.table}.{index + 1}.{field.key}"
            scope = scopes[field.table][index]
            value = _evaluated(field, field.formula, scope, where, around, problems)
            row[field.key] = value
            shown = nested(form, (field.table, field.key), compiled_target(field.options), value, linked, around)
            names.lines[field.table][index][field.key] = scope[field.key] = shown
    finished = replace(
        document,
        values=values,
        lines=MappingProxyType(
            {
                table: tuple(replace(line, values=row) for line, row in zip(rows, lines[table], strict=True))
                for table, rows in document.lines.items()
            }
        ),
    )
    return finished, tuple(problems), names


def _defaults(
    fields: Mapping[str, CompiledField],
    values: dict[str, Value],
    where: str,
    given: frozenset[str],
    names: Mapping[str, object],
    around: Surroundings,
    problems: list[Problem],
) -> None:
    for key, field in fields.items():
        if field.default is not None and values.get(key) is None and f"{where}{key}" not in given:
            values[key] = _evaluated(field, field.default, names, f"{where}{key}", around, problems)


def _fills(
    fields: Mapping[str, CompiledField],
    values: dict[str, Value],
    before: Mapping[str, Value] | None,
    where: str,
    given: frozenset[str],
    linked: Linked,
    around: Surroundings,
) -> None:
    for key, field in fields.items():
        if not field.fills:
            continue
        link, form = values.get(key), compiled_target(field.options)
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
        priced_by_unit(field, fields, values, before, row, copied, typed)


def _reached(row: Row | None, form: str, path: Sequence[str], linked: Linked, around: Surroundings) -> Value:
    """The value at the end of ``path`` from a record of ``form``; None where the path breaks off."""
    for name in path[:-1]:
        field = around.bundle.forms[form].fields.get(name) if form in around.bundle.forms else None
        value = row.values.get(name) if row is not None else None
        if field is None or not isinstance(value, int):
            return None
        form = compiled_target(field.options)
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
    if isinstance(value, Row):
        return value.id
    if isinstance(value, Decimal):
        places = getattr(field.options, "decimals", None)
        scale = field.type.column(field.options).scale
        return rounded(value, min(scale, places) if isinstance(places, int) else scale)
    if isinstance(value, datetime) and field.type_name == "date":
        return value.date()
    return value  # type: ignore[return-value]
