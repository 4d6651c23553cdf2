"""``quantity``: how much of something, in the unit another field of the same row names.

The conversion into the base unit is the form's business (``base`` names the field that holds the result); this type
only keeps a number exactly.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from engine.fieldtypes.numeric import DecimalField, DecimalOptions
from engine.values import QUANTITY_SCALE


class QuantityOptions(DecimalOptions):
    """Options of ``quantity``.

    Attributes:
        unit: key of the field of the same row that holds the unit.
        base: key of the field of the same row that holds the quantity in the base unit.
    """

    decimals: Annotated[int, Field(ge=0, le=6)] = 4
    unit: str = ""
    base: str = ""


class Quantity(DecimalField):
    """数量."""

    name: ClassVar[str] = "quantity"
    options: ClassVar[type[BaseModel]] = QuantityOptions
    widget: ClassVar[str] = "quantity"
    scale: ClassVar[int] = QUANTITY_SCALE
