"""Worked examples as data: every case of tests/cases/costing.

A move says what is settled (``entry``, ``day``, ``basis``, ``quantity``, ``value`` …) and what must come of it:
``books`` the change of value, ``variance`` (0 unless said), ``after`` quantity and value of the pool, ``cost`` its unit
cost, ``layers`` and ``carries`` (parts) as ``entry.part day quantity value``. A move with ``again`` is back-dated: the
later entries are settled again and must come to these values.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.costing import Move, Part, PoolState, Settled, method
from tests.costing.book import Book

CASES = Path(__file__).parent.parent / "cases" / "costing"
YEAR = 2026
KNOWN = {
    *("move", "entry", "day", "basis", "quantity", "value", "origin", "base", "parts"),
    *("books", "variance", "after", "cost", "layers", "carries", "again"),
}


def cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        # Scalars stay texts, so that no figure passes through a float.
        for case in yaml.load(path.read_text("utf-8"), yaml.BaseLoader)["cases"]:
            for key in case["methods"]:
                found.append(pytest.param(key, case, id=f"{path.stem}: {case['case']} ({key})"))
    return found


def on(text: str) -> date:
    month, day = text.split("-")
    return date(YEAR, int(month), int(day))


def move_of(row: dict[str, Any]) -> Move:
    assert set(row) <= KNOWN, set(row) - KNOWN
    return Move(
        entry=int(row["entry"]),
        day=on(row["day"]),
        basis=row["basis"],
        quantity=Decimal(row.get("quantity", "0")),
        value=Decimal(row.get("value", "0")),
        origin=int(row.get("origin", "0")),
        base=Decimal(row.get("base", "0")),
        parts=tuple(part_of(text) for text in row.get("parts", ())),
    )


def part_of(text: str) -> Part:
    root, day, quantity, value = text.split()
    return Part(day=on(day), root=int(root), quantity=Decimal(quantity), value=Decimal(value))


def layers_of(state: PoolState) -> list[str]:
    return [
        f"{one.entry}.{one.part} {one.day:%m-%d} {one.quantity.normalize():f} {one.value:.2f}" for one in state.layers
    ]


def parts_of(settled: Settled) -> list[str]:
    return [f"{one.root} {one.day:%m-%d} {one.quantity.normalize():f} {one.value:.2f}" for one in settled.parts]


@pytest.mark.parametrize(("key", "case"), cases())
def test_the_case_comes_out(key: str, case: dict[str, Any]) -> None:
    book = Book(method(key), int(case.get("places", "2")))
    for row in case["moves"]:
        if "again" in row:
            settled, *later = book.insert(move_of(row))
            values = {
                str(move.entry): each.value for (move, _), each in zip(book.kept[-len(later) :], later, strict=True)
            }
            assert values == {entry: Decimal(value) for entry, value in row["again"].items()}
        else:
            settled = book.settle(move_of(row))
        _check(row, settled, book.pool.state())


def _check(row: dict[str, Any], settled: Settled, state: PoolState) -> None:
    assert settled.value == Decimal(row["books"]), row
    assert settled.variance == Decimal(row.get("variance", "0")), row
    quantity, value = row["after"].split()
    assert (state.quantity, state.value) == (Decimal(quantity), Decimal(value)), row
    if "cost" in row:
        assert round(state.value / state.quantity, 6) == Decimal(row["cost"]), row
    if "layers" in row:
        assert layers_of(state) == row["layers"], row
    if "carries" in row:
        assert parts_of(settled) == row["carries"], row
