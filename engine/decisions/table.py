"""Decision tables ready to decide: inputs are evaluated once, cells are conditions on them, rows give results.

Hit policies follow DMN 1.3, chapter 8.2.10: ``unique``, ``any`` and ``first`` give one result, ``collect`` a list,
``rule_order`` one result after the other, ``sum``, ``min``, ``max`` and ``count`` a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from engine.decisions.values import added, largest, smallest
from engine.expressions import Checked, Clock, EvaluationFailed, evaluate
from engine.problems import problem
from engine.texts import shown

Results = Mapping[str, object]
FIGURES: Mapping[str, Callable[[Sequence[object]], object]] = MappingProxyType(
    {"sum": added, "min": smallest, "max": largest}
)
SINGLE = ("unique", "first", "any")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """Conditions by input (those that admit anything are left out) and results by output."""

    cells: Mapping[str, Checked]
    results: Mapping[str, Checked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A decision table; ``otherwise`` is empty when nothing follows from no row."""

    inputs: Mapping[str, Checked]
    outputs: tuple[str, ...]
    hit: str
    rows: tuple[TableRow, ...]
    otherwise: Mapping[str, Checked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a table decided.

    Attributes:
        inputs: their values. rows: the rows that matched, from 0. results: what follows, in order; several only with
            ``rule_order``, none when no row matched and nothing else was said.
    """

    inputs: Results
    rows: tuple[int, ...]
    results: tuple[Results, ...]


def decide(table: Table, names: Mapping[str, object], clock: Clock) -> Decided:
    """Decide on ``names``.

    Raises:
        EvaluationFailed: a cell or result has no value, rows of a ``unique`` table overlap, or those of an ``any``
            table disagree.
    """
    inputs = {name: evaluate(checked, names, clock) for name, checked in table.inputs.items()}
    seen = {**names, **inputs}
    matched = []
    for number, row in enumerate(table.rows):
        if all(evaluate(cell, seen, clock) is True for cell in row.cells.values()):
            matched.append(number)
            if table.hit == "first":
                break
    results = tuple(_results(table, table.rows[number].results, seen, clock) for number in matched)
    if not matched:
        results = (_results(table, table.otherwise, seen, clock),) if table.otherwise else ()
    elif table.hit not in ("first", "rule_order"):
        results = (_combined(table, matched, results),)
    return Decided(inputs=MappingProxyType(inputs), rows=tuple(matched), results=results)


def _results(table: Table, written: Mapping[str, Checked], names: Mapping[str, object], clock: Clock) -> Results:
    return {name: evaluate(written[name], names, clock) if name in written else None for name in table.outputs}


def _combined(table: Table, matched: Sequence[int], results: Sequence[Results]) -> Results:
    numbers = ", ".join(str(number + 1) for number in matched)
    if table.hit == "unique" and len(matched) > 1:
        raise EvaluationFailed(problem("rule.table_overlap", rows=numbers))
    if table.hit == "any" and any(each != results[0] for each in results):
        raise EvaluationFailed(problem("rule.table_disagrees", rows=numbers))
    if table.hit in SINGLE:
        return results[0]
    return {name: _figure(table.hit, [each[name] for each in results]) for name in table.outputs}


def _figure(hit: str, values: Sequence[object]) -> object:
    present = [each for each in values if each is not None]
    if hit == "collect":
        return tuple(each if isinstance(each, str) else shown(each) for each in present)
    return added([1 for _ in values]) if hit == "count" else FIGURES[hit](present)
