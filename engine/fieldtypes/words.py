"""Cleaning of typed and pasted text, shared by the field types.

``cleaned`` is what is kept: the author's characters minus those nobody sees. ``half_width`` and ``folded`` are only for
reading and comparing. The first two are idempotent; none of them knows a field type.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType

from engine.fieldtypes.digits import exact_decimal, plain
from engine.problems import Problem, problem

SHOWN_LENGTH = 40

# Full-width forms, and the dashes and signs that keyboards and Word put where a hyphen or a yen sign is meant. Not
# NFKC: that would also read 10² as 102.
WIDTH = MappingProxyType(
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | {0x3000: 0x20, 0xFFE5: 0xA5, 0xFFE0: 0xA2, 0xFFE1: 0xA3}
    | dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212, 0xFE63), 0x2D)
)


def cleaned(text: str, *, multiline: bool = False) -> str:
    """``text`` as it is kept: NFC, trimmed, without control, zero-width, direction and surrogate characters.

    Every kind of white space becomes a plain space; with ``multiline`` line breaks become ``\\n`` and tabs stay.
    """
    if not text.isprintable():
        if multiline:
            text = text.replace("\r\n", "\n")
        text = "".join(_kept(character, multiline) for character in text)
    return unicodedata.normalize("NFC", text).strip()


def _kept(character: str, multiline: bool) -> str:
    if character.isspace():
        if multiline and character in "\n\r\u0085\u2028\u2029":
            return "\n"
        return "\t" if multiline and character == "\t" else " "
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character


def half_width(text: str) -> str:
    """``text`` cleaned, with full-width letters, digits and punctuation as ASCII."""
    return cleaned(text).translate(WIDTH).strip()


def folded(text: str) -> str:
    """``text`` for comparison: compatibility forms, case and white space do not count."""
    return "".join(unicodedata.normalize("NFKC", cleaned(text)).casefold().split())


def is_blank(raw: object) -> bool:
    """Whether ``raw`` is what an empty cell delivers: nothing, or text of which nothing is left."""
    return raw is None or (isinstance(raw, str) and not cleaned(raw))


def shown(raw: object) -> str:
    """``raw`` for a sentence about it: at most 40 characters; the name of its type where it has no short text."""
    if isinstance(raw, str):
        text = cleaned(raw[: SHOWN_LENGTH * 4])
    elif isinstance(raw, bool | float | date | time):
        text = str(raw)
    elif isinstance(raw, int):
        text = str(raw) if raw.bit_length() <= 256 else "9" * SHOWN_LENGTH + "…"
    elif isinstance(raw, Decimal):
        text = plain(raw) if abs(raw.adjusted()) <= SHOWN_LENGTH else str(raw)
    else:
        text = type(raw).__name__
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"


def read_text(raw: object, *, multiline: bool = False) -> str | Problem:
    """``raw`` as cleaned text. Spreadsheets deliver codes as numbers and texts as dates; both become their plain text.

    Problems: ``field.not_text``, ``field.float_too_long``.
    """
    match raw:
        case str():
            return cleaned(raw, multiline=multiline)
        case bool():
            return problem("field.not_text", value=shown(raw))
        case int() | float() | Decimal():
            number = exact_decimal(raw)
            if isinstance(number, Problem):
                return number
            if number is None or abs(number.adjusted()) > 64:
                return problem("field.not_text", value=shown(raw))
            return plain(number)
        case datetime():
            midnight = raw.time() == time()
            return raw.date().isoformat() if midnight else raw.replace(tzinfo=None).isoformat(" ", "seconds")
        case date():
            return raw.isoformat()
        case _:
            return problem("field.not_text", value=shown(raw))
