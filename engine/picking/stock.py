"""Stock as picking sees it: rows of goods in bins, by lot, serial number and status, with what is free to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from engine.labels import Label

# Source: domain rule B0.8. Goods near expiry may go out, with a warning; whether a lot is expired its date says.
# An empty status is the usual one, ok.
TAKEABLE = frozenset({"", "ok", "near_expiry"})
STATUS_LABELS: Mapping[str, Label] = MappingProxyType(
    {
        "ok": Label("合格", "ok"),
        "inspecting": Label("待检", "inspecting"),
        "frozen": Label("冻结", "frozen"),
        "damaged": Label("残次", "damaged"),
        "rejected": Label("不合格", "rejected"),
        "near_expiry": Label("临期", "near expiry"),
        "expired": Label("过期", "expired"),
        "returned": Label("退货待处理", "returned"),
        "consigned": Label("寄售/代管", "consigned"),
    }
)
NO_LOT = Label("无批号", "no lot number")


class StockKey(NamedTuple):
    """Identity of a row of stock; 0 and empty where there is none. ``lot`` is the lot number."""

    warehouse: int
    bin: int = 0
    lot: str = ""
    serial: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A lot (批次), known within its product by its number.

    Attributes:
        made, expires: 生产日期 and 有效期至, the last day the goods are good. received: first day they came in.
            Each may be unknown.
    """

    number: str
    made: date | None = None
    expires: date | None = None
    received: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """One row of stock.

    Attributes:
        lot: the lot ``key`` names, where its dates are known.
        free: base units that may be taken: on hand less what is locked or reserved for others.
        pick_seq: place of the bin on the walk through the warehouse (拣货顺序).
    """

    key: StockKey
    free: Decimal
    lot: Lot | None = None
    pick_seq: int = 0

    @property
    def name(self) -> str | Label:
        """What a sentence calls the row: its serial number, else its lot."""
        return self.key.serial or self.key.lot or NO_LOT
