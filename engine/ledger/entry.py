"""Ledger entries: appended, never changed. A reversal is a further entry that mirrors one."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from engine.values import ZERO

# How the value of an entry was found, and how it is found again when an earlier entry changes. See docs/ledger.md.
Basis: TypeAlias = Literal["given", "method", "source", "share", "pair", "neutral", "rest", "derived"]
# Entries that are not appended yet are numbered from here on, so that they come after all that are.
FRESH = 2**62
COST = "cost"  # the action of derived entries: what costing adds to an entry of any document


class Entry(NamedTuple):
    """One movement in one ledger. A back-dated document reads and makes ten thousand of them, hence a plain tuple.

    Attributes:
        id: None until appended; ids rise in posting order.
        product, warehouse, bin, lot, serial, status, owner: where which goods are; 0 and empty when not kept.
        partner: supplier or customer. subject: what a ledger is about otherwise (work order, cash account).
        element: cost element, expense item, kind of reservation.
        ref_form, ref_document, ref_line: the document whose open amount it changes; of a derived entry, its cause.
        quantity: signed, base units. value: signed, money. aux: second quantity of catch weight goods, signed.
        due: when an open amount falls due, or supply is expected.
        move: move type (``purchase_in`` …; ``…_cancel`` on a mirror entry).
        form, document, line: what wrote it (line 0: the document as a whole).
        action: ``approve``, ``close`` …; ``cost`` for derived entries. batch: 1, 2, … per document, one per posting.
        basis: how ``value`` was found. ``derived``: costing's correction of entry ``origin``, with its document and
            business date.
        origin: the entry whose cost it takes or shares; 0 none.
        stated: what the document said it was worth, where costing decides which part of it is stock.
        mirror_of: id of the entry it reverses.
        hash: link in the chain of its first grain.
    """

    ledger: str
    move: str
    form: str
    document: int
    biz_date: date
    product: int = 0
    warehouse: int = 0
    bin: int = 0
    lot: str = ""
    serial: str = ""
    status: str = ""
    owner: int = 0
    partner: int = 0
    subject: int = 0
    element: str = ""
    ref_form: str = ""
    ref_document: int = 0
    ref_line: int = 0
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    aux: Decimal = ZERO
    due: date | None = None
    line: int = 0
    action: str = "approve"
    batch: int = 1
    basis: Basis = "given"
    origin: int = 0
    stated: Decimal = ZERO
    mirror_of: int | None = None
    snapshot: str = ""
    id: int | None = None
    posted_at: datetime | None = None
    user: int = 0
    hash: str = ""

    @property
    def month(self) -> int:
        """The month it counts in, ``YYYYMM``."""
        return self.biz_date.year * 100 + self.biz_date.month


NAMES = Entry._fields
