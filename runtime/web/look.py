"""How states and kinds of values look everywhere: the tone of a chip, the icon beside it, the side a figure stands on.

Meaning never rests on a colour alone: a chip carries its word, a warning its icon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Look:
    """Tone (a class ``chip-<tone>``) and icon."""

    tone: str
    icon: str


STATES: Mapping[str, Look] = MappingProxyType(
    {
        "draft": Look("draft", "pencil"),
        "pending": Look("pending", "clock"),
        "approved": Look("approved", "circle-check"),
        "rejected": Look("rejected", "circle-x"),
        "closed": Look("closed", "lock"),
        "voided": Look("voided", "ban"),
        "reversed": Look("reversed", "arrow-back-up"),
        "active": Look("approved", "circle-check"),
        "disabled": Look("closed", "ban"),
        "none": Look("idle", "circle"),
        "partial": Look("pending", "circle-dot"),
        "done": Look("approved", "circle-check"),
        "settle_none": Look("idle", "cash"),
        "settle_partial": Look("pending", "cash"),
        "settle_done": Look("approved", "cash"),
        "settle_overdue": Look("short", "calendar-due"),
    }
)
UNKNOWN = Look("idle", "circle")
FIGURES = frozenset({"quantity", "price", "money", "number", "integer", "percent"})
WIDTHS: Mapping[str, str] = MappingProxyType(
    {"date": "date", "datetime": "moment", "boolean": "short", "choice": "short"}
)


def state_look(state: object) -> Look:
    """Look of a document or execution state."""
    return STATES.get(str(state), UNKNOWN)


def type_look(type_name: str) -> str:
    """CSS class of a cell that holds a value of this type."""
    return "num" if type_name in FIGURES else f"cell-{WIDTHS.get(type_name, 'text')}"


def mark(text: str) -> str:
    """The first letter of a name, for the round mark of a person."""
    return text.strip()[:1].upper() or "?"


def beside(text: str, detail: str) -> str:
    """What ``detail`` adds to ``text``: its parts that are not in it already."""
    return " · ".join(part for part in detail.split(" · ") if part and part not in text)
