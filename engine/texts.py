"""Texts with holes filled in, and how values read inside a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from engine.expressions.types import Row
from engine.labels import Label

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def rendered(title: Label, placeholders: Mapping[str, object]) -> Label:
    """``title`` with its ``{expression}`` placeholders replaced by values."""

    def put(text: str) -> str:
        return PLACEHOLDER.sub(lambda match: shown(placeholders.get(match[1].strip())), text)

    return Label(zh=put(title.zh), en=put(title.en))


def shown(value: object) -> str:
    """A value inside a sentence: decimals without trailing zeros, dates ISO, several joined, nothing as a dash."""
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, tuple):
        return "、".join(shown(each) for each in value)
    if isinstance(value, Row):
        return str(value.id)
    return value.isoformat() if isinstance(value, date) else str(value)
