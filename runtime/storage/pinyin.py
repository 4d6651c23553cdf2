"""How Chinese text is spoken, by the dictionaries of pypinyin: full pinyin and initials. Large, hence imported late."""

from __future__ import annotations

from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict
from pypinyin.seg.mmseg import seg

# As typed on a keyboard: ü is v. An import makes ten thousand of these texts, so tones go in one pass.
TONES = str.maketrans("āáǎàēéěèếềīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ", "aaaaeeeeeeiiiioooouuuuvvvvvnnnm")


def spoken(text: str) -> tuple[str, str, str]:
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
