"""How a value came about, node by node (点开看怎么算的): the ordinary evaluation, written down while it runs.

Only the first lines of an aggregate are written down in full; a trace is for reading. It never changes a result.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from engine.expressions.evaluate import NODES, Evaluator, finished
from engine.expressions.function import Function
from engine.expressions.source import source
from engine.expressions.tree import Aggregate, Checked, Clock, Step, Traced
from engine.expressions.types import Row

MAX_TRACED_LINES = 50


def evaluate_traced(
    checked: Checked, names: Mapping[str, object], clock: Clock, functions: Mapping[str, Function] | None = None
) -> Traced:
    """Like ``evaluate``, with the steps that led to the value. Raises the same errors."""
    evaluator = _Tracing(names, clock, functions or checked.functions)
    value = evaluator.run(checked.node)
    return Traced(finished(checked, value), tuple(evaluator.taken))


class _Tracing(Evaluator):
    """Collects a ``Step`` per node on the way back up; literals and the parts of a path are not steps of their own."""

    def __init__(self, names: Mapping[str, object], clock: Clock, functions: Mapping[str, Function]) -> None:
        super().__init__(names, clock, functions)
        self.nodes = TRACED
        self.taken: list[Step] = []

    def _eval_each(self, node: Aggregate, line: Row) -> object:
        outer, self.taken = self.taken, []
        value = super()._eval_each(node, line)
        inner, self.taken = self.taken, outer
        number = sum(step.source.startswith("#") for step in outer) + 1
        if number <= MAX_TRACED_LINES:
            self.taken.append(Step(f"#{number}", shown(value), tuple(inner)))
        return value


def _noted(evaluated: Callable[[Evaluator, Any], object]) -> Callable[[_Tracing, Any], object]:
    def noted(self: _Tracing, node: ast.expr) -> object:
        outer, self.taken = self.taken, []
        value = evaluated(self, node)
        inner, self.taken = self.taken, outer
        if isinstance(node, (ast.Name, ast.Attribute)):
            inner = []
        self.taken.append(Step(source(node), shown(value), tuple(inner)))
        return value

    return noted


TRACED: Mapping[type[ast.AST], Callable[[Any, Any], object]] = MappingProxyType(
    {kind: evaluated if kind is ast.Constant else _noted(evaluated) for kind, evaluated in NODES.items()}
)


def shown(value: object) -> object:
    """A row by its id, a line table by its number of lines; everything else as it is."""
    if isinstance(value, Row):
        return value.id
    if isinstance(value, tuple) and any(isinstance(each, Row) for each in value):
        return len(value)
    return value
