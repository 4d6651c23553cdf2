"""The reference page is what the code says today, and every command option explains itself."""

from __future__ import annotations

from tools.reference import PAGE, reference


def test_the_reference_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == reference(), "run: python -m tools.reference"


def test_every_option_has_a_help() -> None:
    empty = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert empty == []
