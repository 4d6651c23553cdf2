"""The place in a list where a page ended, as text that fits into an address.

Holds the sort values of one record. Whoever changes it moves the place, nothing else: conditions are never part of it.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from engine.values import INT64_MAX, fits
from runtime.storage.column_types import Scaled

LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Sort values of the record at the edge of a page; ``backward`` asks for what comes before it."""

    values: tuple[Any, ...]
    backward: bool = False


def write_cursor(cursor: Cursor) -> str:
    """The cursor as text."""
    data = [1 if cursor.backward else 0, *(_tagged(value) for value in cursor.values)]
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor | None:
    """The cursor that ``text`` stands for, or None."""
    if len(text) > LONGEST:
        return None
    try:
        data = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        backward, *values = data
        read = tuple(_untagged(value) for value in values)
    except (binascii.Error, ValueError, TypeError, KeyError, InvalidOperation, RecursionError):
        return None
    if not read or read[-1] is None or backward not in (0, 1):
        return None
    return Cursor(read, backward=bool(backward))


def comparable(value: object, kind: TypeEngine[Any]) -> bool:
    """Whether ``value`` may be compared with a column of ``kind``, so that an odd cursor is refused, not an error."""
    match value:
        case None:
            return True
        case Decimal():
            return isinstance(kind, Scaled) and fits(value, kind.scale)
        case str():
            return isinstance(kind, sa.Text) and "\x00" not in value
        case bool():
            return isinstance(kind, sa.Boolean)
        case int():
            return isinstance(kind, sa.Integer) and abs(value) <= INT64_MAX
        case datetime():
            return isinstance(kind, sa.DateTime)
        case date():
            return isinstance(kind, sa.Date)
        case _:
            return False


def _tagged(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return ["n", str(value)]
        case datetime():
            return ["t", value.isoformat()]
        case date():
            return ["d", value.isoformat()]
        case _:
            return ["s", str(value)]


def _untagged(value: Any) -> Any:
    if not isinstance(value, list):
        if isinstance(value, (dict, float)):
            raise ValueError
        return value
    tag, text = value
    match tag:
        case "n":
            return _number(text)
        case "t":
            return datetime.fromisoformat(text)
        case "d":
            return date.fromisoformat(text)
        case _:
            return str(text)


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError
    return number
