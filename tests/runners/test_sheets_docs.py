"""docs/import.md tells the truth: every problem code with its sentence, the limits, the reasons for dropping a row."""

from __future__ import annotations

from pathlib import Path

from engine.sheets import Reason, Why
from runtime.messages.catalogue import Catalogue
from runtime.sheets import DEFAULT_LIMITS

DOC = (Path(__file__).parents[2] / "docs" / "import.md").read_text("utf-8")


def test_every_code_is_documented(catalogue: Catalogue) -> None:
    missing = [
        code
        for language in ("zh", "en")
        for code, text in catalogue.problems[language].items()
        if code.startswith("sheet.") and (f"`{code}`" not in DOC or text.text not in DOC)
    ]
    assert missing == []


def test_the_limits_are_the_documented_ones() -> None:
    assert f"文件 {DEFAULT_LIMITS.max_bytes >> 20} MB" in DOC
    assert f"{DEFAULT_LIMITS.max_rows:,} 行、{DEFAULT_LIMITS.max_columns} 列" in DOC
    assert f"{DEFAULT_LIMITS.max_cells // 10_000} 万个单元格" in DOC


def test_every_reason_has_words(catalogue: Catalogue) -> None:
    for language in ("zh", "en"):
        assert all(catalogue.ui(f"sheet.dropped.{reason}", language) for reason in Reason)
        assert all(catalogue.ui(f"sheet.why.{why}", language) for why in Why)
    assert all(catalogue.ui(f"sheet.dropped.{reason}", "zh") in DOC for reason in Reason)
