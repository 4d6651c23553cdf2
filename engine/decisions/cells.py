"""Cells of a decision table → the condition they mean of their input.

``-`` or nothing: any. ``> 5``, ``<= app.limit``, ``!= 'A'``: a comparison. ``in (…)``, ``not in (…)``. ``100..200``:
both ends included; ``[100..200)`` and its like say which. Anything else is what the input must be equal to.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import NamedTuple

ANY = ("", "-", "—", "*")
COMPARISON = re.compile(r"(<=|>=|==|!=|<|>|=|≤|≥|≠|in\b|not\s+in\b)\s*(.*)", re.S)
SIGNS = MappingProxyType({"=": "==", "≤": "<=", "≥": ">=", "≠": "!="})
RANGE = re.compile(r"([\[(])?\s*([^'\"]+?)\s*\.\.\s*([^'\"]+?)\s*([\])])?")
CONSTANTS = MappingProxyType({"true": "True", "false": "False"})


class CellText(NamedTuple):
    """A condition as text, and how many characters stand in it before the first one of the cell."""

    text: str
    before: int


def condition_of(name: str, cell: str) -> CellText | None:
    """What ``cell`` says of the input ``name``; None when it admits anything."""
    text = cell.strip()
    if text in ANY:
        return None
    if (found := COMPARISON.fullmatch(text)) is not None:
        sign = SIGNS.get(found[1], found[1])
        prefix = f"{name} {sign} "
        return CellText(f"{prefix}{_listed(sign, found[2])}", len(prefix) - found.start(2))
    if (ends := RANGE.fullmatch(text)) is not None:
        low = ">" if ends[1] == "(" else ">="
        high = "<" if ends[4] == ")" else "<="
        prefix = f"{name} {low} "
        return CellText(f"{prefix}{ends[2]} and {name} {high} {ends[3]}", len(prefix) - ends.start(2))
    prefix = f"{name} == "
    return CellText(f"{prefix}{CONSTANTS.get(text, text)}", len(prefix))


def _listed(sign: str, text: str) -> str:
    """A list of one is a list as well: ``in ('A')``."""
    is_list = sign.endswith("in") and text.startswith("(") and text.endswith(")")
    return f"[{text[1:-1]}]" if is_list else text
