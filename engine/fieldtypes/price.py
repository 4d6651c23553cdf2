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
    """Options of ``price``: decimals and limits; not negative unless ``min`` says otherwise.

    Attributes:
        unit: key of the field of the same row that holds the unit the price is for. A price filled in by a link is for
            the base unit and is converted; it follows when another unit is chosen.
    """

    decimals: Annotated[int, Field(ge=0, le=6)] = 6
    min: Decimal | None = Decimal(0)
    unit: str = ""


def unit_of(options: BaseModel) -> str:
    """The field of the same row that holds the unit a price is for; empty for a price without, and for other types."""
    return options.unit if isinstance(options, PriceOptions) else ""


class Price(DecimalField):
    """单价."""

    name: ClassVar[str] = "price"
    options: ClassVar[type[BaseModel]] = PriceOptions
    scale: ClassVar[int] = PRICE_SCALE

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        least = min(2, PriceOptions.of(options).decimals)
        return grouped(value, least) if isinstance(value, Decimal) else ""
