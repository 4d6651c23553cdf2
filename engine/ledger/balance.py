"""Balances: what entries add up to, per grain. A balance is a projection; the entries are the truth."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from engine.values import ZERO


class BalanceKey(NamedTuple):
    """Identity of a balance, sortable: the order in which balances are locked everywhere. A posting makes, sorts and
    looks up some hundred of them, hence a plain tuple.

    Attributes:
        ledger, grain: which ledger and which of its grains.
        product, warehouse, partner: record ids; 0 when the grain does not speak of it.
        ref_form, ref_line: the document line an open quantity belongs to; empty and 0 when not.
    """

    ledger: str
    grain: str
    product: int = 0
    warehouse: int = 0
    partner: int = 0
    ref_form: str = ""
    ref_line: int = 0


@dataclass(frozen=True, slots=True)
class Balance:
    """Quantity in base units and value in money, both signed."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO

    def plus(self, quantity: Decimal, value: Decimal) -> Balance:
        """This balance after an entry."""
        return Balance(self.quantity + quantity, self.value + value)


EMPTY = Balance()
