"""What is wanted and what is coming: order lines that wait for goods, supplies on their way, and who goes first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias


class LineKey(NamedTuple):
    """A document line: form key and line id."""

    form: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backorder:
    """The part of an order line for which nothing is reserved yet (欠货), or, for ``releasable``, a reserved one.

    Attributes:
        quantity: base units, positive.
        rush: 加急. promised: 承诺交期, None when nothing was promised. ordered: when the order was placed.
        whole: the line takes all or nothing (不接受部分发货).
    """

    key: LineKey
    quantity: Decimal
    rush: bool = False
    promised: date | None = None
    ordered: datetime
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Goods on their way (在途, 在产): the open quantity of a line in base units, and the day it is due."""

    key: LineKey
    quantity: Decimal
    due: date


Priority: TypeAlias = tuple[bool, date, datetime, LineKey]


def priority(order: Backorder) -> Priority:
    """Sort key: rush first, then the promised date, then the time of the order (domain rule B0.6).

    Without a promised date an order comes after all that have one; nobody waits for it on a certain day. The line
    itself decides last, so that the order is the same every time.
    """
    return not order.rush, order.promised or date.max, order.ordered, order.key
