"""``postings/<key>.yaml``: what a document writes to which ledger, and when."""

from __future__ import annotations

from typing import Literal

from engine.definitions.shape import Definition, ExpressionText, Key


class EntryDef(Definition):
    """One kind of entry.

    Attributes:
        ledger: ``stock``, ``supply`` (在途), ``reservation`` (占用), ``payable``, ``receivable``.
        each: line table the entry is made for, line by line; empty: once per document.
        when: expression; without it always.
        move: move type of the glossary (``purchase_in`` …); shown and reported by.
        dimensions: dimension → expression (``product``, ``warehouse``, ``supplier``, ``customer``).
        quantity: signed expression in base units; negative goes out.
        value: signed expression in money; for stock received it is the cost, left out it is found by ``cost``.
        cost: how the value of a stock move is found when ``value`` does not say: ``average`` (present unit cost of the
            pool) or ``source`` (unit cost of the stock move of the source line: returns at original cost).
        consumes: ``source``: the entry takes from what the source line holds in this ledger, at most what is left.
        limit: ``available``: at most what is available now (reservations).
        release: entries that undo what this document's own lines still hold in the ledger (close).
    """

    ledger: Key
    each: str = ""
    when: ExpressionText | None = None
    move: Key = "other"
    dimensions: dict[Literal["product", "warehouse", "supplier", "customer"], ExpressionText] = {}
    quantity: ExpressionText | None = None
    value: ExpressionText | None = None
    cost: Literal["average", "source"] = "average"
    consumes: Literal["source"] | None = None
    limit: Literal["available"] | None = None
    release: bool = False


class PostingDef(Definition):
    """The entries of one form. ``unapprove`` and ``reopen`` need none: they mirror what approve and close wrote."""

    posting: Key
    form: Key
    approve: tuple[EntryDef, ...] = ()
    close: tuple[EntryDef, ...] = ()
