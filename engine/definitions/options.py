"""What an app declares for its rules: options (thresholds, switches) and webhooks, both directions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from engine.definitions.shape import Definition, Key
from engine.expressions.types import BOOLEAN, DATE, DATETIME, NUMBER, TEXT, Kind, ValueType
from engine.labels import Label

SWITCH = MappingProxyType({"true": True, "false": False})
PAYLOAD_TYPES: Mapping[str, ValueType] = MappingProxyType(
    {"number": NUMBER, "text": TEXT, "boolean": BOOLEAN, "date": DATE, "datetime": DATETIME}
)
PAYLOAD = "payload"


class Option(Definition):
    """A setting of the app's own, such as the threshold of a rule; ``app.<key>`` in expressions.

    Attributes:
        type: kind of value. choices: the words of a ``choice``. default: its value until the company sets another.
    """

    type: Literal["number", "text", "boolean", "choice"]
    default: str
    label: Label
    help: Label | None = None
    choices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _readable(self) -> Option:
        try:
            self.read(self.default)
        except ValueError as wrong:
            raise PydanticCustomError("definition.option_default", "not a value of its type") from wrong
        return self

    def read(self, raw: str) -> Decimal | str | bool:
        """``raw`` as a value of the option. Raises ``ValueError`` when it is none."""
        if self.type == "boolean":
            if raw not in SWITCH:
                raise ValueError(raw)
            return SWITCH[raw]
        if self.type == "choice" and raw not in self.choices:
            raise ValueError(raw)
        if self.type != "number":
            return raw
        try:
            number = Decimal(raw)
        except InvalidOperation as wrong:
            raise ValueError(raw) from wrong
        if not number.is_finite():
            raise ValueError(raw)
        return number

    @property
    def value(self) -> Decimal | str | bool:
        """Its value as expressions see it."""
        return self.read(self.default)

    @property
    def value_type(self) -> ValueType:
        """Its type in expressions."""
        if self.type == "choice":
            return ValueType(Kind.TEXT, choices=self.choices)
        return PAYLOAD_TYPES[self.type]


class PayloadColumn(Definition):
    """A field of a list in a message."""

    type: Literal["number", "text", "boolean", "date", "datetime"]
    label: Label | None = None


class PayloadField(Definition):
    """A field of an inbound message; ``lines`` holds a list of objects with ``fields`` of their own."""

    type: Literal["number", "text", "boolean", "date", "datetime", "lines"]
    label: Label | None = None
    fields: dict[Key, PayloadColumn] = {}


class Inbound(Definition):
    """Messages others send to us: rules see what ``fields`` declares as ``payload``; anything else is left out."""

    label: Label
    fields: dict[Key, PayloadField] = {}


class Outbound(Definition):
    """An address we send to. ``events``: the names of what is sent there; the address itself is the company's."""

    label: Label
    events: tuple[str, ...] = ()


class Webhooks(Definition):
    """The webhooks of the app by name."""

    inbound: dict[Key, Inbound] = {}
    outbound: dict[Key, Outbound] = {}


def payload_record(webhook: str, table: str = "") -> str:
    """Name of the record of an inbound message, or of a list in it."""
    return f"{PAYLOAD}:{webhook}.{table}" if table else f"{PAYLOAD}:{webhook}"


def payload_records(webhooks: Webhooks) -> dict[str, Mapping[str, ValueType]]:
    """Fields by record name, of every inbound message."""
    found: dict[str, Mapping[str, ValueType]] = {}
    for name, inbound in webhooks.inbound.items():
        fields: dict[str, ValueType] = {}
        for key, field in inbound.fields.items():
            if field.type == "lines":
                record = payload_record(name, key)
                fields[key] = ValueType(Kind.LINES, record)
                found[record] = {each: PAYLOAD_TYPES[column.type] for each, column in field.fields.items()}
            else:
                fields[key] = PAYLOAD_TYPES[field.type]
        found[payload_record(name)] = fields
    return found
