"""The little world the expression tests speak about: one document with its lines, links and the person asking."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from engine.expressions import Checked, Clock, Kind, Row, Scope, Tree, ValueType, check, parse
from engine.expressions.types import BOOLEAN, DATE, DATETIME, DEPARTMENT, MEMBER, NUMBER, TEXT
from engine.problems import Problem
from engine.promise import Outlook

STATUS = ValueType(Kind.TEXT, choices=("draft", "approved", "closed"))
TAGS = ValueType(Kind.CHOICES, choices=("hot", "new", "old"))
CUSTOMER = ValueType(Kind.LINK, "customer")
PRODUCT = ValueType(Kind.LINK, "product")
UNIT = ValueType(Kind.LINK, "unit")
WAREHOUSE = ValueType(Kind.LINK, "warehouse")
ORDER = ValueType(Kind.LINK, "order")

SCOPE = Scope(
    names=MappingProxyType(
        {
            "qty": NUMBER, "price": NUMBER, "zero": NUMBER, "neg": NUMBER, "discount": NUMBER, "big": NUMBER,
            "name": TEXT, "code": TEXT, "remark": TEXT, "status": STATUS, "tags": TAGS, "old_tags": TAGS,
            "active": BOOLEAN, "checked": BOOLEAN,
            "biz_date": DATE, "due": DATE, "created_at": DATETIME,
            "customer": CUSTOMER, "supplier": ValueType(Kind.LINK, "supplier"), "warehouse": WAREHOUSE,
            "product": PRODUCT, "unit": UNIT, "source": ORDER, "creator": MEMBER, "department": DEPARTMENT,
            "me": MEMBER, "lines": ValueType(Kind.LINES, "receipt.lines"),
            "fees": ValueType(Kind.LINES, "receipt.fees"),
        }
    ),
    records=MappingProxyType(
        {
            "receipt.lines": {
                "product": PRODUCT, "unit": UNIT, "qty": NUMBER, "price": NUMBER, "lot": TEXT, "ok": BOOLEAN
            },
            "receipt.fees": {"amount": NUMBER},
            "customer": {"credit_limit": NUMBER, "name": TEXT, "owner": MEMBER},
            "supplier": {"name": TEXT, "rating": NUMBER},
            "warehouse": {"keeper": MEMBER, "code": TEXT},
            "product": {"safety_stock": NUMBER, "code": TEXT},
            "unit": {"name": TEXT},
            "order": {"total": NUMBER, "lines": ValueType(Kind.LINES, "order.lines")},
            "order.lines": {"qty": NUMBER},
            "member": {"name": TEXT, "department": DEPARTMENT, "warehouse": WAREHOUSE},
        }
    ),
    labels=MappingProxyType(
        {
            "": {
                "数量": "qty", "单价": "price", "明细": "lines", "客户": "customer", "状态": "status",
                "单据日期": "biz_date", "ＡＢＣ编码": "code", "创建人": "creator", "仓库": "warehouse",
                "折扣（元）": "discount",
            },
            "receipt.lines": {"数量": "qty", "单价": "price", "商品": "product"},
            "customer": {"信用额度": "credit_limit"},
            "warehouse": {"仓管员": "keeper"},
            "product": {"安全库存": "safety_stock"},
        }
    ),
)  # fmt: skip

UNITS = MappingProxyType({1: Decimal(1), 2: Decimal(12)})
LEDGERS = MappingProxyType(
    {
        "$units": UNITS, "$on_hand": MappingProxyType({21: Decimal(40)}), "$unit_cost": Decimal("2.5"),
        "$on_hand_at": (
            MappingProxyType({21: Decimal(40)}),
            ((datetime(2020, 1, 1, 8), 21, Decimal(50)), (datetime(2020, 1, 1, 12), 21, Decimal(-10))),
        ),
        "$detail_at": (
            MappingProxyType({(21, 0, "", "", ""): Decimal(4), (21, 0, "L1", "", ""): Decimal(36)}),
            ((datetime(2020, 1, 1, 12), (21, 0, "L1", "", ""), Decimal(-10)),),
        ),
        "$aux_at": (
            MappingProxyType({(21, 0, "", "", ""): Decimal(1), (21, 0, "L1", "", ""): Decimal(9)}),
            ((datetime(2020, 1, 1, 12), (21, 0, "L1", "", ""), Decimal(-3)),),
        ),
        "$aux_share": MappingProxyType({(21, 0, "L1", "", ""): (Decimal(36), Decimal(9))}),
        "$outlook": MappingProxyType({21: Outlook(free=Decimal(2), supplies=((date(2026, 12, 1), Decimal(10)),))}),
        "$receivable": Decimal(300), "$payable": Decimal(0),
    }
)  # fmt: skip
BATTERY = Row(11, {"safety_stock": Decimal(50), "code": "P1", **LEDGERS})
CABLE = Row(12, {"safety_stock": None, "code": "P2", **LEDGERS})
PIECE = Row(1, {"name": "个"})
BOX = Row(2, {"name": "箱", **LEDGERS})
PALLET = Row(3, {"name": "托"})
MAIN = Row(21, {"keeper": 5, "code": "W1", **LEDGERS})


def line(number: int, product: Row | None, qty: str | None, price: str | None, lot: str | None, ok: bool | None) -> Row:
    """One line of the receipt."""
    figures = {"qty": None if qty is None else Decimal(qty), "price": None if price is None else Decimal(price)}
    return Row(number, {"product": product, "unit": BOX, "lot": lot, "ok": ok, **figures})


VALUES = MappingProxyType(
    {
        "qty": Decimal("3.000000"), "price": Decimal("1.235"), "zero": Decimal(0), "neg": Decimal(-7), "discount": None,
        "big": Decimal("9223372036854.775807"),
        "name": "电池 AA", "code": "A-001", "remark": None, "status": "approved",
        "tags": ("hot", "new"), "old_tags": None,
        "active": True, "checked": None,
        "biz_date": date(2026, 1, 31), "due": None, "created_at": datetime(2026, 1, 20, 14, 30, 5),
        "customer": Row(7, {"credit_limit": Decimal("1000.00"), "name": "东方商贸", "owner": 5, **LEDGERS}),
        "supplier": None,
        "warehouse": MAIN, "product": BATTERY, "unit": BOX,
        "source": Row(
            9,
            {
                "total": Decimal(80), **LEDGERS,
                "lines": (Row(1, {"qty": Decimal(4)}), Row(2, {"qty": Decimal(6)})),
            },
        ),
        "creator": 5, "department": 3, "me": Row(5, {"name": "王芳", "department": 3, "warehouse": 21}),
        "lines": (
            line(1, BATTERY, "2", "10.5", "L1", True),
            line(2, CABLE, "0.5", "3", "L2", True),
            line(3, BATTERY, None, "8", None, None),
        ),
        "fees": (),
    }
)  # fmt: skip
CLOCK = Clock(date(2026, 2, 10), datetime(2026, 2, 10, 9, 15))


def checked(text: str, expected: ValueType | None = None, scope: Scope = SCOPE) -> Checked | tuple[Problem, ...]:
    """Parse and check in one go."""
    tree = parse(text)
    return check(tree, scope, expected) if isinstance(tree, Tree) else tree
