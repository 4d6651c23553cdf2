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
HARMLESS = frozenset({str, bool, int, NoneType, date, datetime, Row})  # a Decimal may still be infinite


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
    elif type(node) is ast.Constant:
        return finished(checked, node.value)
    evaluator = Evaluator(names, clock, functions or checked.functions)
    return finished(checked, NODES[type(node)](evaluator, node))


def finished(checked: Checked, value: object) -> object:
    """The value as it leaves the language."""
    if checked.type.kind is Kind.BOOLEAN:
        return value is True
    if type(value) is Decimal:
        if not value.is_finite():
            raise failed("expression.not_finite")
        return value
    return arithmetic.bounded(value) if type(value) is str else identity(value)


class Evaluator(SimpleEval):  # type: ignore[misc]
    """One evaluation in progress. Not reused, not shared."""

    def __init__(self, names: Mapping[str, object], clock: Clock, functions: Mapping[str, Function]) -> None:
        # simpleeval's own constructor builds its tables anew for every evaluation
        self.nodes = NODES
        self.names = names
        self.clock = clock
        self.functions = functions
        self.operators = OPERATORS
        self.line: Row | None = None
        self.steps = 0

    def run(self, node: ast.expr) -> object:
        """The value of the whole tree. Raises ``EvaluationFailed``."""
        return self.nodes[type(node)](self, node)

    def _eval(self, node: ast.expr) -> Any:
        # what simpleeval itself calls for a part; our own parts look it up in place, which costs half as much
        return self.nodes[type(node)](self, node)

    def _eval_constant(self, node: ast.Constant) -> object:
        return node.value

    def _eval_name(self, node: ast.Name) -> object:
        try:
            value = self.names[node.id]
        except KeyError:
            raise LookupError(f"the caller did not load {node.id!r}") from None
        return value if type(value) in HARMLESS else self._given(value, node)

    def _eval_attribute(self, node: ast.Attribute) -> object:
        inner = node.value
        row: Any = self.nodes[type(inner)](self, inner)
        if row is None:
            return None
        try:
            value = row.values[node.attr]
        except (AttributeError, KeyError):
            raise LookupError(f"the caller did not load {node.attr!r} of {ast.unparse(node)}") from None
        return value if type(value) in HARMLESS else self._given(value, node)

    def _given(self, value: object, node: ast.expr) -> object:
        """A value from outside, which must be data: operators make data of data, so the parts are not asked again."""
        if type(value) is not Decimal:
            self._check_disallowed_items(value)
        elif not value.is_finite():
            raise EvaluationFailed(at("expression.not_finite", node.col_offset))
        return value

    def _eval_binop(self, node: ast.BinOp) -> object:
        left, right, of = node.left, node.right, self.nodes
        try:
            return OPERATORS[type(node.op)](of[type(left)](self, left), of[type(right)](self, right))
        except (ArithmeticError, EvaluationFailed) as error:
            raise _placed(error, node, SIGNS[type(node.op)]) from error

    def _eval_boolop(self, node: ast.BoolOp) -> bool:
        of, stop = self.nodes, type(node.op) is ast.Or
        for each in node.values:
            if (of[type(each)](self, each) is True) is stop:
                return stop
        return not stop

    def _eval_compare(self, node: ast.Compare) -> bool:
        try:
            if len(node.ops) > 1:
                return bool(super()._eval_compare(node))
            left, right, of = node.left, node.comparators[0], self.nodes
            return OPERATORS[type(node.ops[0])](of[type(left)](self, left), of[type(right)](self, right)) is True
        except ArithmeticError as error:
            raise _placed(error, node, SIGNS[type(node.ops[0])]) from error

    def _eval_unaryop(self, node: ast.UnaryOp) -> object:
        operand = node.operand
        return OPERATORS[type(node.op)](self.nodes[type(operand)](self, operand))

    def _eval_ifexp(self, node: ast.IfExp) -> object:
        test, of = node.test, self.nodes
        taken = node.body if of[type(test)](self, test) is True else node.orelse
        return of[type(taken)](self, taken)

    def _eval_tuple(self, node: ast.Tuple) -> tuple[object, ...]:
        return tuple([self.nodes[type(each)](self, each) for each in node.elts])

    def _eval_call(self, node: ast.Call) -> object:
        function, of = self.functions[node.func.id], self.nodes  # type: ignore[attr-defined]
        arguments = []
        for argument in node.args:
            arguments.append(of[type(argument)](self, argument))
        if function.strict:
            for each in arguments:  # by identity: comparing a Decimal with None asks an abstract class
                if each is None:
                    return False if function.result == BOOLEAN else None
        try:
            value = function.call(self.clock, *arguments) if function.clock else function.call(*arguments)
        except Exception as error:  # a plugin's function may raise anything
            raise _placed(error, node, function.name) from error
        if type(value) is not Decimal and type(value) not in HARMLESS:
            self._check_disallowed_items(value)
        return value

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
        return self.nodes[type(node.each)](self, node.each)

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
