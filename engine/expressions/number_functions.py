"""The functions on numbers, on conditions and over the lines of a line table. Pure; registered in ``functions``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.expressions.arithmetic import CONTEXT, ZERO, ceiling, failed, floor, identity, modulo, rounded_to, truncated
from engine.expressions.function import Function, Parameter
from engine.expressions.types import BOOLEAN, NUMBER, Kind, Row
from engine.labels import Label

UNITS = "$units"
NUMERIC = (Kind.NUMBER,)
ORDERED = (Kind.NUMBER, Kind.DATE, Kind.DATETIME)


def _round(value: Decimal, places: Decimal = ZERO) -> Decimal:
    return rounded_to(value, places)


def _filled(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def least(*values: Any) -> Any:
    """Smallest of the non-empty values, or None."""
    return min(_filled(values), default=None)


def greatest(*values: Any) -> Any:
    """Largest of the non-empty values, or None."""
    return max(_filled(values), default=None)


def total(values: Sequence[Any]) -> Decimal:
    """Sum of the non-empty values; 0 for none."""
    result = ZERO
    for value in values:
        if value is not None:
            result = CONTEXT.add(result, value)
    return result


def average(values: Sequence[Any]) -> Decimal | None:
    """Mean of the non-empty values, or None."""
    filled = _filled(values)
    return CONTEXT.divide(total(filled), len(filled)) if filled else None


def counted(values: Sequence[Any]) -> Decimal:
    """How many lines; where each is a condition, for how many it holds; else how many are not empty."""
    return Decimal(sum(value is not None and value is not False for value in values))


def distinct(values: Sequence[Any]) -> bool:
    """Whether no two non-empty values are the same."""
    filled = [identity(value) for value in _filled(values)]
    return len(set(filled)) == len(filled)


def is_empty(value: Any) -> bool:
    # by its type first: a Decimal that is compared with a text asks an abstract class
    return value is None or (type(value) is not Decimal and value in ("", ()))


def first_filled(*values: Any) -> Any:
    """The first value that is not empty, or None."""
    for value in values:
        if not is_empty(value):
            return value
    return None


def chosen(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition is True else no


def aggregate_only(*values: Any) -> Any:
    """Stands in for the plain call of a function that only exists over lines; the checker never lets it be reached."""
    raise failed("expression.lines_missing")


def conversion(product: Any, unit: Any) -> Decimal:
    """Number of base units in one ``unit`` of ``product``, from the mapping its row carries under ``$units``."""
    units: Mapping[object, Decimal] = product.values[UNITS]
    factor = units.get(identity(unit))
    if factor is None:
        name = unit.values.get("name") if isinstance(unit, Row) else None
        raise failed("expression.no_conversion", unit=str(name or identity(unit)))
    return factor


X = Parameter("x", NUMERIC)
LINES = Parameter("lines.x", NUMERIC)
CONDITION = Parameter("lines.condition", (Kind.BOOLEAN,))

NUMBER_FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="abs", parameters=(X,), result=NUMBER, call=CONTEXT.abs,
        help=Label("绝对值", "absolute value"), example="abs(qty)",
    ),
    Function(
        name="round", parameters=(X, Parameter("n", NUMERIC, optional=True)), result=NUMBER, call=_round,
        help=Label("四舍五入到 n 位小数，n 可为 -9 到 9，省略为 0", "half up to n decimals, −9 to 9, default 0"),
        example="round(qty * price, 2)",
    ),
    Function(
        name="floor", parameters=(X,), result=NUMBER, call=floor,
        help=Label("向下取整", "largest whole number not above x"), example="floor(qty / 12)",
    ),
    Function(
        name="ceil", parameters=(X,), result=NUMBER, call=ceiling,
        help=Label("向上取整", "smallest whole number not below x"), example="ceil(qty / 12)",
    ),
    Function(
        name="trunc", parameters=(X,), result=NUMBER, call=truncated,
        help=Label("去掉小数部分", "without its decimals"), example="trunc(price)",
    ),
    Function(
        name="mod", parameters=(X, Parameter("y", NUMERIC)), result=NUMBER, call=modulo,
        help=Label("余数，符号与除数相同", "remainder, with the sign of the divisor"), example="mod(qty, 12)",
    ),
    Function(
        name="min", parameters=(Parameter("a", ORDERED, same=True), Parameter("b", ORDERED, same=True, repeats=True)),
        result=None, call=least, aggregate=lambda values: least(*values), strict=False,
        help=Label("最小值，空值不计；或各行中的最小值", "smallest, empty ones left out; or over lines"),
        example="min(lines.price)",
    ),
    Function(
        name="max", parameters=(Parameter("a", ORDERED, same=True), Parameter("b", ORDERED, same=True, repeats=True)),
        result=None, call=greatest, aggregate=lambda values: greatest(*values), strict=False,
        help=Label("最大值，空值不计；或各行中的最大值", "largest, empty ones left out; or over lines"),
        example="max(qty, 0)",
    ),
    Function(
        name="sum", parameters=(LINES,), result=NUMBER, call=aggregate_only, aggregate=total, aggregate_only=True,
        help=Label("各行之和，空值不计；没有行时为 0", "sum over lines, empty ones left out; 0 without lines"),
        example="sum(lines.qty * lines.price)",
    ),
    Function(
        name="avg", parameters=(LINES,), result=NUMBER, call=aggregate_only, aggregate=average, aggregate_only=True,
        help=Label("各行的平均值，空值不计；没有值时为空", "mean over lines, empty ones left out; else empty"),
        example="avg(lines.price)",
    ),
    Function(
        name="count", parameters=(Parameter("lines", tuple(Kind)),), result=NUMBER,
        call=aggregate_only, aggregate=counted, aggregate_only=True,
        help=Label("行数；或满足条件的行数；或该字段不为空的行数", "lines; or lines with a true or filled value"),
        example="count(lines.qty > 0)",
    ),
    Function(
        name="any", parameters=(CONDITION,), result=BOOLEAN, call=aggregate_only, aggregate_only=True,
        aggregate=lambda values: any(value is True for value in values),
        help=Label("至少有一行满足条件", "whether the condition holds for a line"), example="any(lines.qty <= 0)",
    ),
    Function(
        name="all", parameters=(CONDITION,), result=BOOLEAN, call=aggregate_only, aggregate_only=True,
        aggregate=lambda values: all(value is True for value in values),
        help=Label("每一行都满足条件；没有行时为真", "whether it holds for every line"), example="all(lines.qty > 0)",
    ),
    Function(
        name="unique", parameters=(Parameter("lines.x"),), result=BOOLEAN,
        call=aggregate_only, aggregate=distinct, aggregate_only=True,
        help=Label("各行的值互不重复，空值不计", "whether no two lines have the same value"),
        example="unique(lines.product)",
    ),
    Function(
        name="if",
        parameters=(
            Parameter("condition", (Kind.BOOLEAN,)), Parameter("a", same=True), Parameter("b", same=True),
        ),
        result=None, call=chosen, strict=False,
        help=Label("条件成立取 a，否则取 b；也可写 iff(…) 或 a if 条件 else b", "a if it holds, else b"),
        example="if(qty > 100, price * 0.9, price)",
    ),
    Function(
        name="empty", parameters=(Parameter("x"),), result=BOOLEAN, call=is_empty, strict=False,
        help=Label("没有填写", "whether nothing was filled in"), example="empty(remark)",
    ),
    Function(
        name="coalesce", parameters=(Parameter("a", same=True), Parameter("b", same=True, repeats=True)),
        result=None, call=first_filled, strict=False,
        help=Label("第一个不为空的值", "the first that is not empty"), example="coalesce(discount, 0)",
    ),
    Function(
        name="conversion", parameters=(Parameter("product", (Kind.LINK,)), Parameter("unit", (Kind.LINK,))),
        result=NUMBER, call=conversion, loads=UNITS,
        help=Label("一个该单位等于多少基本单位", "number of base units in one unit of the product"),
        example="conversion(product, unit)",
    ),
)  # fmt: skip
