"""The pattern a document is numbered by: ``PO{biz_date:%Y%m%d}-{seq:4}``. Says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.definitions.placeholders import holes

SEQUENCE = "seq"
SEQUENCE_WIDTH = re.compile(r"[1-9]|1[0-2]")
DATE_FORMAT = re.compile(r"(%[Yymd]|[-./])+")
DATES = ("biz_date", "today")
MAX_LENGTH = 60


def pattern_mistakes(pattern: str) -> Iterator[tuple[str, int, str]]:
    """Code, character and offending text of each mistake."""
    if len(pattern) > MAX_LENGTH:
        yield "definition.number_too_long", 0, pattern[:20]
    for brace in ("{{", "}}"):
        if brace in pattern:
            yield "definition.open_brace", pattern.index(brace), brace
    counted = 0
    for hole in holes(pattern):
        name, _, form = hole.text.partition(":")
        if not hole.closed:
            yield "definition.open_brace", hole.at - 1, hole.text
        elif name == SEQUENCE:
            counted += 1
            if form and not SEQUENCE_WIDTH.fullmatch(form):
                yield "definition.number_sequence_width", hole.at, form
        elif name not in DATES:
            yield "definition.number_placeholder", hole.at, name
        elif form and not DATE_FORMAT.fullmatch(form):
            yield "definition.number_date_format", hole.at, form
    if counted != 1:
        yield "definition.number_one_sequence", 0, pattern
