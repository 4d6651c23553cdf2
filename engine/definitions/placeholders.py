"""Texts with holes: ``{code} {name}`` and ``PO{biz_date:%Y%m%d}-{seq:4}``. ``{{`` and ``}}`` are braces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hole:
    """What stands between a pair of braces, and at which character it begins; ``closed`` is False at the text's end."""

    text: str
    at: int
    closed: bool = True


def holes(text: str) -> Iterator[Hole]:
    """The holes of ``text``, in order. A quoted brace inside a hole does not close it."""
    position = 0
    while (position := text.find("{", position)) >= 0:
        if text.startswith("{{", position):
            position += 2
            continue
        end = _end(text, position + 1)
        if end < 0:
            yield Hole(text[position + 1 :], position + 1, closed=False)
            return
        yield Hole(text[position + 1 : end], position + 1)
        position = end + 1


def _end(text: str, position: int) -> int:
    quote = ""
    while position < len(text):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "}":
            return position
        position += 1
    return -1
