"""How exact values rest in columns, the same on SQLite and PostgreSQL: scaled 64-bit integers and JSON texts.

No float is ever involved. Texts sort by code point on both. Dates use SQLAlchemy's ``Date``, moments ``DateTime``
without a zone. Nothing here knows forms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator

from engine.values import EXACT, INT64_MAX

# SQLite counts up only a column declared INTEGER; its integers have 64 bits all the same.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# SQLite compares texts by code point; PostgreSQL does so under the collation "C", whatever the server's language.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# Moving the point of a number with more digits than any column holds would round it.
STRICT = Context(prec=40, traps=[Inexact, InvalidOperation])
# Looked up once: a posting converts hundreds of values, and finding a method of a context takes as long as calling it.
MOVED, WHOLE, BACK = STRICT.scaleb, STRICT.to_integral_exact, EXACT.scaleb
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
SCALE_CHANGING = frozenset({operators.mul, operators.truediv, operators.floordiv, operators.mod})


class Scaled(TypeDecorator[Decimal]):
    """A ``Decimal`` kept as an integer times 10⁻ˢᶜᵃˡᵉ.

    Binding a value that has more decimals than ``scale`` or leaves 64 bits raises ``ValueError``: field types refuse it
    long before. Sums in SQL are exact; multiplication and division in SQL are refused, for they change the scale.
    """

    impl = sa.BigInteger
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[Decimal]):
        """Refuses the operators whose result would have another scale."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
            if op in SCALE_CHANGING:
                raise TypeError("a scaled column can be added and compared, not multiplied or divided")
            return super().operate(op, *other, **kwargs)

    comparator_factory: Any = Comparator

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else scaled(self.scale, value)

    def process_literal_param(self, value: Any, dialect: Dialect) -> str:
        return str(self.process_bind_param(value, dialect))

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None]:
        """Instead of ``process_result_value``, which the parent calls by way of another for every figure of a page."""
        scale = self.scale
        return lambda value: None if value is None else unscaled(value, scale)


def scaled(scale: int, value: Decimal | int) -> int:
    """``value`` as the integer it is kept as. Raises ``ValueError`` when it does not fit."""
    if not value:
        return 0
    try:
        whole = int(WHOLE(MOVED(value, scale)))
    except (ArithmeticError, ValueError):  # not a number, further decimals, or more digits than fit anyway
        whole = INT64_MAX + 1
    if not -INT64_MAX <= whole <= INT64_MAX:
        raise ValueError(f"{value} does not fit a 64-bit integer with {scale} decimals")
    return whole


def unscaled(value: int | Decimal, scale: int) -> Decimal:
    """The value an integer (or a sum that came back as ``NUMERIC``) stands for."""
    return BACK(value, -scale)


class JsonText(TypeDecorator[Any]):
    """A small JSON value in a text column; arrays come back as tuples, objects as read-only mappings.

    Keys are sorted, so equal values are equal texts. Numbers with decimals are refused: they belong into ``Scaled``.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else to_json_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else from_json_text(value)


def to_json_text(value: Any) -> str:
    """Compact JSON with sorted keys. Raises ``TypeError`` for what JSON has no exact form for."""
    return ENCODER.encode(_plain(value))


def _plain(value: Any) -> Any:
    # Most values are texts and numbers, and most mappings of these two kinds: asking the abstract class comes last.
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (dict, MappingProxyType, Mapping)):
        return {str(key): _plain(each) for key, each in value.items()}
    raise TypeError(f"{type(value).__name__} is not kept as JSON")


def from_json_text(text: str) -> Any:
    """The frozen value of ``to_json_text``."""
    return _frozen(json.loads(text, parse_float=Decimal))


def _frozen(value: Any) -> Any:
    match value:
        case dict():
            return MappingProxyType({key: _frozen(each) for key, each in value.items()})
        case list():
            return tuple(_frozen(each) for each in value)
        case _:
            return value
