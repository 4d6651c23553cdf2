"""Functions that ask what the ledgers hold of a linked record. Pure: the figure comes with the record's row.

Whoever loads the rows an expression follows puts the figure under the pseudo-field named here. It is the state at the
moment of loading; a formula that uses one is a snapshot of that moment.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from engine.expressions.arithmetic import ZERO, identity
from engine.expressions.function import Function, Parameter
from engine.expressions.tree import Clock
from engine.expressions.types import DATE, NUMBER, Kind
from engine.goods import kept_status, serials_in
from engine.labels import Label
from engine.values import QUANTITY_SCALE, divided, rounded

ON_HAND = "$on_hand"
ON_HAND_AT = "$on_hand_at"
DETAIL_AT = "$detail_at"
AUX_AT = "$aux_at"
AUX_SHARE = "$aux_share"
UNIT_COST = "$unit_cost"
RECEIVABLE = "$receivable"
PAYABLE = "$payable"
OUTLOOK = "$outlook"


def on_hand(product: Any, warehouse: Any) -> Decimal:
    """Stock of ``product`` in ``warehouse``, base units, from the mapping its row carries under ``$on_hand``."""
    found: Decimal = product.values[ON_HAND].get(identity(warehouse), ZERO)
    return found


def on_hand_at(product: Any, warehouse: Any, moment: Any) -> Decimal:
    """Stock as it was posted at ``moment``: what is there now less what was posted after it. The row carries, under
    ``$on_hand_at``, the present stock by warehouse and the latest moves as (posted at, warehouse, quantity)."""
    present, moves = product.values[ON_HAND_AT]
    place = identity(warehouse)
    later = sum((quantity for at, where, quantity in moves if where == place and at > moment), ZERO)
    found: Decimal = present.get(place, ZERO) - later
    return found


def detail_at(
    product: Any, warehouse: Any, moment: Any, shelf: Any, lot: Any, serials: Any, status: Any
) -> Decimal | None:
    """Stock of one bin, lot, status and the listed serial numbers as it was posted at ``moment``; what is empty is not
    kept there, so that with all four empty it is what lies there without any. The row carries, under ``$detail_at``,
    the present stock by (warehouse, bin, lot, serial, status) and the latest moves as (posted at, that key, quantity).
    """
    return _kept_at(DETAIL_AT, product, warehouse, moment, _keys(warehouse, shelf, lot, serials, status))


def aux_at(
    product: Any, warehouse: Any, moment: Any, shelf: Any, lot: Any, serials: Any, status: Any
) -> Decimal | None:
    """As ``detail_at``, of the second quantity of catch weight goods; the row carries the same under ``$aux_at``."""
    return _kept_at(AUX_AT, product, warehouse, moment, _keys(warehouse, shelf, lot, serials, status))


def aux_share(
    product: Any, warehouse: Any, quantity: Any, shelf: Any, lot: Any, serials: Any, status: Any
) -> Decimal | None:
    """The second quantity that ``quantity`` base units of a bin, lot and status have on the average of what lies there
    now; empty where nothing does. The row carries, under ``$aux_share``, quantity and second quantity by the key of
    ``detail_at``."""
    if product is None or warehouse is None or quantity is None:
        return None
    kept = product.values[AUX_SHARE]
    here = [kept[key] for key in _keys(warehouse, shelf, lot, serials, status) if key in kept]
    held, aux = (sum((one[place] for one in here), ZERO) for place in (0, 1))
    return rounded(divided(quantity * aux, held), QUANTITY_SCALE) if held > ZERO else None


def _keys(warehouse: Any, shelf: Any, lot: Any, serials: Any, status: Any) -> set[tuple[object, ...]]:
    place, kept = (identity(warehouse), identity(shelf) or 0, (lot or "").strip()), kept_status(status)
    return {(*place, serial, kept) for serial in serials_in(serials) or ("",)}


def _kept_at(name: str, product: Any, warehouse: Any, moment: Any, keys: set[tuple[object, ...]]) -> Decimal | None:
    if product is None or warehouse is None or moment is None:
        return None
    present, moves = product.values[name]
    later = sum((figure for at, key, figure in moves if key in keys and at > moment), ZERO)
    found: Decimal = sum((present.get(key, ZERO) for key in keys), ZERO) - later
    return found


def promisable(clock: Clock, product: Any, warehouse: Any, day: date) -> Decimal:
    """What can be promised of ``product`` in ``warehouse`` for ``day``, base units (domain rule B0.6, atp).

    The row carries a mapping warehouse → outlook under ``$outlook``: an object with ``promisable(today, day)`` and
    ``earliest(today, quantity)``.
    """
    outlook = product.values[OUTLOOK].get(identity(warehouse))
    found: Decimal = outlook.promisable(clock.today, day) if outlook is not None else ZERO
    return found


def earliest(clock: Clock, product: Any, warehouse: Any, quantity: Decimal) -> date | None:
    """The first day on which ``quantity`` base units can be promised, empty when nobody can tell."""
    outlook = product.values[OUTLOOK].get(identity(warehouse))
    if outlook is None:
        return clock.today if quantity <= ZERO else None
    found: date | None = outlook.earliest(clock.today, quantity)
    return found


def _carried(name: str) -> Any:
    def read(record: Any) -> Any:
        return record.values[name]

    return read


LEDGER_FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="on_hand", parameters=(Parameter("product", (Kind.LINK,)), Parameter("warehouse", (Kind.LINK,))),
        result=NUMBER, call=on_hand, loads=ON_HAND,
        help=Label("商品在仓库的现存量（基本单位）", "stock on hand of a product in a warehouse, base units"),
        example="on_hand(product, warehouse)",
    ),
    Function(
        name="on_hand_at",
        parameters=(
            Parameter("product", (Kind.LINK,)), Parameter("warehouse", (Kind.LINK,)),
            Parameter("moment", (Kind.DATETIME,)),
        ),
        result=NUMBER, call=on_hand_at, loads=ON_HAND_AT,
        help=Label(
            "商品在仓库某一时刻的账面数量（基本单位，最近 31 天内）",
            "stock on hand as posted at a moment of the last 31 days, base units",
        ),
        example="on_hand_at(product, warehouse, created_at)",
    ),
    Function(
        name="detail_at", loads=DETAIL_AT, strict=False,
        parameters=(
            Parameter("product", (Kind.LINK,)), Parameter("warehouse", (Kind.LINK,)),
            Parameter("moment", (Kind.DATETIME,)), Parameter("bin", (Kind.LINK,)), Parameter("lot", (Kind.TEXT,)),
            Parameter("serials", (Kind.TEXT,)), Parameter("status", (Kind.TEXT,)),
        ),
        result=NUMBER, call=detail_at,
        help=Label(
            "某一时刻这个库位、批次、序列号、状态的账面数量（基本单位，最近 31 天内），空表示不按它分",
            "stock of a bin, lot, serial numbers and status as posted at a moment of the last 31 days, base units; "
            "empty ones are not kept",
        ),
        example="detail_at(product, warehouse, created_at, bin, lot, None, None)",
    ),
    Function(
        name="aux_at", loads=AUX_AT, strict=False,
        parameters=(
            Parameter("product", (Kind.LINK,)), Parameter("warehouse", (Kind.LINK,)),
            Parameter("moment", (Kind.DATETIME,)), Parameter("bin", (Kind.LINK,)), Parameter("lot", (Kind.TEXT,)),
            Parameter("serials", (Kind.TEXT,)), Parameter("status", (Kind.TEXT,)),
        ),
        result=NUMBER, call=aux_at,
        help=Label(
            "浮动换算商品某一时刻这个库位、批次、序列号、状态的账面辅助数量（最近 31 天内），空表示不按它分",
            "second quantity of a bin, lot, serial numbers and status of catch weight goods as posted at a moment of "
            "the last 31 days; empty ones are not kept",
        ),
        example="aux_at(product, warehouse, created_at, bin, lot, None, None)",
    ),
    Function(
        name="aux_share", loads=AUX_SHARE, strict=False,
        parameters=(
            Parameter("product", (Kind.LINK,)), Parameter("warehouse", (Kind.LINK,)),
            Parameter("quantity", (Kind.NUMBER,)), Parameter("bin", (Kind.LINK,)), Parameter("lot", (Kind.TEXT,)),
            Parameter("serials", (Kind.TEXT,)), Parameter("status", (Kind.TEXT,)),
        ),
        result=NUMBER, call=aux_share,
        help=Label(
            "这么多基本数量按那里的货平均合多少辅助数量（数量 × 账面辅助数量 ÷ 账面数量），那里没有货时为空",
            "second quantity of so many base units on the average of what lies there; empty where nothing does",
        ),
        example="aux_share(product, warehouse, qty, bin, lot, None, None)",
    ),
    Function(
        name="promisable", clock=True, loads=OUTLOOK,
        parameters=(
            Parameter("product", (Kind.LINK,)), Parameter("warehouse", (Kind.LINK,)), Parameter("day", (Kind.DATE,)),
        ),
        result=NUMBER, call=promisable,
        help=Label(
            "到那一天能承诺多少（基本单位）：可用量加预计到货，减更早的订单还要的",
            "how much can be promised for a day, base units: available and expected, less what earlier orders want",
        ),
        example="promisable(product, warehouse, today())",
    ),
    Function(
        name="earliest", clock=True, loads=OUTLOOK,
        parameters=(
            Parameter("product", (Kind.LINK,)), Parameter("warehouse", (Kind.LINK,)),
            Parameter("quantity", (Kind.NUMBER,)),
        ),
        result=DATE, call=earliest,
        help=Label(
            "这么多数量（基本单位）最早哪天可发，无法预计时为空",
            "the first day on which so many base units can leave; empty when nobody can tell",
        ),
        example="earliest(product, warehouse, qty)",
    ),
    Function(
        name="unit_cost", parameters=(Parameter("product", (Kind.LINK,)),), result=NUMBER, call=_carried(UNIT_COST),
        loads=UNIT_COST,
        help=Label("商品当前的单位成本，没有库存时为空", "present unit cost of a product; empty without stock"),
        example="unit_cost(product)",
    ),
    Function(
        name="receivable", parameters=(Parameter("customer", (Kind.LINK,)),), result=NUMBER, call=_carried(RECEIVABLE),
        loads=RECEIVABLE,
        help=Label("客户的应收余额", "what a customer owes"), example="receivable(customer)",
    ),
    Function(
        name="payable", parameters=(Parameter("supplier", (Kind.LINK,)),), result=NUMBER, call=_carried(PAYABLE),
        loads=PAYABLE,
        help=Label("供应商的应付余额", "what is owed to a supplier"), example="payable(supplier)",
    ),
)  # fmt: skip
