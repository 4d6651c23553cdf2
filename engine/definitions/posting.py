"""``postings/<key>.yaml``: what a document writes to which ledger, and when."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator

from engine.definitions.shape import Definition, ExpressionText, Key
from engine.goods import GOOD

Dimension: TypeAlias = Literal[
    "product", "warehouse", "bin", "lot", "serial", "status", "owner", "supplier", "customer", "subject", "element"
]

# 库存状态: what may be promised, and what is counted as on hand but issued to nobody.
UNUSABLE = ("inspecting", "frozen", "damaged", "rejected", "expired", "returned")
STATUSES = (GOOD, *UNUSABLE)


def _renamed(raw: object) -> object:
    # Until version 1.0 the moving average was the only method and gave its name to the basis.
    return "method" if raw == "average" else raw


CostBasis: TypeAlias = Annotated[Literal["method", "source", "pair", "share", "rest"], BeforeValidator(_renamed)]


class Spread(Definition):
    """A total of the document split over the lines of a table without losing a cent.

    Attributes:
        total: expression over the header; by: weight of each line (amount, quantity, weight ...).
    """

    total: ExpressionText
    by: ExpressionText


class EntryDef(Definition):
    """One kind of entry.

    Attributes:
        ledger: ``stock``, ``supply`` (在途), ``demand`` (待发), ``reservation`` (占用), ``freeze``, ``payable``,
            ``receivable``, ``prepaid``, ``advance``, ``cash``, ``wip``, ``expense``, or one the app declares.
        each: line table the entry is made for, line by line; empty: once per document.
        when: expression; without it always.
        move: move type of the glossary (``purchase_in`` …); shown and reported by.
        dimensions: dimension → expression. ``product``, ``warehouse``, ``bin``, ``owner``, ``supplier``, ``customer``
            and ``subject`` are records; ``lot``, ``status`` and ``element`` texts; ``serial`` a text of serial numbers,
            one entry being made for each.
        quantity: signed expression in base units; negative goes out.
        value: signed expression in money; left out for stock, it is found by ``cost``.
        spread: the value is this line's part of a total.
        aux: second quantity of goods sold by weight (浮动换算), signed. An entry that moves nothing else says
            ``value: 0``.
        due: date an amount falls due, or supply is expected.
        until: moment a reservation lapses by itself, in names of the header: what waits for approval lets go, what is
            approved is closed. Without it, or where it is empty, ``submit`` holds ``lock_hours`` and ``approve`` the
            day ``due``, or for good.
        made, expires: dates of the lot that comes in.
        cost: how costing finds the value. ``method``: as the costing method says. ``source``: at the unit cost of what
            the source line moved (returns at original cost); a ``value`` beside it is what the document says, and the
            difference goes to 成本差异. ``pair``: the opposite of the entry written before it for
            the same line (the other end of a transfer; material into work in process). ``share``: ``value`` concerns
            the goods the source line brought in; the part still here goes to stock, the rest to 成本差异 (landed cost,
            price difference). ``rest``: what is left on the ``subject`` in this ledger, or its part by ``weight``.
        weight: with ``cost: rest``: this line's weight among the lines.
        consumes: ``source``: the entry takes from what the source line holds in this ledger, at most what is left.
        limit: ``available``: at most what is available now (reservations).
        refer: document whose open amount is meant: ``self``, or an expression giving ``form/id``.
        expired: ``allow``: may take goods past their date (scrapping them, moving them aside).
        picks: the line's field somebody picks a quantity in; goods then go out by 出库批次规则 (``lot_rule``): a
            push-down splits its lines over lots and bins as proposed, and approval refuses picks that depart from it.
        lot_reason: why picks depart from the rule; with a reason they pass. Whoever may write the field may depart.
        while_frozen: what a count found (盘盈, 盘亏): may move goods that are being counted (盘点冻结) or are reserved.
        release: entries that undo what this document's own lines still hold in the ledger (close).
    """

    ledger: Key
    each: str = ""
    when: ExpressionText | None = None
    move: Key = "other"
    dimensions: dict[Dimension, ExpressionText] = {}
    quantity: ExpressionText | None = None
    value: ExpressionText | None = None
    spread: Spread | None = None
    aux: ExpressionText | None = None
    due: ExpressionText | None = None
    until: ExpressionText | None = None
    made: ExpressionText | None = None
    expires: ExpressionText | None = None
    cost: CostBasis = "method"
    weight: ExpressionText | None = None
    consumes: Literal["source"] | None = None
    limit: Literal["available"] | None = None
    refer: ExpressionText | None = None
    expired: Literal["refuse", "allow"] = "refuse"
    picks: str = ""
    lot_reason: ExpressionText | None = None
    while_frozen: bool = False
    release: bool = False


class PostingDef(Definition):
    """The entries of one form. ``unapprove`` and ``reopen`` need none: they mirror what approve and close wrote.

    Attributes:
        submit: reservations held while the document waits for approval (加急锁库). They go when it is approved,
            withdrawn or rejected, and lapse at ``until``, else after ``lock_hours``.
    """

    posting: Key
    form: Key
    submit: tuple[EntryDef, ...] = ()
    approve: tuple[EntryDef, ...] = ()
    close: tuple[EntryDef, ...] = ()
