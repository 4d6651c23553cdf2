"""``integer``: a whole number: pieces, days, a sort order. Kept as a ``Decimal`` like every number."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator

from engine.fieldtypes.number import Number, NumberOptions


def _zero(raw: object) -> object:
    return 0 if raw == "0" else raw


class IntegerOptions(NumberOptions):
    """Options of ``integer``: limits and unit as for ``number``; decimals are always 0."""

    decimals: Annotated[Literal[0], BeforeValidator(_zero)] = 0


class Integer(Number):
    """整数."""

    name: ClassVar[str] = "integer"
    options: ClassVar[type[BaseModel]] = IntegerOptions
    scale: ClassVar[int] = 0
