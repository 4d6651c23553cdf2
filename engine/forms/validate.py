"""Is a completed document acceptable? Required, limits, disabled links, the author's checks; all problems at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.document import DocStatus, Document, Value
from engine.environment import Linked, Scene, Surroundings, compiled_target
from engine.expressions import Checked, EvaluationFailed, evaluate
from engine.problems import Problem, Severity, problem
from engine.values import fits


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanDocument:
    """First stage of a document's life: complete, computed and valid.

    Attributes:
        document: as it will be. old: as stored, None when new. changed: addresses whose value differs from the stored
            one (``supplier``, ``lines.qty``), computed fields included; typed: those the caller gave.
        warnings: problems that may be confirmed.
    """

    document: Document
    old: Document | None
    changed: frozenset[str]
    typed: frozenset[str]
    warnings: tuple[Problem, ...]
    scene: Scene
    linked: Linked


def problems_of(
    document: Document,
    old: Document | None,
    form: CompiledForm,
    names: Scene,
    linked: Linked,
    around: Surroundings,
    complete: bool,
) -> tuple[Problem, ...]:
    """Every problem with a computed document.

    Args:
        complete: whether required fields must be filled and the author's checks hold; a draft may still be incomplete
            where nothing but a later submit needs it, so saving a draft asks for the header's required links only.
    """
    found: list[Problem] = []
    for key, field in form.fields.items():
        value = document.values.get(key)
        if value is None and field.required is False:
            continue
        before = old.values.get(key) if old else None
        found.extend(_field(field, key, value, before, names.header, linked, around, complete))
    for table_key, table in form.tables.items():
        rows = document.lines.get(table_key, ())
        if complete and len(rows) < table.min_rows:
            found.append(problem("lines.too_few", table_key, table=table.label, least=table.min_rows))
        before_rows = {line.id: line.values for line in (old.lines.get(table_key, ()) if old else ())}
        asks = any(
            isinstance(one, Checked) for field in table.fields.values() for one in (field.required, field.visible)
        )
        for index, line in enumerate(rows):
            scope = names.line(table_key, index) if asks else names.header
            before_row: Mapping[str, Value] = before_rows.get(line.id, {})
            for key, field in table.fields.items():
                value = line.values.get(key)
                if value is None and field.required is False:
                    continue
                where = f"{table_key}.{line.number}.{key}"
                found.extend(_field(field, where, value, before_row.get(key), scope, linked, around, complete))
    if complete:
        found.extend(_checks(form, names, around))
    return tuple(found)


def changed_paths(document: Document, old: Document | None) -> frozenset[str]:
    """Field paths whose values differ between two states; a line added or removed changes all its filled fields."""
    changed: set[str] = set()
    before = old.values if old else {}
    for key in {*document.values, *before}:
        if document.values.get(key) != before.get(key):
            changed.add(key)
    old_lines = old.lines if old else {}
    for table in {*document.lines, *old_lines}:
        known = {line.id: line.values for line in old_lines.get(table, ())}
        kept = {line.id for line in document.lines.get(table, ()) if line.id}
        for line in document.lines.get(table, ()):
            was: Mapping[str, Value] = known.get(line.id, {}) if line.id else {}
            changed.update(f"{table}.{key}" for key in {*line.values, *was} if line.values.get(key) != was.get(key))
            if not line.id:
                changed.add(table)
        if set(known) - kept:
            changed.add(table)
    return frozenset(changed)


def _field(
    field: CompiledField,
    where: str,
    value: Value,
    before: Value,
    names: Mapping[str, object],
    linked: Linked,
    around: Surroundings,
    complete: bool,
) -> Iterator[Problem]:
    if value is None or value == ():
        if (
            complete
            and field.formula is None
            and truth(field.required, names, around)
            and truth(field.visible, names, around)
        ):
            yield problem("field.required", where, field=field.label)
        return
    for one in field.type.check(value, field.options):
        yield replace(one, where=where, params={"field": field.label, **one.params})
    if isinstance(value, Decimal) and not _storable(value, field.type.column(field.options).scale):
        yield problem("field.out_of_range", where, field=field.label, value=value)
    target = compiled_target(field.options)
    if target and value != before and isinstance(value, int):
        row = linked.get((target, value))
        if row is None:
            yield problem("link.missing", where, field=field.label)
        elif row.values.get("doc_status") == DocStatus.DISABLED:
            yield problem("link.disabled", where, field=field.label)


def _storable(value: Decimal, scale: int) -> bool:
    return not scale or fits(value, scale)


def _checks(form: CompiledForm, names: Scene, around: Surroundings) -> Iterator[Problem]:
    for check in form.checks:
        places: list[tuple[str, Mapping[str, object]]]
        if check.table:
            key = check.definition.at.partition(".")[2]
            places = [
                (f"{check.table}.{index + 1}.{key}", names.line(check.table, index))
                for index in range(len(names.lines.get(check.table, ())))
            ]
        else:
            places = [(check.definition.at, names.header)]
        severity = Severity.WARNING if check.definition.level == "warning" else Severity.ERROR
        for where, scope in places:
            try:
                broken = evaluate(check.condition, scope, around.clock) is True
            except EvaluationFailed as failed:
                yield replace(failed.problem, where=where)
                continue
            if broken:
                yield replace(problem("field.check_failed", where, message=check.definition.say), severity=severity)


def truth(condition: bool | Checked, names: Mapping[str, object], around: Surroundings) -> bool:
    """A constant or an expression as yes or no; an expression that fails counts as no."""
    if isinstance(condition, bool):
        return condition
    try:
        return evaluate(condition, names, around.clock) is True
    except EvaluationFailed:
        return False
