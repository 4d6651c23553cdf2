"""Row filters in SQL: a checked boolean expression → a ``WHERE`` that admits exactly the rows it holds for.

The meaning is that of ``evaluate``, empty values included: a comparison with an empty value is false except by ``==``
and ``!=``, which treat empty as a value. A property test holds the two against each other on SQLite and PostgreSQL.
Sums are exact as long as they stay inside 64 bits. Which table a path leads to is the resolver's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from engine.expressions import Checked, Clock, Kind, Path, evaluate
from engine.expressions.arithmetic import CONTEXT
from engine.expressions.types import NOTHING
from engine.problems import Problem, Refused
from engine.values import INT64_MAX
from runtime.storage.column_types import Scaled
from runtime.storage.filter_plan import (
    Column,
    Comparison,
    Condition,
    Empty,
    Every,
    Fixed,
    Negated,
    Operand,
    Some,
    Sum,
    TextTest,
    Truth,
    plan,
)

Clause: TypeAlias = ColumnElement[bool]
CONSTANTS = frozenset({"me", "app"})


class ColumnResolver(Protocol):
    """Where the values of paths are found."""

    def column(self, path: Path) -> ColumnElement[Any]:
        """The column of a header field, or a scalar sub-query for a path through links. Numbers are typed ``Scaled`` or
        ``Integer``; links, members and departments are ids."""
        ...


def compilable(checked: Checked, constants: frozenset[str] = CONSTANTS) -> tuple[Problem, ...]:
    """Why ``checked`` cannot be a row filter; empty when it can.

    Args:
        constants: top-level names whose values are known before the query.
    """
    planned = plan(checked, constants)
    return planned if isinstance(planned, tuple) else ()


def compile_where(
    checked: Checked,
    columns: ColumnResolver,
    actor_values: Mapping[str, object],
    clock: Clock,
) -> Clause:
    """The ``WHERE`` of ``checked``.

    Args:
        actor_values: the names known before the query and their values, such as ``me``, as ``evaluate`` takes them.

    Raises:
        Refused: the expression is not ``compilable``.
        EvaluationFailed: a part without columns has no value.
    """
    planned = plan(checked, frozenset(actor_values))
    if isinstance(planned, tuple):
        raise Refused(planned)
    return _Writer(checked, columns, actor_values, clock).write(planned, exact=False)


class _Writer:
    """Writes one plan. ``exact`` asks for a clause that is never NULL, needed below a negation."""

    def __init__(self, checked: Checked, columns: ColumnResolver, values: Mapping[str, object], clock: Clock) -> None:
        self.checked = checked
        self.columns = columns
        self.values = values
        self.clock = clock

    def write(self, condition: Condition, exact: bool) -> Clause:
        match condition:
            case Fixed():
                return sa.true() if self.value(condition) is True else sa.false()
            case Every(parts):
                return sa.and_(sa.true(), *(self.write(part, exact) for part in parts))
            case Some(parts):
                return sa.or_(sa.false(), *(self.write(part, exact) for part in parts))
            case Negated(part):
                return sa.not_(self.write(part, exact=True))
            case Truth(column):
                truth: Clause = self.columns.column(column.path).is_(sa.true())
                return truth
            case Empty(column):
                return self.empty(column)
            case TextTest():
                return _settled(self.text_test(condition), exact)
            case Comparison():
                return _settled(self.comparison(condition), exact)

    def value(self, fixed: Fixed) -> Any:
        """What a part without columns is worth."""
        return evaluate(replace(self.checked, node=fixed.node, type=NOTHING), self.values, self.clock)

    def empty(self, column: Column) -> Clause:
        found = self.columns.column(column.path)
        missing: Clause = found.is_(None)
        return sa.or_(missing, found == "") if column.kind is Kind.TEXT else missing

    def text_test(self, test: TextTest) -> Clause:
        """Case-sensitive on both databases, which ``LIKE`` is not."""
        text = self.columns.column(test.column.path)
        part = self.value(test.part)
        if part is None:
            return sa.false()
        if part == "":
            return text.is_not(None)
        if test.function == "contains":
            return sa.func.length(sa.func.replace(text, part, "")) < sa.func.length(text)
        if test.function == "starts_with":
            begins: Clause = sa.func.substr(text, 1, len(part)) == part
            return begins
        start = sa.func.length(text) - len(part) + 1
        return sa.and_(start >= 1, sa.func.substr(text, start) == part)

    def comparison(self, condition: Comparison) -> Clause:
        if isinstance(condition.left, Sum) or isinstance(condition.right, Sum):
            return self.numbers(condition)
        left, right = self.scalar(condition.left), self.scalar(condition.right)
        match condition.sign:
            case "==" | "!=":
                return _same(left, right) if condition.sign == "==" else sa.not_(_settled(_same(left, right), True))
            case sign:
                return sa.false() if left is None or right is None else _ordered(sign, left, right)

    def scalar(self, operand: Operand) -> Any:
        """A column, or a plain value."""
        return self.columns.column(operand.path) if isinstance(operand, Column) else self.value(operand)  # type: ignore[arg-type]

    def numbers(self, condition: Comparison) -> Clause:
        """Compare sums by bringing all columns to the left and all fixed numbers to the right."""
        left, right = self.side(condition.left), self.side(condition.right)
        if condition.sign in ("==", "!="):
            same = self.equal_sums(left, right)
            return same if condition.sign == "==" else sa.not_(_settled(same, True))
        if left.constant is None or right.constant is None:
            return sa.false()
        return _compared(condition.sign, left, right)

    def equal_sums(self, left: _Side, right: _Side) -> Clause:
        if left.constant is None or right.constant is None:
            return sa.and_(left.is_empty(), right.is_empty())
        same = _compared("==", left, right)
        if left.columns and right.columns:
            return sa.or_(same, sa.and_(left.is_empty(), right.is_empty()))
        return same

    def side(self, operand: Operand) -> _Side:
        match operand:
            case Sum(columns, fixed):
                constant: Decimal | None = Decimal(0)
                for sign, part in fixed:
                    value = self.value(part)
                    if constant is not None:
                        constant = None if value is None else CONTEXT.add(constant, sign * value)
                return _Side([(sign, self.columns.column(path)) for sign, path in columns], constant)
            case Fixed():
                return _Side([], self.value(operand))
            case _:
                raise TypeError("the checker lets no other column stand beside a number")


class _Side:
    """One side of a comparison of numbers: columns with signs, and a constant; a constant of None makes it empty."""

    def __init__(self, columns: Sequence[tuple[int, ColumnElement[Any]]], constant: Decimal | None) -> None:
        self.columns = columns
        self.constant = constant

    def is_empty(self) -> Clause:
        if self.constant is None:
            return sa.true()
        return sa.or_(sa.false(), *(column.is_(None) for _, column in self.columns))


def _compared(sign: str, left: _Side, right: _Side) -> Clause:
    """``left sign right`` on whole numbers of the finest scale; NULL when a column is."""
    assert left.constant is not None and right.constant is not None
    columns = [*left.columns, *((-factor, column) for factor, column in right.columns)]
    scale = max(_scale(column) for _, column in columns)
    total: ColumnElement[Any] | None = None
    for factor, column in columns:
        term: ColumnElement[Any] = sa.type_coerce(column, sa.BigInteger())
        if len(columns) > 1:
            # NUMERIC has no 64-bit limit on PostgreSQL; on SQLite integers stay integers
            term = sa.cast(term, sa.Numeric())
        multiplier = factor * 10 ** (scale - _scale(column))
        if multiplier != 1:
            term = term * _whole(multiplier)
        total = term if total is None else total + term
    assert total is not None
    bound = CONTEXT.subtract(right.constant, left.constant).scaleb(scale, context=CONTEXT)
    if sign == "==":
        if bound != bound.to_integral_value():
            return sa.false()
        equal: Clause = total == _whole(int(bound))
        return equal
    up = sign in ("<", ">=")
    return _ordered(sign, total, _whole(int(bound.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))))


def _scale(column: ColumnElement[Any]) -> int:
    if isinstance(column.type, Scaled):
        return column.type.scale
    if isinstance(column.type, sa.Integer):
        return 0
    raise TypeError(f"a number column is Scaled or Integer, not {column.type!r}")


def _whole(value: int) -> ColumnElement[Any]:
    """A whole number of any size; beyond 64 bits only as a literal, which has nothing but digits."""
    if abs(value) <= INT64_MAX:
        return sa.literal(value, sa.BigInteger())
    return sa.literal_column(str(value), sa.Numeric())


def _same(left: Any, right: Any) -> Clause:
    """``==`` where empty is a value; NULL stands for false."""
    if not isinstance(left, ColumnElement):
        left, right = right, left
    if right is None:
        return left.is_(None)  # type: ignore[no-any-return]
    if isinstance(right, ColumnElement):
        return left.is_not_distinct_from(right)  # type: ignore[no-any-return]
    return left == right  # type: ignore[no-any-return]


def _ordered(sign: str, left: Any, right: Any) -> Clause:
    match sign:
        case "<":
            return left < right  # type: ignore[no-any-return]
        case "<=":
            return left <= right  # type: ignore[no-any-return]
        case ">":
            return left > right  # type: ignore[no-any-return]
        case _:
            return left >= right  # type: ignore[no-any-return]


def _settled(clause: Clause, exact: bool) -> Clause:
    """``clause`` with NULL turned into false where that matters."""
    return sa.func.coalesce(clause, sa.false()) if exact else clause
