"""Balances: what entries add up to, per grain. A balance is a projection; the entries are the truth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from engine.ledger.entry import Entry
from engine.values import ZERO

# One letter for each attribute in the text of a key, in the order of the attributes.
LETTERS = "pwblsqocjefdimt"


class BalanceKey(NamedTuple):
    """Identity of a balance. A posting makes and looks up some hundred of them, hence a plain tuple.

    Attributes:
        ledger, grain: which ledger and which of its grains. Everything else is empty or 0 where the grain does not
            speak of it.
        product, warehouse, bin, owner, partner, subject: record ids.
        lot, serial, status, element: texts.
        ref_form, ref_document, ref_line: the document or line an open amount belongs to.
        move, month: move type and ``YYYYMM``, for the grain that sums up months.
    """

    ledger: str
    grain: str
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
    move: str = ""
    month: int = 0

    @property
    def text(self) -> str:
        """The key as one text: ``stock|place|p12|w3``. Balances are locked in the order of these texts everywhere; the
        cost pool (``stock|cost|…``) comes before the places that share it, so that whoever holds it may touch them."""
        return text_of(self)


class Balance(NamedTuple):
    """Quantity in base units and value in money, both signed. A plain tuple for the same reason.

    Attributes:
        aux: second quantity of catch weight goods, signed; 0 of all others.
        last_day: latest business date of any of its entries. entries: how many there are.
        head: hash of the last entry, where the grain keeps the chain.
    """

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    last_day: date | None = None
    entries: int = 0
    head: str = ""
    aux: Decimal = ZERO

    def plus(self, *entries: Entry) -> Balance:
        """This balance after these entries."""
        quantity, value, day, count, head, aux = self
        for entry in entries:
            quantity += entry.quantity
            value += entry.value
            if entry.aux:
                aux += entry.aux
            if day is None or day < entry.biz_date:
                day = entry.biz_date
        return Balance(quantity, value, day, count + len(entries), head, aux)


EMPTY = Balance()


def available(balances: Mapping[BalanceKey, Balance], product: int, warehouse: int) -> Decimal:
    """可用量: on hand, less what may not be used, less what is reserved."""
    keys = available_keys(product, warehouse)
    stock, unusable, reserved = (balances.get(key, EMPTY).quantity for key in keys)
    return stock - unusable - reserved


@lru_cache(maxsize=4_096)
def available_keys(product: int, warehouse: int) -> tuple[BalanceKey, BalanceKey, BalanceKey]:
    """The balances ``available`` looks at: on hand, unusable, reserved."""
    return (
        BalanceKey("stock", "place", product=product, warehouse=warehouse),
        BalanceKey("stock", "unusable", product=product, warehouse=warehouse),
        BalanceKey("reservation", "place", product=product, warehouse=warehouse),
    )


@lru_cache(maxsize=4_096)
def variance_key(product: int) -> BalanceKey:
    """The balance of what costing found that neither stock nor an expense bears."""
    return BalanceKey("variance", "product", product=product)


def line_key(entry: Entry) -> BalanceKey:
    """The open quantity of a document line that ``entry`` opened or takes from."""
    return BalanceKey(
        entry.ledger,
        "line",
        product=entry.product,
        warehouse=entry.warehouse,
        ref_form=entry.ref_form,
        ref_line=entry.ref_line,
    )


@lru_cache(maxsize=16_384)
def text_of(key: BalanceKey) -> str:
    """`BalanceKey.text`, for many keys at once: one posting asks for the same few again and again, to lock and save."""
    parts = [f"{letter}{_plain(value)}" for letter, value in zip(LETTERS, key[2:], strict=True) if value]
    return "|".join((key.ledger, key.grain, *parts))


def _plain(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("|", "\\!") if isinstance(value, str) else str(value)
