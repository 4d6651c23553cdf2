"""What a record is found by: its searched fields in lower case, their full pinyin and its initials, in one text.

``蓝色弹珠`` is found by 蓝色, lansedanzhu, lanse and lsdz. Phrases decide how a character is read; where none does, the
initials of its second reading are added. The text is kept beside the record and searched by substring, so it must be
made anew whenever a searched field changes; `searchable` is the only maker.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.definitions.compiled import CompiledForm
from engine.document import Document, Value

LONGEST = 2000


def searchable(form: CompiledForm, document: Document) -> str:
    """The search text of ``document``: its number and the fields its form searches in."""
    texts: list[Value] = [document.number]
    for path in form.definition.search:
        table, dot, key = path.partition(".")
        if dot and table in form.tables:
            texts.extend(line.values.get(key) for line in document.lines.get(table, ()))
        else:
            texts.append(document.values.get(path))
    return search_text(text for text in texts if isinstance(text, str))


def search_text(texts: Iterable[str]) -> str:
    """``texts`` in lower case, followed by pinyin and initials of those with Chinese characters."""
    parts: list[str] = []
    for text in texts:
        plain = text.lower().strip()
        parts.append(plain)
        if not plain.isascii():
            from runtime.storage.pinyin import spoken  # deferred: its dictionaries are a tenth of the start of a server

            parts.extend(spoken(plain))
    return " ".join(dict.fromkeys(part for part in parts if part))[:LONGEST]


def terms(text: str) -> tuple[str, ...]:
    """The words of a search; a record must contain every one."""
    return tuple(text.replace("\x00", " ").lower().split())[:8]
