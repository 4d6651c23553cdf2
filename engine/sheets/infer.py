"""What type a column would have as a field: first what its heading says, then what its cells say.

Used to make a form from a sheet. A code stays text even when all its values are digits; a guess never loses data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from engine.sheets.aliases import contained, meanings
from engine.sheets.cells import Cell, is_blank, text_of
from engine.sheets.figures import NOTHING_WORDS, day, figure, looks_like_number
from engine.sheets.headers import Heading, heading


class Guess(StrEnum):
    """A guessed type; ``FIELD_TYPES`` names the field type of the product."""

    TEXT = "text"
    LONG_TEXT = "longtext"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    ENUM = "enum"
    BOOLEAN = "boolean"
    PHONE = "phone"
    EMAIL = "email"
    URL = "url"
    IMAGE = "image"


FIELD_TYPES: Mapping[Guess, str] = MappingProxyType(
    {
        Guess.TEXT: "text",
        Guess.LONG_TEXT: "long_text",
        Guess.INTEGER: "integer",
        Guess.DECIMAL: "number",
        Guess.MONEY: "money",
        Guess.PERCENT: "percent",
        Guess.DATE: "date",
        Guess.DATETIME: "datetime",
        Guess.ENUM: "choice",
        Guess.BOOLEAN: "boolean",
        Guess.PHONE: "phone",
        Guess.EMAIL: "email",
        Guess.URL: "text",
        Guess.IMAGE: "image",
    }
)

_MONEY = frozenset(
    {
        "price",
        "purchase_price",
        "cost",
        "sale_price",
        "wholesale_price",
        "retail_price",
        "min_price",
        "amount",
        "tax_amount",
        "total",
        "opening_receivable",
        "opening_payable",
    }
)
_AMOUNTS = frozenset(
    {
        "qty",
        "opening_qty",
        "book_qty",
        "count_qty",
        "diff_qty",
        "conversion",
        "safety_stock",
        "min_stock",
        "max_stock",
        "on_order",
        "weight",
        "volume",
        "bom_qty",
    }
)
_DAYS = frozenset(["mfg_date", "expiry_date", "biz_date", "due_date"])
_MOMENTS = frozenset({"created_at", "updated_at"})
_CHOICES = frozenset({"category", "unit", "aux_unit", "settlement"})
_OFTEN_CHOICES = frozenset({"brand", "colour", "region", "manufacturer"})
_WORDS = frozenset(
    {
        "product_code",
        "product_name",
        "spec",
        "barcode",
        "origin",
        "supplier",
        "customer",
        "warehouse",
        "bin",
        "lot_no",
        "serial_no",
        "doc_no",
        "src_no",
        "handler",
        "buyer",
        "salesperson",
        "keeper",
        "counter",
        "contact",
        "tax_no",
        "bank",
        "bank_account",
        "address",
        "designator",
        "express",
        "bom_parent",
        "bom_child",
        "department",
    }
)
_YES_NO = frozenset({"是", "否", "yes", "no", "y", "n", "true", "false", "√", "×"})
_MEASURE = re.compile(r"(长度|宽度|高度|厚度|直径|面积|体积|重量)$")
_UNIT_HINT = re.compile(r"(?:^|[:\s])(mm|cm|m|km|g|kg|t|l|ml|克|千克|公斤|吨|米|厘米|毫米|升|毫升|㎡)$", re.IGNORECASE)
_PICTURE = re.compile(r"图片|照片|封面|图像|\bimage\b|\bphoto\b|\bpicture\b", re.IGNORECASE)
_WEB = re.compile(r"网址|网站|主页|homepage|home page|website|\burl\b", re.IGNORECASE)
_KIND = re.compile(r"(等级|级别|性别|方式|类型|类别|种类)$")
_CURRENCY = re.compile(r"^\s*-?\s*(?:[¥￥$€£]|RMB|CNY|USD)|元\s*$")
_MOMENT_WORD = re.compile(r"时间$|time$|_at$", re.IGNORECASE)
_DAY_WORD = re.compile(r"日期$|日$|date$", re.IGNORECASE)
_DAYS_COUNT = re.compile(r"^天|days?$|^月|^小时")


def infer_type(header: str, samples: Sequence[Cell]) -> Guess:
    """Guess the type of a column.

    Args:
        header: heading as written.
        samples: some cells of the column, empty ones included; without any, only the heading speaks.
    """
    head = heading(header)
    cells = [c for c in samples if not is_blank(c) and not _placeholder(c)]
    exact = meanings(head.key)
    mean = frozenset(exact[:1] or contained(head.key)[1][:1])
    if _PICTURE.search(head.text):
        return Guess.IMAGE
    if _WEB.search(head.text):
        return Guess.URL
    return (
        _yes_or_no(head, mean, cells)
        or _moment(head, mean, cells)
        or _number_by_heading(head, mean, bool(exact), cells)
        or _text_by_heading(head, mean, cells)
        or _by_cells(cells)
    )


def _placeholder(cell: Cell) -> bool:
    return isinstance(cell, str) and ("{{" in cell or "<<" in cell or cell.strip().lower() in NOTHING_WORDS)


def _yes_or_no(head: Heading, mean: frozenset[str], cells: list[Cell]) -> Guess | None:
    if head.key.startswith("是否") or (head.words and head.words[0] in ("is", "has")):
        return Guess.BOOLEAN
    values = {text_of(c).strip().lower() for c in cells}
    if values and values <= _YES_NO:
        return Guess.BOOLEAN
    if mean & {"status", "lot_no", "serial_no"} and values and values <= {"0", "1"}:
        return Guess.BOOLEAN
    return Guess.ENUM if "status" in mean else None


def _moment(head: Heading, mean: frozenset[str], cells: list[Cell]) -> Guess | None:
    days = [found for found in (day(c) for c in cells) if found is not None]
    expected = bool(mean & (_DAYS | _MOMENTS)) or bool(_DAY_WORD.search(head.key) or _MOMENT_WORD.search(head.key))
    if cells and len(days) * 5 < len(cells) * 4:
        return None
    if days:
        compact = all(isinstance(c, str) and c.strip().isdigit() for c in cells)
        if compact and not expected:
            return None
        return Guess.DATETIME if any(isinstance(d, datetime) and d.time() != d.min.time() for d in days) else Guess.DATE
    if not expected or "shelf_life" in mean:
        return None
    return Guess.DATETIME if mean & _MOMENTS or _MOMENT_WORD.search(head.key) else Guess.DATE


def _number_by_heading(head: Heading, mean: frozenset[str], exact: bool, cells: list[Cell]) -> Guess | None:
    numbers = sum(looks_like_number(c) for c in cells)
    if cells and numbers * 5 < len(cells) * 4:
        return None
    if (
        "%" in head.hint
        or head.key.endswith(("率", "%", "百分比"))
        or (head.words and head.words[-1] in ("rate", "percent"))
    ):
        return Guess.DECIMAL if "conversion" in mean else Guess.PERCENT
    if mean & {"tax_rate", "loss_rate", "yield_rate"}:
        return Guess.PERCENT
    if mean & _MONEY or "元" in head.hint or any(isinstance(c, str) and _CURRENCY.search(c) for c in cells):
        return Guess.MONEY
    if "seq" in mean or "bom_level" in mean or "shelf_life" in mean or _DAYS_COUNT.search(head.hint):
        return Guess.INTEGER
    if mean & _AMOUNTS or _MEASURE.search(head.key) or _UNIT_HINT.search(head.hint):
        return Guess.DECIMAL
    if cells and not exact and mean & {"warehouse", "customer"}:
        return Guess.DECIMAL  # one column per warehouse or shop, quantities below
    return None


def _text_by_heading(head: Heading, mean: frozenset[str], cells: list[Cell]) -> Guess | None:
    if "phone" in mean:
        return Guess.PHONE
    if "email" in mean or (cells and all("@" in text_of(c) for c in cells)):
        return Guess.EMAIL
    if "remark" in mean:
        return Guess.LONG_TEXT
    if _long(cells):
        return Guess.LONG_TEXT
    if head.words and head.words[-1] in ("id", "key") and cells and all(_small_integer(c) for c in cells):
        return Guess.INTEGER
    if _KIND.search(head.key) or mean & _CHOICES:
        return Guess.ENUM
    if mean & _OFTEN_CHOICES:
        return Guess.ENUM if _repeats(cells, 2) else Guess.TEXT
    if mean & _WORDS or "身份证" in head.key:
        return Guess.TEXT
    return None


def _by_cells(cells: list[Cell]) -> Guess:
    if not cells:
        return Guess.TEXT
    if all(isinstance(c, bool) for c in cells):
        return Guess.BOOLEAN
    if all(looks_like_number(c) for c in cells):
        numbers = [number for number in (figure(c) for c in cells) if number is not None]
        if any(isinstance(c, str) and c.strip().isdigit() and len(c.strip()) > 11 for c in cells):
            return Guess.TEXT
        return Guess.INTEGER if all(n == n.to_integral_value() for n in numbers) else Guess.DECIMAL
    if _long(cells):
        return Guess.LONG_TEXT
    return Guess.ENUM if _repeats(cells, 5) else Guess.TEXT


def _small_integer(cell: Cell) -> bool:
    number = figure(cell)
    text = text_of(cell).strip()
    return number is not None and text.isdigit() and len(text) < 10 and str(number) == text


def _long(cells: list[Cell]) -> bool:
    lengths = sorted(len(text_of(c)) for c in cells if isinstance(c, str))
    return bool(lengths) and (lengths[len(lengths) // 2] > 45 or lengths[-1] > 120)


def _repeats(cells: list[Cell], times: int) -> bool:
    """At most 20 different short texts, each ``times`` times on average, at least 4 cells."""
    if len(cells) < 4 or any(isinstance(c, Decimal) for c in cells):
        return False
    values = {text_of(c).strip() for c in cells}
    return len(values) <= 20 and len(values) * times <= len(cells) and max(map(len, values)) <= 20
