"""One filter of a list in SQL: a column, an operator of its field type, a parsed value.

Texts are compared without regard to the case of ASCII letters where a person typed a part of them, exactly where they
chose a whole value.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from engine.fieldtypes.contract import Operator
from runtime.storage.column_types import JsonText

LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def condition(column: sa.ColumnElement[Any], operator: Operator, value: Any) -> sa.ColumnElement[bool]:
    """``column operator value``; an empty ``value`` of ``eq`` and ``ne`` means empty itself."""
    if isinstance(column.type, JsonText):
        return _of_set(sa.type_coerce(column, sa.Text()), operator, value)
    clause: sa.ColumnElement[bool] = _of_scalar(column, operator, value)
    return clause


def _of_scalar(column: sa.ColumnElement[Any], operator: Operator, value: Any) -> Any:
    match operator:
        case Operator.EMPTY:
            return _empty(column)
        case Operator.NOT_EMPTY:
            return sa.not_(_empty(column))
        case Operator.EQ:
            return _empty(column) if value is None else column == value
        case Operator.NE:
            return sa.not_(_empty(column)) if value is None else sa.or_(column != value, column.is_(None))
        case Operator.IN:
            return column.in_(list(value))
        case Operator.CONTAINS:
            return sa.func.lower(column).contains(str(value).translate(LOWER), autoescape=True)
        case Operator.STARTS:
            return sa.func.lower(column).startswith(str(value).translate(LOWER), autoescape=True)
        case Operator.LT:
            return column < value
        case Operator.LE:
            return column <= value
        case Operator.GT:
            return column > value
        case Operator.GE:
            return column >= value


def _empty(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.or_(column.is_(None), column == "") if isinstance(column.type, sa.Text) else column.is_(None)


def _of_set(text: sa.ColumnElement[str], operator: Operator, value: Any) -> sa.ColumnElement[bool]:
    """A set of texts kept as a JSON array: membership by its quoted form."""
    empty = sa.or_(text.is_(None), text.in_(("[]", "{}")))
    match operator:
        case Operator.EMPTY:
            return empty
        case Operator.NOT_EMPTY:
            return sa.not_(empty)
        case Operator.IN:
            return sa.or_(sa.false(), *(_holds(text, each) for each in value))
        case Operator.NE:
            return sa.or_(text.is_(None), sa.not_(sa.and_(*(_holds(text, each) for each in _texts(value)))))
        case _:
            return sa.and_(sa.true(), *(_holds(text, each) for each in _texts(value)))


def _holds(text: sa.ColumnElement[str], value: object) -> sa.ColumnElement[bool]:
    return text.contains(json.dumps(str(value), ensure_ascii=False), autoescape=True)


def _texts(value: Any) -> Iterable[object]:
    return (value,) if isinstance(value, str) else tuple(value)
