"""The number a new lot gets (domain rule D3)."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias

LotRule: TypeAlias = Literal["sequence", "supplier", "made"]
# ``LOT + YYYYMMDD + seq`` in the language of document numbers; the counter starts anew every day.
LOT_PATTERN = "LOT{biz_date:%Y%m%d}{seq:3}"


def lot_number(rule: LotRule, supplier_lot: str, made: date | None) -> str | None:
    """The number a new lot gets by its category's rule, or None: it is numbered by ``LOT_PATTERN``.

    A supplier's number or a date of making that is not known falls back to the pattern, so that goods can be received.
    """
    if rule == "supplier" and supplier_lot.strip():
        return supplier_lot.strip()
    if rule == "made" and made is not None:
        return made.strftime("%Y%m%d")
    return None
