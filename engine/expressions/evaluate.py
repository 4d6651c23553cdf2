"""Checked tree × values → value, by simpleeval restricted to what the grammar admits.

simpleeval walks the tree and knows nothing but our operators, our functions and the rows it is handed: no attribute of
an object is ever read, no method called. Every evaluation has its own evaluator, so threads share only the immutable
tree. The cost is bounded by the size of the tree times the number of lines; the result is finite and of limited size.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from types import MappingProxyType, NoneType
from typing import Any

from simpleeval import SimpleEval

from engine.expressions import arithmetic
from engine.expressions.arithmetic import failed, identity
from engine.expressions.function import Function
from engine.expressions.kind_labels import SIGNS
from engine.expressions.scan import at
from engine.expressions.tree import Aggregate, Checked, Clock, CurrentLine, EvaluationFailed
from engine.expressions.types import BOOLEAN, Kind, Row

MAX_STEPS = 500_000
OPERATORS: Mapping[type[ast.AST], Callable[..., object]] = MappingProxyType(
    {
        ast.Add: arithmetic.add, ast.Sub: arithmetic.subtract, ast.Mult: arithmetic.multiply,
        ast.Div: arithmetic.divide, ast.FloorDiv: arithmetic.floor_division, ast.Mod: arithmetic.remainder,
        ast.USub: arithmetic.negate, ast.UAdd: arithmetic.keep, ast.Not: arithmetic.negation,
        ast.Eq: arithmetic.equal, ast.NotEq: arithmetic.different,
        ast.Lt: arithmetic.less, ast.LtE: arithmetic.less_or_equal,
        ast.Gt: arithmetic.greater, ast.GtE: arithmetic.greater_or_equal,
        ast.In: arithmetic.contained, ast.NotIn: arithmetic.not_contained,
    }
)  # fmt: skip
PLAIN = frozenset({Decimal, str, bool, date, Row})
HARMLESS = frozenset({Decimal, str, bool, int, NoneType, date, datetime, Row})


def evaluate(
    checked: Checked, names: Mapping[str, object], clock: Clock, functions: Mapping[str, Function] | None = None
) -> object:
    """The value of ``checked``; a linked record is given as its id, an empty condition as ``False``.

    Args:
        names: value by top-level name: ``Decimal``, ``str``, ``bool``, ``date``, ``datetime``, ``None``, a tuple of
            texts (multi-choice), an id or a ``Row`` (link, member, department), a tuple of ``Row`` (line table).
        clock: what ``today()`` and ``now()`` answer.
        functions: instead of those it was checked with.

    Raises:
        EvaluationFailed: there is no value (division by zero, out of range, no such date, missing conversion …).
        LookupError: a name or field was not loaded; a defect of the caller.
    """
    node = checked.node
    if type(node) is ast.Name:
        value = names.get(node.id)
        if type(value) in PLAIN:  # a field by its name, which most expressions of postings are
            return finished(checked, value)
    return finished(checked, Evaluator(names, clock, functions or checked.functions).run(node))


def finished(checked: Checked, value: object) -> object:
    """The value as it leaves the language."""
    if checked.type.kind is Kind.BOOLEAN:
        return value is True
    if type(value) is Decimal and not value.is_finite():
        raise failed("expression.not_finite")
    if type(value) is str:
        return arithmetic.bounded(value)
    return identity(value)


class Evaluator(SimpleEval):  # type: ignore[misc]
    """One evaluation in progress. Not reused, not shared."""

    def __init__(self, names: Mapping[str, object], clock: Clock, functions: Mapping[str, Function]) -> None:
        # simpleeval's own constructor builds tables anew for every evaluation; NODES takes their place
        self.names = names
        self.clock = clock
        self.functions = functions
        self.operators = OPERATORS
        self.line: Row | None = None
        self.steps = 0

    def run(self, node: ast.expr) -> object:
        """The value of the whole tree. Raises ``EvaluationFailed``."""
        return self._eval(node)

    def _eval(self, node: ast.expr) -> Any:
        # simpleeval's own, with a table that all evaluations share; a node the grammar lets through is in it
        value = NODES[type(node)](self, node)
        if type(value) not in HARMLESS:
            self._check_disallowed_items(value)
        return value

    def _check_disallowed_items(self, item: object) -> None:
        if type(item) not in HARMLESS:
            super()._check_disallowed_items(item)

    def _eval_constant(self, node: ast.Constant) -> object:
        return node.value

    def _eval_name(self, node: ast.Name) -> object:
        try:
            value = self.names[node.id]
        except KeyError:
            raise LookupError(f"the caller did not load {node.id!r}") from None
        return _finite(value, node) if type(value) is Decimal else value

    def _eval_attribute(self, node: ast.Attribute) -> object:
        row = self._eval(node.value)
        if row is None:
            return None
        try:
            value = row.values[node.attr]
        except (AttributeError, KeyError):
            raise LookupError(f"the caller did not load {node.attr!r} of {ast.unparse(node)}") from None
        return _finite(value, node) if type(value) is Decimal else value

    def _eval_binop(self, node: ast.BinOp) -> object:
        try:
            return self.operators[type(node.op)](self._eval(node.left), self._eval(node.right))
        except (ArithmeticError, EvaluationFailed) as error:
            raise _placed(error, node, SIGNS[type(node.op)]) from error

    def _eval_boolop(self, node: ast.BoolOp) -> bool:
        stop = type(node.op) is ast.Or
        for each in node.values:
            if (self._eval(each) is True) is stop:
                return stop
        return not stop

    def _eval_compare(self, node: ast.Compare) -> bool:
        try:
            if len(node.ops) > 1:
                return bool(super()._eval_compare(node))
            compared = self.operators[type(node.ops[0])]
            return compared(self._eval(node.left), self._eval(node.comparators[0])) is True
        except ArithmeticError as error:
            raise _placed(error, node, SIGNS[type(node.ops[0])]) from error

    def _eval_unaryop(self, node: ast.UnaryOp) -> object:
        return self.operators[type(node.op)](self._eval(node.operand))

    def _eval_ifexp(self, node: ast.IfExp) -> object:
        return self._eval(node.body if self._eval(node.test) is True else node.orelse)

    def _eval_tuple(self, node: ast.Tuple) -> tuple[object, ...]:
        return tuple(self._eval(each) for each in node.elts)

    def _eval_call(self, node: ast.Call) -> object:
        function = self.functions[node.func.id]  # type: ignore[attr-defined]
        arguments: list[Any] = [self._eval(argument) for argument in node.args]
        if function.strict and None in arguments:
            return False if function.result == BOOLEAN else None
        try:
            return function.call(self.clock, *arguments) if function.clock else function.call(*arguments)
        except Exception as error:  # a plugin's function may raise anything
            raise _placed(error, node, function.name) from error

    def _eval_aggregate(self, node: Aggregate) -> object:
        lines: Sequence[Row] = self._eval(node.table) or ()
        self.steps += len(lines) * node.size
        if self.steps > MAX_STEPS:
            raise EvaluationFailed(at("expression.too_many_steps", node.col_offset, limit=MAX_STEPS, lines=len(lines)))
        aggregate = self.functions[node.function].aggregate
        assert aggregate is not None
        try:
            return aggregate([self._eval_each(node, line) for line in lines])
        except (ArithmeticError, EvaluationFailed) as error:
            raise _placed(error, node, node.function) from error
        finally:
            self.line = None

    def _eval_each(self, node: Aggregate, line: Row) -> object:
        self.line = line
        return self._eval(node.each)

    def _eval_line(self, node: CurrentLine) -> Row | None:
        return self.line


NODES: Mapping[type[ast.AST], Callable[[Evaluator, Any], object]] = MappingProxyType(
    {
        ast.Constant: Evaluator._eval_constant,
        ast.Name: Evaluator._eval_name,
        ast.Attribute: Evaluator._eval_attribute,
        ast.BinOp: Evaluator._eval_binop,
        ast.UnaryOp: Evaluator._eval_unaryop,
        ast.BoolOp: Evaluator._eval_boolop,
        ast.Compare: Evaluator._eval_compare,
        ast.IfExp: Evaluator._eval_ifexp,
        ast.Call: Evaluator._eval_call,
        ast.Tuple: Evaluator._eval_tuple,
        Aggregate: Evaluator._eval_aggregate,
        CurrentLine: Evaluator._eval_line,
    }
)


def _finite(value: Decimal, node: ast.expr) -> Decimal:
    if not value.is_finite():
        raise EvaluationFailed(at("expression.not_finite", node.col_offset))
    return value


def _placed(error: Exception, node: ast.expr, operation: str) -> EvaluationFailed:
    """``error`` as a failure of the language with the column it happened at."""
    if isinstance(error, EvaluationFailed):
        if error.problem.where:
            return error
        column = node.col_offset + 1
        params = MappingProxyType({**error.problem.params, "column": column})
        return EvaluationFailed(replace(error.problem, where=f"column {column}", params=params))
    if isinstance(error, (DivisionByZero, ZeroDivisionError)):
        return EvaluationFailed(at("expression.division_by_zero", node.col_offset))
    if isinstance(error, (Overflow, InvalidOperation, OverflowError)):
        return EvaluationFailed(at("expression.out_of_range", node.col_offset, operation=operation))
    return EvaluationFailed(at("expression.failed", node.col_offset, operation=operation))
