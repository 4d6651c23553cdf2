"""What a record is found by: its searched fields in lower case, their full pinyin and its initials, in one text.

``蓝色弹珠`` is found by 蓝色, lansedanzhu, lanse and lsdz. Phrases decide how a character is read; where none does, the
initials of its second reading are added. The text is kept beside the record and searched by substring, so it must be
made anew whenever a searched field changes; `searchable` is the only maker.
"""

from __future__ import annotations

from collections.abc import Iterable

from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict
from pypinyin.seg.mmseg import seg

from engine.definitions.compiled import CompiledForm
from engine.document import Document, Value

LONGEST = 2000
# As typed on a keyboard: ü is v. An import makes ten thousand of these texts, so tones go in one pass.
TONES = str.maketrans("āáǎàēéěèếềīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ", "aaaaeeeeeeiiiioooouuuuvvvvvnnnm")


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
            parts.extend(_spoken(plain))
    return " ".join(dict.fromkeys(part for part in parts if part))[:LONGEST]


def terms(text: str) -> tuple[str, ...]:
    """The words of a search; a record must contain every one."""
    return tuple(text.replace("\x00", " ").lower().split())[:8]


def _spoken(text: str) -> tuple[str, str, str]:
    """Pinyin without tones, its initials, and the initials by the second readings of characters outside of phrases."""
    full: list[str] = []
    first: list[str] = []
    second: list[str] = []
    for word in seg.cut(text):
        phrase = phrases_dict.get(word)
        if phrase is not None:
            syllables = [readings[0] for readings in phrase]
            full += syllables
            initials = [syllable[:1] for syllable in syllables]
            first += initials
            second += initials
            continue
        for char in word:
            readings = pinyin_dict[ord(char)].split(",", 2) if ord(char) in pinyin_dict else [char]
            full.append(readings[0])
            first.append(readings[0][:1])
            second.append(readings[min(1, len(readings) - 1)][:1])
    return "".join(full).translate(TONES), "".join(first).translate(TONES), "".join(second).translate(TONES)
