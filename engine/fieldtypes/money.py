"""``money``: an amount in the workspace's currency, shown with a fixed number of decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from engine.document import Value
from engine.fieldtypes.numeric import DecimalField, DecimalOptions, fixed
from engine.labels import Language
from engine.values import MONEY_SCALE, ZERO, rounded


class MoneyOptions(DecimalOptions):
    """Options of ``money``: decimals (at most 4), limits, and the sign in front of the digits, which may be empty."""

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
