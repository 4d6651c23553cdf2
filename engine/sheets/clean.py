"""A cell as the field behind it should see it: invisible characters gone, full-width digits narrowed, errors named.

Figures and days that are certain become ``Decimal`` and ``date``; all else stays text for the field type to judge.
Chinese punctuation inside names and remarks is left as typed. Problems have an empty address; the caller knows the row.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from engine.problems import Problem, Severity, problem
from engine.sheets.cells import Cell, text_of
from engine.sheets.figures import NOTHING_WORDS, day, figure, split_quantity


class Purpose(StrEnum):
    """What the cell is to become."""

    CODE = "code"
    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent"
    QUANTITY = "quantity"
    DATE = "date"


class Cleaned(NamedTuple):
    """The value to hand on, and what is wrong with the cell.

    ``unit`` is what stood behind the number (``12箱``), else empty.
    """

    value: Cell
    problems: tuple[Problem, ...] = ()
    unit: str = ""


_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ODD_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u3000\t]")
_ODD = re.compile("[\x00-\x09\x0b-\x1f\x7f\u00a0\u00ad\u2000-\u200f\u202a-\u202f\u2060\u3000\ufeff]|^ *'")
_ERRORS = re.compile(r"^#(REF!|N/A|DIV/0!|VALUE!|NAME\?|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA)$", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"^\d(\.\d+)?E\+?\d{1,3}$", re.IGNORECASE)
_GUARD = re.compile(r"^'(?=[=+\-@\t\r])")
_NARROW = MappingProxyType(
    {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
)
_EXACT_DIGITS = Decimal(10) ** 15
_EARLIEST, _LATEST = 1950, 2099

PURPOSES = MappingProxyType(
    {
        **dict.fromkeys(("number", "integer", "price", "money"), Purpose.NUMBER),
        "percent": Purpose.PERCENT,
        "quantity": Purpose.QUANTITY,
        **dict.fromkeys(("date", "datetime"), Purpose.DATE),
        **dict.fromkeys(("barcode", "serial_number", "link", "phone", "member", "department"), Purpose.CODE),
    }
)
"""Field type → how its cells are cleaned; every other type is text."""


def purpose_of(field_type: str) -> Purpose:
    """How cells for a field type are cleaned."""
    return PURPOSES.get(field_type, Purpose.TEXT)


def clean_cell(cell: Cell, purpose: Purpose, *, epoch_1904: bool = False) -> Cleaned:
    """Clean one cell; never raises. ``epoch_1904`` concerns bare day numbers of old Mac workbooks."""
    if isinstance(cell, str):
        cell = _tidy(cell)
        if cell.startswith("#") and _ERRORS.match(cell):
            return Cleaned(None, (problem("sheet.formula_error", error=cell.upper()),))
        if not cell or cell == "NULL":  # what is tidy has no white space around it
            return Cleaned(None)
    elif cell is None:
        return Cleaned(None)
    if purpose is Purpose.TEXT:
        return Cleaned(_narrow(cell) if isinstance(cell, str) else text_of(cell))
    if purpose is Purpose.CODE:
        return _code(cell)
    if purpose is Purpose.DATE:
        return _date(cell, epoch_1904)
    return _number(cell, purpose)


def percent_scale(cells: Iterable[Cell]) -> int:
    """What a column of percentages has to be multiplied by to be percent points: 100 when a percent format hides
    fractions (0.13 for 13%), which is so when no number exceeds 1 and one is no whole number; else 1. A guess to show.
    """
    numbers = [cell for cell in cells if isinstance(cell, Decimal)]
    fractions = any(number != number.to_integral_value() for number in numbers)
    return 100 if fractions and all(abs(number) <= 1 for number in numbers) else 1


def _tidy(text: str) -> str:
    """Without invisible characters and odd spaces; line breaks kept as ``\\n``; a guard apostrophe removed."""
    if not _ODD.search(text):
        return text.strip()
    bare = _ODD_SPACES.sub(" ", _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return _GUARD.sub("", bare.strip()).strip()


def _narrow(text: str) -> str:
    return text if text.isascii() else text.translate(_NARROW)


def _code(cell: Cell) -> Cleaned:
    if isinstance(cell, Decimal):
        text = format(cell, "f")
        lost = abs(cell) >= _EXACT_DIGITS
        return Cleaned(text, (_warning("sheet.digits_lost", value=text),) if lost else ())
    if not isinstance(cell, str):
        return Cleaned(text_of(cell))
    text = " ".join((cell if cell.isascii() else unicodedata.normalize("NFKC", cell)).split())
    if text.startswith("'"):
        text = text[1:].strip()
    if _SCIENTIFIC.match(text):
        return Cleaned(text, (_warning("sheet.scientific_code", value=text),))
    return Cleaned(text)


def _number(cell: Cell, purpose: Purpose) -> Cleaned:
    with_unit = purpose is Purpose.QUANTITY
    number = figure(cell)
    if number is not None:
        points = purpose is Purpose.PERCENT and isinstance(cell, str) and cell.rstrip(") ）").endswith(("%", "％"))
        return Cleaned(number.scaleb(2) if points else number)
    if not isinstance(cell, str):
        return Cleaned(cell)
    text = unicodedata.normalize("NFKC", cell).strip()
    if text.lower() in NOTHING_WORDS:
        return Cleaned(None)
    parts = split_quantity(text)
    if with_unit and len(parts) == 1:
        return Cleaned(parts[0][0], unit=parts[0][1])
    if with_unit and len(parts) > 1:
        return Cleaned(text, (problem("sheet.two_units", value=text),))
    return Cleaned(text)


def _date(cell: Cell, epoch_1904: bool) -> Cleaned:
    found = day(cell, serial=True, epoch_1904=epoch_1904)
    if found is None:
        if isinstance(cell, str) and cell.lower() in NOTHING_WORDS:
            return Cleaned(None)
        return Cleaned(cell if isinstance(cell, str) else text_of(cell))
    if not _EARLIEST <= found.year <= _LATEST:
        whole = date(found.year, found.month, found.day)
        return Cleaned(None, (problem("sheet.absurd_date", value=whole, first=_EARLIEST, last=_LATEST),))
    return Cleaned(found)


def _warning(code: str, **params: str) -> Problem:
    return Problem(code=code, params=MappingProxyType(dict(params)), severity=Severity.WARNING)
