"""``formula``: a computed field whose type follows from ``result``. The expression stands in the field's ``formula``.

Everything is answered by the type of the result; only the widget differs, because nobody types into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from engine.document import Value
from engine.expressions.types import ValueType
from engine.fieldtypes.boolean import Boolean
from engine.fieldtypes.contract import ORDERED, Column, FieldType, NoOptions, Operator, Parsed
from engine.fieldtypes.date import Date
from engine.fieldtypes.money import Money
from engine.fieldtypes.number import Number
from engine.fieldtypes.percent import Percent
from engine.fieldtypes.price import Price
from engine.fieldtypes.quantity import Quantity
from engine.fieldtypes.text import Text
from engine.labels import Language
from engine.problems import Problem

Result = Literal["number", "text", "money", "quantity", "price", "percent", "boolean", "date"]
RESULTS: Mapping[str, FieldType] = MappingProxyType(
    {kind.name: kind for kind in (Number(), Text(), Money(), Quantity(), Price(), Percent(), Boolean(), Date())}
)
WITH_DECIMALS = ("number", "money", "quantity", "price", "percent")


class FormulaOptions(NoOptions):
    """Options of ``formula``: the type of the result, its decimals where it is a number, its sign where it is money."""

    result: Result = "number"
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    symbol: Annotated[str, Field(max_length=4)] | None = None

    @model_validator(mode="after")
    def _decimals_of_a_number(self) -> FormulaOptions:
        if self.decimals is not None and self.result not in WITH_DECIMALS:
            raise PydanticCustomError("definition.decimals_without_number", "decimals belong to a number")
        if self.result == "money" and (self.decimals or 0) > 4:
            raise PydanticCustomError("definition.money_decimals", "money has at most 4 decimals")
        return self

    @cached_property
    def inner(self) -> BaseModel:
        """Options of the result's own type. A computed price may be negative; a computed text may be long."""
        given: dict[str, Any] = {} if self.decimals is None else {"decimals": self.decimals}
        if self.result == "money" and self.symbol is not None:
            given["symbol"] = self.symbol
        if self.result == "price":
            given["min"] = None
        if self.result == "text":
            given["max_length"] = 1000
        return RESULTS[self.result].options.model_validate(given)


class Formula:
    """公式."""

    name: ClassVar[str] = "formula"
    options: ClassVar[type[BaseModel]] = FormulaOptions
    operators: ClassVar[tuple[Operator, ...]] = ORDERED
    widget: ClassVar[str] = "readonly"

    def value_type(self, options: BaseModel) -> ValueType:
        own = FormulaOptions.of(options)
        return RESULTS[own.result].value_type(own.inner)

    def column(self, options: BaseModel) -> Column:
        own = FormulaOptions.of(options)
        return RESULTS[own.result].column(own.inner)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        own = FormulaOptions.of(options)
        return RESULTS[own.result].parse(raw, own.inner)

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        own = FormulaOptions.of(options)
        return RESULTS[own.result].check(value, own.inner)

    def to_json(self, value: Value, options: BaseModel) -> object:
        own = FormulaOptions.of(options)
        return RESULTS[own.result].to_json(value, own.inner)

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        own = FormulaOptions.of(options)
        return RESULTS[own.result].format(value, own.inner, language)

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        own = FormulaOptions.of(options)
        return RESULTS[own.result].json_schema(own.inner)
