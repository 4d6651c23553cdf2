"""Numbers and days as people type them into cells: separators, currency signs, 万, percent, brackets, Chinese dates.

Only what is certain is recognised; everything else is ``None`` and stays text, so that the field type can say what is
wrong with it. No float, no clock: two-digit years are read as 2000–2069 and 1970–1999.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import Decimal

from engine.sheets.cells import Cell

_NUMBER = re.compile(
    r"""^(?P<open>\()?\s*(?P<sign>[+-])?\s*(?:[¥$€£]|RMB|CNY|USD)?\s*(?P<sign2>[+-])?
    (?P<digits>\d{1,3}(?:,\d{3})+|\d+)?(?P<fraction>\.\d*)?\s*
    (?P<wan>万)?\s*(?P<tail>元整|元|圆|块|%)?\s*(?P<close>\))?$""",
    re.VERBOSE,
)
_SIMPLE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_PLAIN_CODE = re.compile(r"^0\d+$")
_QUANTITY = re.compile(r"(?P<number>[+-]?\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z\u4e00-\u9fff㎡㎏]{1,6})")
_DAY = re.compile(
    r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?"
    r"(?:[T\s]\s*(?P<H>\d{1,2})\s*[::时点]\s*(?P<M>\d{1,2})(?:\s*[::分]\s*(?P<S>\d{1,2})(?:\.\d+)?)?\s*[分秒]?)?$"
)
_COMPACT = re.compile(r"^(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})$")
_SHORT = re.compile(r"^(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y>\d{4}|\d{2})$")
_EPOCH_1900 = date(1899, 12, 30)
_EPOCH_1904 = date(1904, 1, 1)
NOTHING_WORDS = frozenset({"-", "--", "—", "——", "/", "\\", "无", "null", "n/a", "na", "none", "nil", "*", "暂无"})
"""What people write into a number or date cell for "nothing"."""


def figure(cell: Cell) -> Decimal | None:
    """The number in a cell, or ``None``. ``13%`` is 0.13, ``1.2万`` is 12000, ``(120)`` is −120; ``True`` is none."""
    if isinstance(cell, Decimal):
        return cell if cell.is_finite() else None
    if not isinstance(cell, str) or len(cell) > 64:
        return None
    if _SIMPLE.fullmatch(cell):
        return Decimal(cell)
    text = unicodedata.normalize("NFKC", cell).replace("−", "-").strip()
    found = _NUMBER.match(text)
    if not found or not (found["digits"] or (found["fraction"] or "").strip(".")):
        return None
    if bool(found["open"]) != bool(found["close"]) or (found["sign"] and found["sign2"]):
        return None
    number = Decimal((found["digits"] or "0").replace(",", "") + (found["fraction"] or "").rstrip("."))
    if found["wan"]:
        number *= 10000
    if found["tail"] == "%":
        number = number.scaleb(-2)
    if found["open"] or "-" in (found["sign"], found["sign2"]):
        number = -number
    return number


def looks_like_number(cell: Cell) -> bool:
    """A number, or text that reads as one and is no code with leading zeros."""
    if isinstance(cell, str) and _PLAIN_CODE.match(cell.strip()):
        return False
    return figure(cell) is not None


def split_quantity(text: str) -> tuple[tuple[Decimal, str], ...]:
    """``12箱`` → ((12, 箱),), ``3箱5瓶`` → two parts; empty when the text is anything else."""
    bare = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    parts = [(Decimal(m["number"]), m["unit"]) for m in _QUANTITY.finditer(bare)]
    covered = "".join(m.group(0) for m in _QUANTITY.finditer(bare))
    return tuple(parts) if parts and covered.replace(" ", "") == bare and parts[0][1] not in ("万", "元") else ()


def day(cell: Cell, *, serial: bool = False, epoch_1904: bool = False) -> date | datetime | None:
    """The day (or moment) in a cell, or ``None``.

    Args:
        cell: a date, or text such as ``2025.12.1``, ``2025年12月1日``, ``20251201``, ``12/1/25`` (month first, unless
            that is impossible), ``2025-12-01 08:30``.
        serial: also read a bare number as an Excel day number; only sensible when a date is expected.
        epoch_1904: the workbook counts days from 1904.
    """
    if isinstance(cell, date):
        return cell
    if isinstance(cell, Decimal):
        return _from_serial(cell, epoch_1904) if serial else None
    if not isinstance(cell, str) or not 6 <= len(cell.strip()) <= 40:
        if serial and isinstance(cell, str) and cell.strip().isdigit():
            return _from_serial(Decimal(cell.strip()), epoch_1904)
        return None
    text = unicodedata.normalize("NFKC", cell).strip()
    found = _DAY.match(text)
    if found:
        whole = _date(int(found["y"]), int(found["m"]), int(found["d"]))
        if whole is None or found["H"] is None:
            return whole
        hour, minute, second = int(found["H"]), int(found["M"]), int(found["S"] or 0)
        if hour > 23 or minute > 59 or second > 59:
            return None
        return datetime(whole.year, whole.month, whole.day, hour, minute, second)
    found = _COMPACT.match(text)
    if found:
        return _date(int(found["y"]), int(found["m"]), int(found["d"]))
    found = _SHORT.match(text)
    if found:
        year = int(found["y"])
        year += 0 if year > 99 else (2000 if year < 70 else 1900)
        first, second = int(found["a"]), int(found["b"])
        return _date(year, first, second) or _date(year, second, first)
    return None


def _date(year: int, month: int, number: int) -> date | None:
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= number <= monthrange(year, month)[1]):
        return None
    return date(year, month, number)


def _from_serial(number: Decimal, epoch_1904: bool) -> date | datetime | None:
    """Day numbers 10000 (1927) to 73050 (2099); smaller ones are years or counts, not days."""
    if not 10000 <= number < 73051:
        return None
    whole = int(number)
    start = (_EPOCH_1904 if epoch_1904 else _EPOCH_1900) + timedelta(days=whole)
    seconds = int(((number - whole) * 86400).to_integral_value())
    if not seconds:
        return start
    return datetime(start.year, start.month, start.day) + timedelta(seconds=seconds)
