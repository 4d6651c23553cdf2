"""Our reading of pypinyin's dictionaries cuts and reads every phrase as the package itself does."""

from __future__ import annotations

from itertools import pairwise

import pytest
from pypinyin.phrases_dict import phrases_dict
from pypinyin.seg.mmseg import seg

from runtime.storage.pinyin import TONES, spoken, words


def test_every_phrase_is_read_as_the_dictionary_says() -> None:
    wrong = [
        phrase
        for phrase, syllables in phrases_dict.items()
        if spoken(phrase)[0] != "".join(one[0] for one in syllables).translate(TONES)
    ]
    assert wrong == []


def test_text_is_cut_where_the_package_cuts_it() -> None:
    phrases = list(phrases_dict)
    texts = [first[:-1] + second[1:] for first, second in pairwise(phrases)]
    texts += [f"M6×{first[:2]} 1,{first[:-1]}" for first in phrases[::7]]
    assert [text for text in texts if list(words(text)) != list(seg.cut(text))] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("重庆, 绿茶 M8", ("chongqing, lvcha m8", "cq, lc m8", "cq, lc m8")),
        ("伺服", ("cifu", "cf", "sf")),
        ("伺", ("ci", "c", "s")),
        ("", ("", "", "")),
    ],
)
def test_full_pinyin_and_initials(text: str, expected: tuple[str, str, str]) -> None:
    assert spoken(text.lower()) == expected
