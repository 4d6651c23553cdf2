"""Which records a link may point to: the ``filter`` of a link field, asked of the database for every changed value.

One query per filtered field, or per line where the filter looks at its own row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.document import Document, Value
from engine.environment import Scene
from engine.expressions.types import Row
from engine.problems import Problem, problem
from runtime.stages.steps import Unit
from runtime.storage.row_filters import link_condition, matching


def filter_problems(
    unit: Unit, form: CompiledForm, document: Document, old: Document | None, names: Scene
) -> Iterator[Problem]:
    """A problem per link that points outside its filter; unchanged values of a stored document are left alone."""
    for field in form.filtered:
        places = list(_places(field, document, old, names))
        looks_at_row = field.filter is not None and any(path[0] == "row" for path in field.filter.names)
        groups = [[place] for place in places] if looks_at_row else [places]
        for group in groups:
            yield from _outside(unit, field, group)


def _outside(unit: Unit, field: CompiledField, group: list[tuple[str, int, Mapping[str, object]]]) -> Iterator[Problem]:
    if not group or field.filter is None:
        return
    target = field.linked
    known = {"me": unit.around.me, "app": unit.around.app, "row": Row(id=None, values=group[0][2])}
    condition = link_condition(field.filter, unit.tables, target, known, unit.around.clock)
    allowed = matching(unit.connection, unit.tables, target, [identity for _, identity, _ in group], condition)
    for where, identity, _ in group:
        if identity not in allowed:
            yield problem("link.filtered", where, field=field.label)


def _places(
    field: CompiledField, document: Document, old: Document | None, names: Scene
) -> Iterator[tuple[str, int, Mapping[str, object]]]:
    if not field.table:
        value = document.values.get(field.key)
        if _changed(value, old.values.get(field.key) if old else None):
            yield field.key, int(str(value)), names.header
        return
    before = {line.id: line.values.get(field.key) for line in (old.lines.get(field.table, ()) if old else ())}
    for index, line in enumerate(document.lines.get(field.table, ())):
        value = line.values.get(field.key)
        if _changed(value, before.get(line.id) if line.id else None):
            yield f"{field.table}.{line.number}.{field.key}", int(str(value)), names.lines[field.table][index]


def _changed(value: Value, before: Value) -> bool:
    return value is not None and value != before
