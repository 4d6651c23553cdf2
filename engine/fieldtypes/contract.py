"""The questions every field type answers. One kind, one file, one contract suite (tests/contracts).

A field type is a stateless value. It knows how a raw input becomes a value, how a value is shown, kept, compared and
described; it does not know forms, storage engines, templates or the person asking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

from engine.document import Value
from engine.expressions.types import ValueType
from engine.labels import Language
from engine.problems import Problem

Parsed: TypeAlias = Value | tuple[Problem, ...]


class NoOptions(BaseModel):
    """Options of a field type that has none; also the parent of those that have some: frozen, extra keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def of(cls, options: BaseModel) -> Self:
        """``options`` as this very model. Raises ``TypeError`` when a caller hands over another type's options."""
        # isinstance, without the detour of pydantic's metaclass, which is ten times as slow: asked once per value
        if cls in type(options).__mro__:
            return options  # type: ignore[return-value]
        raise TypeError(f"expected {cls.__name__}, got {type(options).__name__}")


class Storage(StrEnum):
    """How a value is kept: the shape of its column.

    ``scaled`` holds a ``Decimal`` (scale 0 for whole numbers); ``integer`` and ``reference`` an ``int`` id; ``json`` a
    tuple of texts or a mapping of texts, as ``to_json`` writes it; ``none`` no column at all.
    """

    TEXT = "text"
    LONG_TEXT = "long_text"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    INTEGER = "integer"
    SCALED = "scaled"
    REFERENCE = "reference"
    JSON = "json"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Column:
    """Storage shape of a field.

    Attributes:
        storage: shape. scale: decimals of a ``scaled`` column. length: longest text, 0 for unlimited.
    """

    storage: Storage
    scale: int = 0
    length: int = 0


class Operator(StrEnum):
    """What a list may filter a field by."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    CONTAINS = "contains"
    STARTS = "starts"
    EMPTY = "empty"
    NOT_EMPTY = "not_empty"


EQUALITY = (Operator.EQ, Operator.NE, Operator.IN, Operator.EMPTY, Operator.NOT_EMPTY)
ORDERED = (*EQUALITY, Operator.LT, Operator.LE, Operator.GT, Operator.GE)
TEXTUAL = (*EQUALITY, Operator.CONTAINS, Operator.STARTS)


class FieldType(Protocol):
    """What a field can be.

    ``parse`` accepts what pages (text), JSON and spreadsheets deliver and is idempotent on its own values. It returns
    the value (``None`` when empty) or problems whose ``where`` is empty; the caller knows the address. ``required``
    is not its business.
    """

    name: ClassVar[str]
    options: ClassVar[type[BaseModel]]
    operators: ClassVar[tuple[Operator, ...]]
    widget: ClassVar[str]

    def value_type(self, options: BaseModel) -> ValueType:
        """Type in expressions."""
        ...

    def column(self, options: BaseModel) -> Column:
        """Storage shape; ``Storage.NONE`` for what is not kept in a column of its own (line tables)."""
        ...

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        """Raw input → value, or every problem with it. ``settled`` tells the two apart."""
        ...

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        """Limits the options set (min, max, length, pattern, allowed values …) on a parsed, non-empty value."""
        ...

    def to_json(self, value: Value, options: BaseModel) -> object:
        """JSON form: decimals as text without exponent, dates ISO; ``parse(to_json(v)) == v``."""
        ...

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        """What a person reads in a list cell or print; empty text for ``None``. Links show their id here; names are
        put in by whoever loaded them."""
        ...

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        """JSON Schema (2020-12) of ``to_json``'s result for a non-empty value."""
        ...


def settled(parsed: Parsed) -> tuple[Value, tuple[Problem, ...]]:
    """What ``parse`` returned, taken apart: ``(value, ())`` or ``(None, problems)``."""
    if isinstance(parsed, tuple):
        problems = tuple(item for item in parsed if isinstance(item, Problem))
        if problems:
            return None, problems
        return tuple(item for item in parsed if isinstance(item, str)), ()
    return parsed, ()


def read(kind: FieldType, raw: object, options: BaseModel) -> tuple[Value, tuple[Problem, ...]]:
    """Parse and check in one go: ``(value, ())`` when everything is right, else ``(None, problems)``."""
    value, problems = settled(kind.parse(raw, options))
    if problems or value is None:
        return value, problems
    problems = tuple(kind.check(value, options))
    return (None, problems) if problems else (value, ())
