"""The operators of the language on values: exact, bounded decimals; nothing in, nothing out.

An empty operand makes the result of arithmetic empty. Comparing with an empty value is ``False`` except by ``==`` and
``!=``. Linked records, members and departments are the same when their ids are. Numbers are refused beyond 60 digits
before the point; division by zero and overflow surface as ``ArithmeticError``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Any

from engine.expressions.tree import EvaluationFailed
from engine.expressions.types import Row
from engine.problems import Param, problem

PRECISION = 40
# A number beyond Emax traps as Overflow, so no formula can grow one without bound; Emin is far below any scale kept.
CONTEXT = Context(prec=PRECISION, rounding=ROUND_HALF_UP, Emin=-200, Emax=60)
ZERO = Decimal(0)
MAX_TEXT = 10_000
MAX_PLACES = 9


def failed(code: str, **params: Param) -> EvaluationFailed:
    """An ``EvaluationFailed`` of this language's area; the evaluator adds the column."""
    return EvaluationFailed(problem(code, "", **params))


def bounded(text: str) -> str:
    """``text`` when it is not too long to be a value; raises ``EvaluationFailed`` otherwise."""
    if len(text) > MAX_TEXT:
        raise failed("expression.text_too_long", limit=MAX_TEXT)
    return text


def add(a: object, b: object) -> object:
    """Sum of two numbers, or two texts one behind the other."""
    if a is None or b is None:
        return None
    if isinstance(a, str) and isinstance(b, str):
        return bounded(a + b)
    return CONTEXT.add(a, b)  # type: ignore[arg-type]


def _numeric(combine: Callable[[Decimal, Decimal], Decimal]) -> Callable[[object, object], object]:
    def combined(a: object, b: object) -> object:
        return None if a is None or b is None else combine(a, b)  # type: ignore[arg-type]

    return combined


def _divisor(value: Decimal) -> Decimal:
    """``value``; raises ``ZeroDivisionError`` for zero, where the decimal module would call 0 / 0 merely invalid."""
    if not value:
        raise ZeroDivisionError
    return value


def modulo(a: Decimal, b: Decimal) -> Decimal:
    """Remainder with the sign of the divisor, as spreadsheets define it."""
    remainder = CONTEXT.remainder(a, _divisor(b))
    return CONTEXT.add(remainder, b) if remainder and (remainder < 0) != (b < 0) else CONTEXT.plus(remainder)


def floor_divide(a: Decimal, b: Decimal) -> Decimal:
    """Whole number of times ``b`` goes into ``a``, rounded down."""
    quotient = CONTEXT.divide_int(a, _divisor(b))
    remainder = CONTEXT.remainder(a, b)
    return CONTEXT.subtract(quotient, 1) if remainder and (remainder < 0) != (b < 0) else CONTEXT.plus(quotient)


subtract = _numeric(CONTEXT.subtract)
multiply = _numeric(CONTEXT.multiply)
divide = _numeric(lambda a, b: CONTEXT.divide(a, _divisor(b)))
floor_division = _numeric(floor_divide)
remainder = _numeric(modulo)


def negate(a: object) -> object:
    return None if a is None else CONTEXT.minus(a)  # type: ignore[arg-type]


def keep(a: object) -> object:
    return None if a is None else CONTEXT.plus(a)  # type: ignore[arg-type]


def negation(a: object) -> bool:
    """``not``: an empty boolean counts as no."""
    return a is not True


def identity(value: object) -> object:
    """What two values are compared by: rows by id, everything else as it is."""
    return value.id if isinstance(value, Row) else value


def equal(a: object, b: object) -> bool:
    """Whether both are the same value, the same record, or both empty."""
    if a is None or b is None:  # comparing a Decimal with None asks an abstract class
        return identity(a) is identity(b)
    return identity(a) == identity(b)


def different(a: object, b: object) -> bool:
    return not equal(a, b)


def _ordering(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    def compared(a: object, b: object) -> bool:
        return a is not None and b is not None and compare(a, b)

    return compared


less = _ordering(operator.lt)
less_or_equal = _ordering(operator.le)
greater = _ordering(operator.gt)
greater_or_equal = _ordering(operator.ge)


def contained(a: object, b: object) -> bool:
    """Whether ``a`` is one of ``b``, a tuple of values (or the texts of a multi-choice field, or nothing)."""
    return b is not None and identity(a) in [identity(each) for each in b]  # type: ignore[attr-defined]


def not_contained(a: object, b: object) -> bool:
    return not contained(a, b)


def whole(value: Decimal, function: str) -> int:
    """``value`` as ``int``; raises ``EvaluationFailed`` when it has decimals or is absurdly large."""
    if not value.is_finite() or value != value.to_integral_value() or abs(value) > MAX_TEXT * 100:
        raise failed("expression.whole_number", function=function, value=value)
    return int(value)


def settled(value: Decimal) -> Decimal:
    """Without the sign a rounding may leave on zero."""
    return value if value else abs(value)


def rounded_to(value: Decimal, places: Decimal, how: str = ROUND_HALF_UP) -> Decimal:
    """``value`` rounded to ``places`` decimals (−9 to 9)."""
    count = whole(places, "round")
    if abs(count) > MAX_PLACES:
        raise failed("expression.places", value=places, limit=MAX_PLACES)
    quantum = QUANTA[count + MAX_PLACES]
    if count < 0:
        steps = CONTEXT.divide(value, quantum).to_integral_value(how)
        return settled(CONTEXT.quantize(CONTEXT.multiply(steps, quantum), Decimal(1)))
    return settled(value.quantize(quantum, how, CONTEXT))


QUANTA = tuple(Decimal(1).scaleb(-places) for places in range(-MAX_PLACES, MAX_PLACES + 1))


def floor(value: Decimal) -> Decimal:
    return settled(value.to_integral_value(ROUND_FLOOR))


def ceiling(value: Decimal) -> Decimal:
    return settled(value.to_integral_value(ROUND_CEILING))


def truncated(value: Decimal) -> Decimal:
    return settled(value.to_integral_value(ROUND_DOWN))
