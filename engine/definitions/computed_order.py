"""The order computed fields are worked out in: each after what it reads. A circle has no order and is a problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from engine.definitions.compiled import CompiledField
from engine.definitions.file_kinds import FORMS
from engine.definitions.reading import Place, Reading


def computed_order(form: str, fields: Iterable[CompiledField], reading: Reading) -> tuple[str, ...]:
    """Paths of the fields with a formula, in working order; ties keep the order of the definition."""
    by_path = {field.path: field for field in fields}
    needs = {path: set(_needed(field, by_path)) for path, field in by_path.items() if field.formula is not None}
    graph = {path: [other for other in needs if other in wanted] for path, wanted in needs.items()}
    sorter = TopologicalSorter(graph)
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        circle: list[str] = list(reversed(error.args[1]))
        labels = " → ".join(by_path[path].label.zh for path in circle)
        reading.report("definition.formula_cycle", formula_place(form, by_path[circle[0]]), cycle=labels)
        return ()


def formula_place(form: str, field: CompiledField) -> Place:
    """Where the formula of ``field`` is written."""
    place = Place(FORMS, form, ("fields", field.table, "fields") if field.table else ("fields",))
    return place / field.key / "formula"


def _needed(field: CompiledField, fields: Mapping[str, CompiledField]) -> Iterator[str]:
    """Paths of the fields of this form that the formula of ``field`` reads."""
    if field.formula is None:
        return
    for path in field.formula.names:
        line_path = f"{field.table}.{path[0]}"
        if field.table and line_path in fields:
            yield line_path
        elif path[0] in fields:
            yield path[0]
        elif len(path) > 1 and f"{path[0]}.{path[1]}" in fields:
            yield f"{path[0]}.{path[1]}"
