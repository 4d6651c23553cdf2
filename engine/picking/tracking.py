"""How goods are told apart: by lot or by serial number, never both (domain rule D3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from engine.picking.shelf_life import ShelfLife
from engine.problems import Problem, problem

LotRule: TypeAlias = Literal["sequence", "supplier", "made"]
# ``LOT + YYYYMMDD + seq`` in the language of document numbers; the counter starts anew every day.
LOT_PATTERN = "LOT{biz_date:%Y%m%d}{seq:3}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """How a product is tracked. ``life``: its shelf life; then a lot needs a date to know its end by."""

    lots: bool = False
    serials: bool = False
    life: ShelfLife | None = None


def lot_number(rule: LotRule, supplier_lot: str, made: date | None) -> str | None:
    """The number a new lot gets by its category's rule, or None: it is numbered by ``LOT_PATTERN``.

    A supplier's number or a date of making that is not known falls back to the pattern, so that goods can be received.
    """
    if rule == "supplier" and supplier_lot.strip():
        return supplier_lot.strip()
    if rule == "made" and made is not None:
        return made.strftime("%Y%m%d")
    return None


def product_problems(tracking: Tracking) -> tuple[Problem, ...]:
    """A product is managed by lot or by serial number, not both."""
    return (problem("picking.lots_and_serials"),) if tracking.lots and tracking.serials else ()


def line_problems(
    tracking: Tracking,
    quantity: Decimal,
    lot: str,
    dated: bool,
    serials: Sequence[str],
) -> tuple[Problem, ...]:
    """What a goods line lacks.

    Args:
        quantity: base units, of either sign. lot: its lot number, empty for none.
        dated: whether the lot has, or the line gives, a day of making or of expiry.
        serials: serial numbers on the line.
    """
    found: list[Problem] = []
    if tracking.lots and not lot:
        found.append(problem("picking.lot_missing", "lot"))
    if tracking.lots and tracking.life is not None and not dated:
        found.append(problem("picking.date_missing", "lot"))
    if tracking.serials:
        if Decimal(len(serials)) != quantity.copy_abs():
            found.append(problem("picking.serial_count", "serials", quantity=quantity.copy_abs(), serials=len(serials)))
        found.extend(
            problem("picking.serial_twice", "serials", serial=serial)
            for serial, times in Counter(serials).items()
            if times > 1
        )
    return tuple(found)
