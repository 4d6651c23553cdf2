"""``money``: an amount in the workspace's currency, shown with a fixed number of decimals."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from engine.document import Value
from engine.fieldtypes.numeric import DecimalField, DecimalOptions, fixed
from engine.labels import Language
from engine.values import MONEY_SCALE, ZERO, rounded

CURRENCY_SIGNS: Mapping[str, str] = MappingProxyType({"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$"})


def currency_sign(currency: str) -> str:
    """What stands before an amount: ``¥``, or the code of a currency without a sign of its own (``JPY 1,235``)."""
    return CURRENCY_SIGNS.get(currency) or (f"{currency[:3]} " if currency else "")


class MoneyOptions(DecimalOptions):
    """Options of ``money``: decimals (at most 4), limits, and the sign in front of the digits, which may be empty.

    Fields of an app that say nothing have the decimals and the sign of its currency.
    """

    decimals: Annotated[int, Field(ge=0, le=4)] = 2
    symbol: Annotated[str, Field(max_length=4)] = "¥"


class Money(DecimalField):
    """金额."""

    name: ClassVar[str] = "money"
    options: ClassVar[type[BaseModel]] = MoneyOptions
    scale: ClassVar[int] = MONEY_SCALE

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        own = MoneyOptions.of(options)
        if not isinstance(value, Decimal):
            return ""
        minus = "-" if rounded(value, own.decimals) < ZERO else ""
        return f"{minus}{own.symbol}{fixed(abs(value), own.decimals)}"
