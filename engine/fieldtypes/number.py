"""``number``: a decimal number that is neither a quantity of goods nor money: a weight, a factor, a temperature."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from engine.document import Value
from engine.fieldtypes.numeric import DecimalField, DecimalOptions
from engine.labels import Label, Language


class NumberOptions(DecimalOptions):
    """Options of ``number``: decimals, limits, and a word shown (and understood) after the digits, such as ℃ or 天."""

    unit: Label | None = None


class Number(DecimalField):
    """数字."""

    name: ClassVar[str] = "number"
    options: ClassVar[type[BaseModel]] = NumberOptions

    def suffix(self, options: BaseModel) -> str:
        unit = NumberOptions.of(options).unit
        return unit.zh if unit else ""

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        text, unit = super().format(value, options, language), NumberOptions.of(options).unit
        return f"{text} {unit.text(language)}" if text and unit else text
