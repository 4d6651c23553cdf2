"""``percent``: a rate in percent points: 13 means 13 %. ``13%`` reads as 13 and ``0.13`` stays 0.13."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from engine.document import Value
from engine.fieldtypes.numeric import DecimalField, DecimalOptions
from engine.labels import Language
from engine.values import PERCENT_SCALE


class PercentOptions(DecimalOptions):
    """Options of ``percent``: decimals and limits, in percent points."""


class Percent(DecimalField):
    """百分比."""

    name: ClassVar[str] = "percent"
    options: ClassVar[type[BaseModel]] = PercentOptions
    widget: ClassVar[str] = "percent"
    scale: ClassVar[int] = PERCENT_SCALE

    def suffix(self, options: BaseModel) -> str:
        return "%"

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        text = super().format(value, options, language)
        return f"{text}%" if text else ""
