"""``app.yaml``: what the app is called, how it costs and counts, and what its menu shows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine.definitions.options import Option, Webhooks
from engine.definitions.posting import Dimension
from engine.definitions.shape import Definition, ExpressionText, Key, Percent
from engine.labels import Label


class AppSettings(Definition):
    """Company switches. Percentages are percent points (5 means 5 %).

    Attributes:
        cost_method: 计价方法; locked after the first posting.
        cost_scope: one cost per product over all warehouses (``company``) or per warehouse.
        cost_by_lot: 按批次计价: every lot is a cost pool of its own.
        negative_stock: 允许负库存.
        back_dating: whether a document may be dated before the last one of its goods: ``replay`` finds the cost of the
            later ones again, ``forbid`` refuses.
        lot_rule: 出库批次规则: which lots are proposed first.
        partial_reservation: whether an order may reserve less than it wants; otherwise all of a line or nothing.
        shortage_action: what follows an order that cannot be served by its promised date: ``warn`` its salesperson, or
            ask for a ``purchase_request`` as well. Rules of the app read it.
        lock_hours: how long a hard lock (锁库) holds when the document does not say.
        over_receipt, over_delivery: 超收/超发容差 in percent of the ordered quantity.
        short_close: an order counts as done when this percentage or less is missing.
        credit_control: 信用控制 of orders over the credit limit: ``off``, ``warn``, ``approve`` (the workflow asks) or
            ``block``.
        currency, money_decimals: 币别 and its decimals (0 to 3).
    """

    cost_method: Literal["moving_average", "fifo"] = "moving_average"
    cost_scope: Literal["company", "warehouse"] = "company"
    cost_by_lot: bool = False
    negative_stock: bool = False
    back_dating: Literal["replay", "forbid"] = "replay"
    lot_rule: Literal["fefo", "fifo", "manual"] = "fefo"
    partial_reservation: bool = True
    shortage_action: Literal["none", "warn", "purchase_request"] = "warn"
    lock_hours: Annotated[int, Field(ge=1, le=720)] = 24
    over_receipt: Percent = Decimal(5)
    over_delivery: Percent = Decimal(0)
    short_close: Percent = Decimal(2)
    credit_control: Literal["off", "warn", "approve", "block"] = "approve"
    currency: str = "CNY"
    money_decimals: Annotated[int, Field(ge=0, le=3)] = 2


class Dimensions(Definition):
    """Which forms play the parts the ledgers speak of. ``owner``: whose goods they are when not ours."""

    product: Key | None = None
    warehouse: Key | None = None
    supplier: Key | None = None
    customer: Key | None = None
    bin: Key | None = None
    owner: Key | None = None


class GrainDef(Definition):
    """A further set of dimensions an app's own ledger keeps balances by."""

    grain: Key
    dimensions: tuple[Dimension, ...]


class LedgerDef(Definition):
    """A ledger an app declares for itself (for example 包装物押金).

    Attributes:
        dimensions: what every entry must name; its balances are kept by all of them together.
        grains: further balances, by fewer of them.
        subject: form of the records the dimension ``subject`` names.
        nonnegative: its balances may not go below zero.
    """

    ledger: Key
    label: Label
    dimensions: Annotated[tuple[Dimension, ...], Field(min_length=1)]
    grains: tuple[GrainDef, ...] = ()
    subject: Key | None = None
    nonnegative: bool = False


class MenuItem(Definition):
    """A menu entry: a form's list, or one of the built-in pages (``stock``, ``entries``, ``closing`` …)."""

    form: Key | None = None
    page: (
        Literal[
            "stock", "entries", "balances", "movements", "health", "closing", "ageing", "statement", "vouchers",
            "tasks", "messages", "import", "settings",
        ]
        | None
    ) = None  # fmt: skip
    label: Label | None = None


class MenuGroup(Definition):
    """One module of the menu."""

    label: Label
    icon: str = "list"
    items: tuple[MenuItem, ...]


class HomeCard(Definition):
    """A to-do card on the home page: how many documents of ``form`` satisfy ``where``; a click opens that list."""

    label: Label
    form: Key
    where: ExpressionText


class Hotkey(Definition):
    """What a function key does: open a new document of a form, or open or refresh a page."""

    new: Key | None = None
    page: Literal["stock", "tasks", "home"] | None = None
    label: Label


class AppDef(Definition):
    """The app as a whole. ``calendar``: the working calendar deadlines are counted by (``calendars/<key>.yaml``).

    ``options`` are switches the app declares for itself, seen as ``app.<key>`` beside ``settings``.
    """

    app: Key
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    schema_version: Annotated[int, Field(alias="schema")] = 1
    label: Label
    summary: Label | None = None
    settings: AppSettings = AppSettings()
    options: dict[Key, Option] = {}
    webhooks: Webhooks = Webhooks()
    dimensions: Dimensions = Dimensions()
    calendar: Key | None = None
    ledgers: tuple[LedgerDef, ...] = ()
    menu: tuple[MenuGroup, ...] = ()
    cards: tuple[HomeCard, ...] = ()
    hotkeys: dict[str, Hotkey] = {}

    def company(self) -> Mapping[str, object]:
        """What ``app`` stands for in expressions: the company switches and the app's own options, by name."""
        switches = {name: Decimal(one) if type(one) is int else one for name, one in self.settings}
        return {**switches, **{name: option.value for name, option in self.options.items()}}
