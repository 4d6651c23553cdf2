"""Numbers and nesting of JSON from outside: exact, of a sane length, and refused before they cost anything."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runtime.strict_json import decimal_text, deeper_than, read_json


def test_numbers_stay_exact() -> None:
    assert read_json(b'{"a": 0.10, "b": 12345678901234567890}') == {"a": Decimal("0.10"), "b": 12345678901234567890}
    assert read_json(b"[0.10, -1.5e3]", decimal_text) == ["0.10", "-1500"]


@pytest.mark.parametrize(
    "raw", [b"{", b"NaN", b"[-Infinity]", b"1" * 41, b"1e99999999999999999999", b"[" * 100_000, b"\xff"]
)
def test_what_cannot_be_read_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(raw)


@pytest.mark.parametrize("number", [b"1e999999999", b"1e-999999999", b"0." + b"1" * 40])
def test_a_number_that_would_not_end_is_not_written_out(number: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(number, decimal_text)


def test_depth_counts_lists_and_objects() -> None:
    assert not deeper_than({"a": [{"b": 1}]}, 4)
    assert deeper_than({"a": [{"b": [1]}]}, 4)
