"""``open_item``: a document of which something is still open in a money ledger, kept as ``form/id``.

What a receipt, a payment or a settlement names on its lines (核销). Text that is not of that shape is a document
number, which whoever holds the documents turns into the reference before the value is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from engine.fieldtypes.contract import EQUALITY, NoOptions, Operator
from engine.fieldtypes.textual import TextualField
from engine.problems import Problem, problem

LONGEST = 80
PATTERN = r"[a-z][a-z0-9_]{0,47}/[1-9][0-9]{0,17}"
REFERENCE = re.compile(PATTERN)


class OpenItemOptions(NoOptions):
    """Options of ``open_item``.

    Attributes:
        ledger: whose open amounts may be picked. partner: field of the header that names whose.
        fills: field of this row → what is copied into it: ``open`` (未结金额), ``total`` (原始金额), ``due`` (到期日)
            or ``day`` (单据日期). A read-only field follows at every look; another is filled when the item is picked.
    """

    ledger: Literal["receivable", "payable", "advance", "prepaid"]
    partner: Annotated[str, Field(min_length=1, max_length=48)]
    fills: dict[str, Literal["open", "total", "due", "day"]] = Field(default_factory=dict)


class OpenItem(TextualField):
    """未结单据."""

    name: ClassVar[str] = "open_item"
    options: ClassVar[type[BaseModel]] = OpenItemOptions
    operators: ClassVar[tuple[Operator, ...]] = EQUALITY
    widget: ClassVar[str] = "open_item"

    def longest(self, options: BaseModel) -> int:
        return LONGEST

    def tidy(self, text: str, options: BaseModel) -> str | Problem:
        return text if REFERENCE.fullmatch(text) else problem("field.not_an_open_item", value=text[:40])

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        return {"type": "string", "pattern": f"^{PATTERN}$"}


def referred(value: object) -> tuple[str, int] | None:
    """The document a value of this type names, ``(form, id)``; None when empty or of another shape."""
    if not isinstance(value, str) or not REFERENCE.fullmatch(value):
        return None
    form, _, identity = value.partition("/")
    return form, int(identity)
