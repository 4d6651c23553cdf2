"""Column headings made comparable: the same heading written by two people becomes the same key.

Keeps what was stripped: the unit in brackets is a hint for the type, a star says "required".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_STAR = re.compile(r"[*＊※]|\((?:必填|必须|required)\)|【必填】|\[必填\]", re.IGNORECASE)
_BRACKETS = re.compile(r"[(\[【{]([^()\[\]【】{}]*)[)\]】}]")
_UNIT_SUFFIX = re.compile(r"[/](元|kg|公斤|千克|个|件|箱|吨|米|天|月|%)$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_JUNK = re.compile(r"[\s_\-:;,.、，。：；/\\|'\"“”‘’*#()\[\]【】{}<>《》·]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading taken apart.

    Attributes:
        text: for showing, on one line.
        key: for comparing; lower case, no spaces, punctuation, stars or unit.
        words: lower-case words of a Latin heading (``ProductSKU`` → ``product``, ``sku``); empty for Chinese.
        hint: what stood in brackets or after a slash: a unit, "%", "天".
        required: marked with a star or 必填.
    """

    text: str
    key: str
    words: tuple[str, ...] = ()
    hint: str = ""
    required: bool = False


def plain(text: str) -> str:
    """NFKC, without invisible characters, white space collapsed and trimmed."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).split())


def heading(raw: str) -> Heading:
    """Take a heading cell apart; never fails."""
    text = plain(raw)
    required = bool(_STAR.search(text))
    stripped, hints = _bare(text)
    words = tuple(w for w in re.split(r"[^a-z0-9]+", _CAMEL.sub(" ", stripped).lower()) if w)
    key = _key(stripped)
    latin = key.isascii()
    return Heading(text=text, key=key, words=words if latin else (), hint=" ".join(hints), required=required)


def key_of(raw: str) -> str:
    """Only the comparing key of a heading."""
    return _key(_bare(plain(raw))[0])


def _bare(text: str) -> tuple[str, list[str]]:
    """The heading without star, brackets and unit, and the hints that stood in them."""
    bare = _STAR.sub("", text)
    hints = [found.strip() for found in _BRACKETS.findall(bare) if found.strip()]
    stripped = _BRACKETS.sub("", bare).strip() or bare
    slash = _UNIT_SUFFIX.search(stripped)
    if slash:
        hints.append(slash.group(1))
        stripped = stripped[: slash.start()]
    return stripped, hints


def _key(stripped: str) -> str:
    return _JUNK.sub("", stripped).lower()
