"""Texts are complete in both languages, and figures are put into the reader's words."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.labels import Label
from engine.problems import Problem, problem
from runtime.messages.catalogue import Catalogue, MissingText, load_catalogue, placeholders, shown

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
HALF_WIDTH_AFTER_CHINESE = re.compile(r"[\u4e00-\u9fff][,;:!?](?![\w{])")


def test_both_languages_have_the_same_keys(catalogue: Catalogue) -> None:
    assert set(catalogue.problems["zh"]) == set(catalogue.problems["en"])
    assert set(catalogue.words["zh"]) == set(catalogue.words["en"])


def test_both_languages_mention_the_same_figures(catalogue: Catalogue) -> None:
    differing = [
        key
        for key, zh in catalogue.problems["zh"].items()
        if (en := catalogue.problems["en"].get(key))
        and (placeholders(zh.text), placeholders(zh.hint)) != (placeholders(en.text), placeholders(en.hint))
    ]
    differing += [
        key
        for key, text in catalogue.words["zh"].items()
        if key in catalogue.words["en"] and placeholders(text) != placeholders(catalogue.words["en"][key])
    ]
    assert differing == []


def test_no_chinese_in_english_texts(catalogue: Catalogue) -> None:
    texts = {key: f"{each.text} {each.hint}" for key, each in catalogue.problems["en"].items()}
    texts |= catalogue.words["en"]
    assert {key: text for key, text in texts.items() if CHINESE.search(text)} == {}


def test_chinese_sentences_use_full_width_punctuation(catalogue: Catalogue) -> None:
    texts = {key: f"{each.text} {each.hint}" for key, each in catalogue.problems["zh"].items()}
    texts |= catalogue.words["zh"]
    assert {key: text for key, text in texts.items() if HALF_WIDTH_AFTER_CHINESE.search(text)} == {}


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (Decimal("1234567.500000"), "1,234,567.5", "1,234,567.5"),
        (Decimal("100"), "100", "100"),
        (Decimal("1E+3"), "1,000", "1,000"),
        (Decimal("-0.050"), "-0.05", "-0.05"),
        (Decimal("0.000"), "0", "0"),
        (2026, "2026", "2026"),
        (date(2026, 1, 20), "2026-01-20", "2026-01-20"),
        (Label("数量", "Quantity"), "数量", "Quantity"),
        (Label("数量"), "数量", "数量"),
        ((Label("主仓", "Main"), "B"), "主仓、B", "Main, B"),
        (True, "是", "yes"),
    ],
)
def test_figures_in_words(value: object, zh: str, en: str) -> None:
    assert (shown(value, "zh"), shown(value, "en")) == (zh, en)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two languages with one problem and one word."""
    for language in ("zh", "en"):
        folder = tmp_path / language
        folder.mkdir()
        (folder / "stock.yaml").write_text(
            "stock.short:\n  text: 'row {row}: {qty} of {field}, {{as is}}'\n  hint: at most {most}\n"
        )
        (folder / "ui_list.yaml").write_text("list.no: no\nlist.rows: '{n} rows'\n")
    return tmp_path


def test_sentence_and_hint(small: Path) -> None:
    texts = load_catalogue(small, strict=True)
    short = problem("stock.short", "lines.3.qty", row=3, qty=Decimal("2.50"), field=Label("数量", "Quantity"))
    assert texts.text(short, "en") == ("row 3: 2.5 of Quantity, {as is}", None)
    assert texts.text(short, "zh")[0] == "row 3: 2.5 of 数量, {as is}"
    full = Problem(code=short.code, params={**short.params, "most": 2})
    assert texts.text(full, "en")[1] == "at most 2"
    assert texts.line(full, "en") == "stock.short row 3: 2.5 of Quantity, {as is} at most 2"
    assert texts.ui("list.no", "en") == "no"
    assert texts.ui("list.rows", "en", n=2) == "2 rows"


def test_a_missing_text_fails_when_strict_and_shows_its_key_otherwise(small: Path) -> None:
    strict, lenient = load_catalogue(small, strict=True), load_catalogue(small)
    for ask in (
        lambda texts: texts.text(problem("stock.other"), "en")[0],
        lambda texts: texts.text(problem("stock.short", row=1), "en")[0],
        lambda texts: texts.ui("list.none", "en"),
        lambda texts: texts.ui("list.rows", "en"),
    ):
        with pytest.raises(MissingText):
            ask(strict)
        assert ask(lenient)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("stock.yaml", "stock.a: {text: x}\nstock.a: {text: y}\n", "written twice"),
        ("stock.yaml", "order.a: {text: x}\n", "belongs into order.yaml"),
        ("stock.yaml", "stock.a: {text: x, say: y}\n", "expected text and hint"),
        ("stock.yaml", "stock.a: {hint: y}\n", "expected text and hint"),
        ("ui_a.yaml", "a.b: [x]\n", "has no text"),
        ("ui_a.yaml", "list.no: again\n", "written twice"),
        ("ui_a.yaml", "- a\n", "expected a mapping"),
    ],
)
def test_a_malformed_file_is_named(small: Path, name: str, content: str, says: str) -> None:
    path = small / "zh" / name
    path.write_text(content)
    with pytest.raises(ValueError, match=says):
        load_catalogue(small)
