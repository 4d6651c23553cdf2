"""How Chinese text is spoken, by the dictionaries of pypinyin: full pinyin and initials. Large, hence imported late.

Only the dictionaries are taken from the package, and kept small: importing it holds every reading of every phrase, and
every beginning of one, which is four times as much memory as all else a small company needs.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path
from types import MappingProxyType

# As typed on a keyboard: ü is v. An import makes ten thousand of these texts, so tones go in one pass.
TONES = str.maketrans("āáǎàēéěèếềīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ", "aaaaeeeeeeiiiioooouuuuvvvvvnnnm")
CHARACTER = re.compile(r'"(\d+)"\s*:\s*"([^",]*(?:,[^",]*)?)')
# A phrase, or the first reading of one of its characters.
PHRASE = re.compile(r'"([^"]*)"\s*:|\[\s*"([^"]*)"')


def _text(name: str) -> str:
    return Path(str(distribution("pypinyin").locate_file(f"pypinyin/{name}.json"))).read_text("utf-8")


def _characters() -> Mapping[int, str]:
    """Code point → its first two readings, comma between them."""
    shared: dict[str, str] = {}
    found = CHARACTER.finditer(_text("pinyin_dict"))
    return MappingProxyType({int(one[1]): shared.setdefault(one[2], one[2]) for one in found})


def _phrases(characters: Mapping[int, str]) -> Mapping[str, str]:
    """Phrase → its syllables, a space between them; empty where every character is read as it is by itself."""
    readings: dict[str, str] = {}
    phrase, syllables = "", list[str]()

    def keep() -> None:
        if phrase:
            alone = [characters.get(ord(char), "").partition(",")[0] for char in phrase]
            readings[phrase] = "" if syllables == alone else " ".join(syllables)

    for one in PHRASE.finditer(_text("phrases_dict")):
        if one[1] is None:
            syllables.append(one[2])
            continue
        keep()
        phrase, syllables = one[1], []
    keep()
    return MappingProxyType(readings)


def _longest(phrases: Mapping[str, str]) -> Mapping[str, int]:
    """First character → length of the longest phrase that begins with it."""
    found: dict[str, int] = {}
    for phrase in phrases:
        found[phrase[0]] = max(found.get(phrase[0], 0), len(phrase))
    return MappingProxyType(found)


CHARACTERS = _characters()
PHRASES = _phrases(CHARACTERS)
LONGEST = _longest(PHRASES)
IN_ORDER = tuple(sorted(PHRASES))


# The dictionaries know nothing before U+2E80, so letters and figures end every phrase and are spoken as they are.
RUN = re.compile("[\u2e80-\U0010ffff]+|[^\u2e80-\U0010ffff]+")
FIRST = "\u2e80"
LONGEST_KEPT = 24


def words(text: str, ends: bool = True) -> Iterator[str]:
    """``text`` cut from the left into the longest phrases known, and single characters between them.

    ``ends``: nothing follows it, so a phrase whose end is missing may stand there.
    """
    start, end = 0, len(text)
    while start < end:
        longest = LONGEST.get(text[start], 0)
        for stop in range(min(end, start + longest), start, -1):
            if text[start:stop] in PHRASES:
                yield text[start:stop]
                start = stop
                break
        else:
            if ends and end - start < longest and _begins_a_phrase(text[start:]):
                yield from text[start:]
                return
            yield text[start]
            start += 1


def spoken(text: str) -> tuple[str, str, str]:
    """Pinyin without tones, its initials, and the initials by the second readings of characters outside of phrases."""
    read: list[tuple[str, str, str]] = []
    for found in RUN.finditer(text):
        run = found[0]
        if run < FIRST:
            same = run.translate(TONES)
            read.append((same, same, same))
        elif len(run) <= LONGEST_KEPT:
            read.append(_kept(run, found.end() == len(text)))
        else:
            read.append(_read(run, found.end() == len(text)))
    full, first, second = zip(*read, strict=True) if read else ((), (), ())
    return "".join(full), "".join(first), "".join(second)


def _read(run: str, ends: bool) -> tuple[str, str, str]:
    """A run of Chinese, as `spoken` does."""
    full: list[str] = []
    first: list[str] = []
    second: list[str] = []
    for word in words(run, ends):
        syllables = PHRASES.get(word)
        if syllables:
            each = syllables.split()
            full += each
            initials = [syllable[:1] for syllable in each]
            first += initials
            second += initials
            continue
        for char in word:
            known = CHARACTERS.get(ord(char))
            reading, _, other = (char, "", "") if known is None else known.partition(",")
            full.append(reading)
            first.append(reading[:1])
            second.append((other if other and syllables is None else reading)[:1])
    return "".join(full).translate(TONES), "".join(first).translate(TONES), "".join(second).translate(TONES)


# The names of a catalogue are made of few words, and an import reads ten thousand of them.
_kept = lru_cache(maxsize=4096)(_read)


def _begins_a_phrase(rest: str) -> bool:
    """Whether ``rest`` is the beginning of some phrase, whose end is missing."""
    place = bisect_left(IN_ORDER, rest)
    return place < len(IN_ORDER) and IN_ORDER[place].startswith(rest)
