"""``price``: money per unit. Six decimals, because a case price divided by 24 must still multiply back."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from engine.document import Value
from engine.fieldtypes.numeric import DecimalField, DecimalOptions, grouped
from engine.labels import Language
from engine.values import PRICE_SCALE


class PriceOptions(DecimalOptions):
    """Options of ``price``: decimals and limits; not negative unless ``min`` says otherwise."""

    decimals: Annotated[int, Field(ge=0, le=6)] = 6
    min: Decimal | None = Decimal(0)


class Price(DecimalField):
    """单价."""

    name: ClassVar[str] = "price"
    options: ClassVar[type[BaseModel]] = PriceOptions
    scale: ClassVar[int] = PRICE_SCALE

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        least = min(2, PriceOptions.of(options).decimals)
        return grouped(value, least) if isinstance(value, Decimal) else ""
