"""Is a completed document acceptable? Required, limits, disabled links, the author's checks; all problems at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.definitions.compiled import CompiledForm, CompiledRow
from engine.document import NO_VALUES, DocStatus, Document, Value
from engine.environment import Linked, Scene, Surroundings
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
    before: Mapping[str, Value] = old.values if old else NO_VALUES
    found = list(_row(form.rows[""], document.values, before, "", names.header, linked, around, complete))
    for table_key, table in form.tables.items():
        row, lines = form.rows[table_key], document.lines.get(table_key, ())
        if complete and len(lines) < table.min_rows:
            found.append(problem("lines.too_few", table_key, table=table.label, least=table.min_rows))
        before_rows = {line.id: line.values for line in (old.lines.get(table_key, ()) if old else ())}
        scopes = names.all_lines()[table_key] if row.conditional else (names.header,) * len(lines)
        for line, scope in zip(lines, scopes, strict=True):
            before, where = before_rows.get(line.id, NO_VALUES), f"{table_key}.{line.number}."
            found.extend(_row(row, line.values, before, where, scope, linked, around, complete))
    if complete:
        found.extend(_checks(form, names, around))
    return tuple(found)


def changed_paths(document: Document, old: Document | None) -> frozenset[str]:
    """Field paths whose values differ between two states; a line added or removed changes all its filled fields."""
    if old is None:
        return frozenset(_filled(document))
    changed = {key for key in {*document.values, *old.values} if document.values.get(key) != old.values.get(key)}
    for table in {*document.lines, *old.lines}:
        known = {line.id: line.values for line in old.lines.get(table, ())}
        kept = {line.id for line in document.lines.get(table, ()) if line.id}
        for line in document.lines.get(table, ()):
            was: Mapping[str, Value] = known.get(line.id, {}) if line.id else {}
            changed.update(f"{table}.{key}" for key in {*line.values, *was} if line.values.get(key) != was.get(key))
            if not line.id:
                changed.add(table)
        if set(known) - kept:
            changed.add(table)
    return frozenset(changed)


def _filled(document: Document) -> Iterator[str]:
    yield from (key for key, value in document.values.items() if value is not None)
    for table, lines in document.lines.items():
        if lines:
            yield table
        yield from {f"{table}.{key}" for line in lines for key, value in line.values.items() if value is not None}


def _row(
    row: CompiledRow,
    values: Mapping[str, Value],
    before: Mapping[str, Value],
    prefix: str,
    names: Mapping[str, object],
    linked: Linked,
    around: Surroundings,
    complete: bool,
) -> Iterator[Problem]:
    for key, field in row.fields.items():
        value = values.get(key)
        if value is None or (type(value) is tuple and not value):
            if (
                complete
                and field.required is not False
                and field.formula is None
                and truth(field.required, names, around)
                and truth(field.visible, names, around)
            ):
                yield problem("field.required", f"{prefix}{key}", field=field.label)
            continue
        for one in field.type.check(value, field.options):
            yield replace(one, where=f"{prefix}{key}", params={"field": field.label, **one.params})
        if field.scale and isinstance(value, Decimal) and not fits(value, field.scale):
            yield problem("field.out_of_range", f"{prefix}{key}", field=field.label, value=value)
        if field.linked and isinstance(value, int) and value != before.get(key):
            record = linked.get((field.linked, value))
            if record is None:
                yield problem("link.missing", f"{prefix}{key}", field=field.label)
            elif record.values.get("doc_status") == DocStatus.DISABLED:
                yield problem("link.disabled", f"{prefix}{key}", field=field.label)


def _checks(form: CompiledForm, names: Scene, around: Surroundings) -> Iterator[Problem]:
    for check in form.checks:
        scopes = names.all_lines().get(check.table, ()) if check.table else (names.header,)
        for number, scope in enumerate(scopes, start=1):
            try:
                if evaluate(check.condition, scope, around.clock) is not True:
                    continue
                told = problem("field.check_failed", message=check.definition.say)
                if check.definition.level == "warning":
                    told = replace(told, severity=Severity.WARNING)
            except EvaluationFailed as failed:
                told = failed.problem
            at = check.definition.at
            yield replace(told, where=f"{check.table}.{number}.{at.partition('.')[2]}" if check.table else at)


def truth(condition: bool | Checked, names: Mapping[str, object], around: Surroundings) -> bool:
    """A constant or an expression as yes or no; an expression that fails counts as no."""
    if isinstance(condition, bool):
        return condition
    try:
        return evaluate(condition, names, around.clock) is True
    except EvaluationFailed:
        return False
