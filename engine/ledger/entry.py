"""Ledger entries: appended, never changed. A reversal is a further entry that mirrors one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from engine.values import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One movement in one ledger.

    Attributes:
        id: None until appended; ids rise in posting order.
        quantity: signed, base units. value: signed, money.
        move: move type (``purchase_in`` …; ``…_cancel`` on a mirror entry).
        form, document, line: what wrote it (line 0: the document as a whole).
        ref_form, ref_document, ref_line: the order line whose open quantity it changes.
        action: ``approve``, ``close`` …; batch: 1, 2, … per document, one per act of posting.
        mirror_of: id of the entry it reverses.
    """

    ledger: str
    product: int = 0
    warehouse: int = 0
    partner: int = 0
    ref_form: str = ""
    ref_document: int = 0
    ref_line: int = 0
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    move: str
    form: str
    document: int
    line: int = 0
    action: str = "approve"
    batch: int = 1
    biz_date: date
    mirror_of: int | None = None
    snapshot: str = ""
    id: int | None = None
    posted_at: datetime | None = None
    user: int = 0
