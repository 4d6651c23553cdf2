"""What an expression is at each moment of its life: parsed ``Tree``, ``Checked`` against a scope, ``Traced`` result.

Data only. A tree's nodes are Python ``ast`` nodes whose ``col_offset`` is the character column in the text as typed
(from 0); they are built once and never changed, so a ``Checked`` may be kept for as long as its published version
lives and be evaluated by many threads at once. Nothing here parses, checks or evaluates.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from engine.expressions.function import Function
from engine.expressions.types import ValueType
from engine.problems import Problem

Path: TypeAlias = tuple[str, ...]


class Aggregate(ast.expr):
    """``sum(lines.qty * lines.price)`` after checking: the function, the path of the line table, what is done per line.

    Attributes:
        function: name of the aggregate. table: path node of the line table. each: expression per line.
        size: number of nodes of ``each``, which times the number of lines is the cost.
    """

    _fields = ("function", "table", "each", "size")
    function: str
    table: ast.expr
    each: ast.expr
    size: int

    def __init__(self, *, function: str, table: ast.expr, each: ast.expr, size: int) -> None:
        super().__init__()
        self.function, self.table, self.each, self.size = function, table, each, size


class CurrentLine(ast.expr):
    """The line an aggregate is looking at; stands where ``table`` stood in the text."""

    _fields = ("table",)
    table: ast.expr

    def __init__(self, *, table: ast.expr) -> None:
        super().__init__()
        self.table = table


@dataclass(frozen=True, slots=True)
class Tree:
    """A text that kept the grammar. ``text`` is what was typed; names are not resolved yet."""

    text: str
    node: ast.expr


@dataclass(frozen=True, slots=True)
class Checked:
    """An expression that fits its scope and may be evaluated.

    Attributes:
        node: tree with labels resolved to keys.
        type: type of the result.
        text: canonical source by keys; this is what definitions store.
        paths: every name and path it reads, with its type. ``("lines", "qty")`` is a column of a line table.
        functions: the functions it was checked with, and therefore is evaluated with.
    """

    node: ast.expr
    type: ValueType
    text: str
    paths: Mapping[Path, ValueType]
    functions: Mapping[str, Function]

    @property
    def names(self) -> frozenset[Path]:
        """Exact dependencies, as paths from a top-level name."""
        return frozenset(self.paths)


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment an evaluation takes place, handed in by whoever runs it. ``now`` is naive, in the workspace's zone."""

    today: date
    now: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a trace: its source, its value, and the steps that led to it."""

    source: str
    value: object
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Traced:
    """A value and how it came about."""

    value: object
    steps: tuple[Step, ...]


class EvaluationFailed(Exception):
    """An evaluation that has no value: division by zero, a number out of range, a missing unit conversion."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)
