"""``serial_number``: a running number the system sets when a record is first saved, such as ``SN202601-00042``.

The pattern is only checked here; the number is drawn by whoever saves the record.
"""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import BaseModel, field_validator
from pydantic_core import PydanticCustomError

from engine.fieldtypes.contract import NoOptions
from engine.fieldtypes.textual import TextualField

LONGEST = 64
PIECE = re.compile(
    r"[^{}]+|\{seq(?::(?P<width>[1-9]|10))?\}|\{(?P<field>[a-z][a-z0-9_.]{0,60})(?::(?P<date>[^{}]{1,20}))?\}"
)
DATE_FORMAT = re.compile(r"(?:%[Yymd]|[-/._])+")


class SerialNumberOptions(NoOptions):
    """Options of ``serial_number``.

    Attributes:
        pattern: plain text, ``{seq:5}`` exactly once (a counter of at least 5 digits), ``{date:%Y%m}`` for today, or
            ``{field}`` and ``{field:%Y%m}`` for another field. The counter runs separately for every distinct rest.
    """

    pattern: str = "{seq:6}"

    @field_validator("pattern")
    @classmethod
    def _readable(cls, pattern: str) -> str:
        pieces = list(PIECE.finditer(pattern))
        counters = sum(piece.group().startswith(("{seq}", "{seq:")) for piece in pieces)
        if len(pattern) > LONGEST or "".join(piece.group() for piece in pieces) != pattern or counters != 1:
            raise PydanticCustomError("definition.number_pattern", "expected text with {seq:5} exactly once")
        if any(piece["date"] and not DATE_FORMAT.fullmatch(piece["date"]) for piece in pieces):
            raise PydanticCustomError("definition.number_pattern", "a date is written with %Y %y %m %d")
        return pattern


class SerialNumber(TextualField):
    """流水号."""

    name: ClassVar[str] = "serial_number"
    options: ClassVar[type[BaseModel]] = SerialNumberOptions
    widget: ClassVar[str] = "readonly"

    def longest(self, options: BaseModel) -> int:
        return LONGEST
