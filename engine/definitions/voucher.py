"""``vouchers/<key>.yaml``: which accounts the entries of the ledgers are booked to (会计凭证).

Account codes are data: an app carries one file per chart of accounts and an accountant changes the codes there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.definitions.shape import Definition, Key
from engine.labels import Label

Code = Annotated[str, Field(min_length=1, max_length=32)]


class VoucherRule(Definition):
    """Where entries of a ledger go. The first rule that fits an entry decides.

    Attributes:
        ledger: ``stock``, ``payable`` … or one of the app's own.
        moves: move types it is about; none: all. A cancelled move goes where the move went.
        element: element the entry must have (``tax``, an expense item); ``""``: it must have none; left out: any.
        categories: category of the product or the subject; none: all.
        amount: ``increase`` books the entry's value as it is, ``decrease`` its opposite: an issue is worth less than
            nothing in the ledger and still a debit to the cost of sales.
        debit, credit: accounts by code.
        skip: entries another entry's rule has booked already.
    """

    ledger: Key
    moves: tuple[Key, ...] = ()
    element: str | None = None
    categories: tuple[str, ...] = ()
    amount: Literal["increase", "decrease"] = "increase"
    debit: Code | None = None
    credit: Code | None = None
    skip: bool = False


class VoucherDef(Definition):
    """A chart of accounts and the rules that book to it.

    Attributes:
        word: 凭证字, such as 记.
        accounts: names by code. clearing: accounts that only pass amounts on within a voucher; both sides are set off
            and what is left, if anything, is shown.
        product_category, subject_category: field of the product, and of the record ``subject`` names (a cash account),
            that ``categories`` speak of.
        negative: ``red`` keeps a negative amount on its side (红字), ``swap`` books it on the other side.
    """

    voucher: Key
    label: Label
    word: Annotated[str, Field(min_length=1, max_length=10)] = "记"
    accounts: dict[Code, Label]
    clearing: tuple[Code, ...] = ()
    product_category: Key | None = None
    subject_category: Key | None = None
    negative: Literal["red", "swap"] = "red"
    rules: tuple[VoucherRule, ...]
