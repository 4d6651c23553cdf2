"""Which expressions a database can answer exactly: checked tree → a plan of conditions on columns, or problems.

A plan keeps the meaning of ``evaluate`` to the letter, including what happens with empty values; whatever SQL would
answer differently (products of scaled columns, order of texts, aggregates) has no plan. Knows no SQL: ``filters``
writes it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from engine.expressions import Checked, Kind, Path
from engine.expressions.kind_labels import SIGNS
from engine.expressions.source import source
from engine.expressions.tree import Aggregate, CurrentLine
from engine.problems import Problem, problem

TEXT_TESTS = ("contains", "starts_with", "ends_with")
SCALAR = (Kind.TEXT, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME, Kind.LINK, Kind.MEMBER, Kind.DEPARTMENT)
UNORDERED = (Kind.TEXT, Kind.BOOLEAN, Kind.LINK, Kind.MEMBER, Kind.DEPARTMENT)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A part without columns: evaluated once, before the query."""

    node: ast.expr


@dataclass(frozen=True, slots=True)
class Column:
    """A header field or a field of a linked record."""

    path: Path
    kind: Kind


@dataclass(frozen=True, slots=True)
class Sum:
    """Number columns and fixed numbers, each added or subtracted (sign 1 or −1)."""

    columns: tuple[tuple[int, Path], ...]
    fixed: tuple[tuple[int, Fixed], ...]


Operand: TypeAlias = Fixed | Column | Sum


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left sign right``; sign is one of ``== != < <= > >=``."""

    sign: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Every:
    """``and``."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """``or``; none of no parts."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """``not``."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Truth:
    """A yes/no column that is yes."""

    column: Column


@dataclass(frozen=True, slots=True)
class Empty:
    """A column that is not filled in."""

    column: Column


@dataclass(frozen=True, slots=True)
class TextTest:
    """``contains`` and its like on a text column, with a fixed part."""

    function: str
    column: Column
    part: Fixed


Condition: TypeAlias = Fixed | Comparison | Every | Some | Negated | Truth | Empty | TextTest


class NoPlan(Exception):
    """Internal to planning: this part cannot be answered exactly."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def plan(checked: Checked, constants: frozenset[str]) -> Condition | tuple[Problem, ...]:
    """The plan of a boolean expression; names in ``constants`` (such as ``me``) are known before the query."""
    planner = _Planner(checked, constants)
    try:
        return planner.condition(checked.node)
    except NoPlan as refused:
        return (refused.problem,)


class _Planner:
    def __init__(self, checked: Checked, constants: frozenset[str]) -> None:
        self.checked = checked
        self.constants = constants

    def condition(self, node: ast.expr) -> Condition:
        if self.is_fixed(node):
            return Fixed(node)
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = tuple(self.condition(each) for each in values)
                return Every(parts) if isinstance(op, ast.And) else Some(parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Negated(self.condition(operand))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                chosen = self.condition(test)
                return Some(
                    (
                        Every((chosen, self.condition(body))),
                        Every((Negated(chosen), self.condition(orelse))),
                    )
                )
            case ast.Compare():
                return Every(tuple(self.comparisons(node)))
            case ast.Name() | ast.Attribute():
                return Truth(self.column(node, Kind.BOOLEAN))
            case ast.Call(func=ast.Name(id="empty"), args=[argument]):
                return Empty(self.column(argument, Kind.NUMBER, *SCALAR))
            case ast.Call(func=ast.Name(id=name), args=[text, part]) if name in TEXT_TESTS and self.is_fixed(part):
                return TextTest(name, self.column(text, Kind.TEXT), Fixed(part))
            case _:
                raise _refused(node)

    def comparisons(self, node: ast.Compare) -> Iterator[Condition]:
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, (ast.In, ast.NotIn)):
                if not isinstance(right, ast.Tuple):
                    raise _refused(node)
                some = Some(tuple(self.comparison(ast.Eq(), left, each) for each in right.elts))
                yield Negated(some) if isinstance(op, ast.NotIn) else some
            else:
                yield self.comparison(op, left, right)
            left = right

    def comparison(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> Condition:
        if self.is_fixed(left) and self.is_fixed(right):
            return Fixed(ast.copy_location(ast.Compare(left, [op], [right]), left))
        planned = Comparison(SIGNS[type(op)], self.operand(left), self.operand(right))
        ordered = planned.sign not in ("==", "!=")
        for node, operand in ((left, planned.left), (right, planned.right)):
            if ordered and isinstance(operand, Column) and operand.kind in UNORDERED:
                raise _refused(node)
        return planned

    def operand(self, node: ast.expr) -> Operand:
        if self.is_fixed(node):
            return Fixed(node)
        if isinstance(node, (ast.Name, ast.Attribute)):
            column = self.column(node, Kind.NUMBER, *SCALAR)
            return Sum(((1, column.path),), ()) if column.kind is Kind.NUMBER else column
        columns: list[tuple[int, Path]] = []
        fixed: list[tuple[int, Fixed]] = []
        for sign, term in self.terms(node, 1):
            if self.is_fixed(term):
                fixed.append((sign, Fixed(term)))
            else:
                columns.append((sign, self.column(term, Kind.NUMBER).path))
        return Sum(tuple(columns), tuple(fixed))

    def terms(self, node: ast.expr, sign: int) -> Iterator[tuple[int, ast.expr]]:
        """The parts of a sum with their signs."""
        match node:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                yield from self.terms(left, sign)
                yield from self.terms(right, -sign if isinstance(op, ast.Sub) else sign)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
                yield from self.terms(operand, -sign if isinstance(op, ast.USub) else sign)
            case _:
                yield sign, node

    def column(self, node: ast.expr, *kinds: Kind) -> Column:
        path = path_of(node)
        type_ = self.checked.paths.get(path) if path else None
        if path is None or type_ is None or type_.kind not in kinds:
            raise _refused(node)
        return Column(path, type_.kind)

    def is_fixed(self, node: ast.expr) -> bool:
        """Whether ``node`` reads no column."""
        for each in ast.walk(node):
            if isinstance(each, (Aggregate, CurrentLine)):
                return False
            if isinstance(each, ast.Call):
                continue
            if isinstance(each, ast.Name) and each.id not in self.constants and not _is_callee(each, node):
                return False
        return True


def _is_callee(name: ast.Name, root: ast.expr) -> bool:
    return any(isinstance(each, ast.Call) and each.func is name for each in ast.walk(root))


def path_of(node: ast.expr) -> Path | None:
    """``a.b.c`` as a path, or None when ``node`` is something else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


def _refused(node: ast.expr) -> NoPlan:
    column = node.col_offset + 1
    return NoPlan(problem("expression.not_filterable", f"column {column}", column=column, part=source(node)))
