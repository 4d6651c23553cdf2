"""JSON from outside, read strictly: numbers exact and of a sane length, no ``NaN``, and only so deep."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

LONGEST_NUMBER = 40


def read_json(raw: bytes | bytearray, decimals: Callable[[str], Any] = Decimal) -> Any:
    """What ``raw`` says; ``decimals`` makes a value of every number that is not whole.

    Raises:
        ValueError: it is no JSON, or holds ``NaN``, ``Infinity``, a whole number of more than 40 characters or an
            exponent beyond all reason, or is nested so deep that it cannot be read.
    """
    try:
        return json.loads(raw, parse_float=decimals, parse_int=_whole, parse_constant=_refused)
    except (RecursionError, ArithmeticError) as error:  # nested too deep; an exponent no decimal can have
        raise ValueError(str(error)) from error


def decimal_text(text: str) -> str:
    """A decimal number in plain digits. Raises ``ValueError`` for one that would take more than 40 of them or so."""
    if len(text) > LONGEST_NUMBER:
        _refused(text)
    number = Decimal(text)
    # A short text can stand for an endless number: 1e999999999 written out is a gigabyte.
    return f"{number:f}" if abs(number.adjusted()) <= LONGEST_NUMBER else _refused(text)


def deeper_than(value: object, most: int) -> bool:
    """Whether lists and objects are nested more than ``most`` levels deep."""
    level, here = 0, [value]
    while here and level <= most:
        level += 1
        here = [
            inner
            for one in here
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]
    return level > most


def _whole(text: str) -> int:
    return int(text) if len(text) <= LONGEST_NUMBER else _refused(text)


def _refused(text: str) -> Any:
    raise ValueError(text[:LONGEST_NUMBER])
