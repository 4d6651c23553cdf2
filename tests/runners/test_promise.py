"""Promises as data: every case of tests/cases/promise."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.labels import LANGUAGES
from engine.problems import Severity
from engine.promise import (
    Allocation,
    Answer,
    Backorder,
    LineKey,
    Supply,
    Timeline,
    Wanted,
    allocate,
    answer,
    available_to_promise,
    forecast,
    order_day,
    releasable,
    reserve,
    said,
    source,
    unfounded,
)
from runtime.messages.catalogue import Catalogue

CASES = yaml.safe_load((Path(__file__).parent.parent / "cases" / "promise" / "promises.yaml").read_text("utf-8"))
TODAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 8)


def each(section: str) -> Any:
    return pytest.mark.parametrize("case", CASES[section], ids=lambda case: case.get("name", ""))


def day(number: int | None) -> date | None:
    return None if number is None else TODAY + timedelta(days=number)


def key(letter: str) -> LineKey:
    return LineKey("line", ord(letter))


def letter(line: LineKey) -> str:
    return chr(line.line)


def waiting(written: dict[str, list[Any]]) -> list[Backorder]:
    return [
        Backorder(
            key=key(name),
            quantity=Decimal(str(quantity)),
            promised=day(promised),
            ordered=NOW + timedelta(hours=hour),
            rush="rush" in (marks[0] if marks else ()),
            whole="whole" in (marks[0] if marks else ()),
        )
        for name, (quantity, promised, hour, *marks) in written.items()
    ]


def given(allocations: tuple[Allocation, ...]) -> list[tuple[str, list[Any]]]:
    return [(letter(one.key), [one.quantity, one.complete]) for one in allocations]


def timeline(case: dict[str, Any]) -> Timeline:
    supplies, demands = (
        [(TODAY + timedelta(days=due), Decimal(quantity)) for due, quantity in case.get(side, ())]
        for side in ("supplies", "demands")
    )
    return available_to_promise(Decimal(case["free"]), supplies, demands, TODAY)


@pytest.mark.parametrize(("wanted", "available", "whole", "reserved", "backorder"), CASES["reserve"])
def test_reserve(wanted: int, available: int, whole: bool, reserved: int, backorder: int) -> None:
    assert reserve(Decimal(wanted), Decimal(available), whole) == (reserved, backorder)


@each("allocate")
def test_allocate(case: dict[str, Any]) -> None:
    for orders in (waiting(case["waiting"]), waiting(case["waiting"])[::-1]):
        assert given(allocate(orders, Decimal(case["free"]))) == list(case["given"].items())


@each("releasable")
def test_releasable(case: dict[str, Any]) -> None:
    offered = releasable(waiting(case["waiting"]), Decimal(case["free"]), case.get("rush", False))
    assert given(offered) == list(case["given"].items())


@each("forecast")
def test_forecast(case: dict[str, Any]) -> None:
    supplies = [
        Supply(key=key(name), quantity=Decimal(quantity), due=TODAY + timedelta(days=due))
        for name, (quantity, due) in case["supplies"].items()
    ]
    for orders in (waiting(case["waiting"]), waiting(case["waiting"])[::-1]):
        free = Decimal(case.get("free", 0))
        lost = unfounded(waiting(case.get("reserved", {})), free)
        assert {letter(one.key): one.quantity for one in lost} == case.get("lost", {})
        found = forecast(orders, supplies[::-1], free, lost)
        assert [
            [letter(one.demand), letter(one.supply) if one.supply else "", one.quantity, (one.day - TODAY).days]
            for one in found.arrivals
        ] == case["arrivals"]
        assert {letter(line): quantity for line, quantity in found.uncovered.items()} == case["uncovered"]


@each("available")
def test_available(case: dict[str, Any]) -> None:
    found = timeline(case)
    steps = [[(step.day - TODAY).days, step.expected, step.promisable] for step in found.steps]
    assert steps == case["steps"]
    assert {quantity: found.earliest(Decimal(quantity)) for quantity in case["earliest"]} == {
        quantity: day(number) for quantity, number in case["earliest"].items()
    }
    for number, expected in case.get("on", {}).items():
        assert found.on(TODAY + timedelta(days=number)).expected == expected


@each("answers")
def test_answers(catalogue: Catalogue, case: dict[str, Any]) -> None:
    others = [(warehouse, Decimal(free)) for warehouse, free in case.get("others", ())]
    found = answer(
        Decimal(case["quantity"]), timeline(case), TODAY, others, case.get("lead_days"), case.get("whole", False)
    )
    kind, now, elsewhere, number = case["answer"]
    assert [found.kind, found.now, [list(one) for one in found.elsewhere], found.day] == [
        kind, now, elsewhere, day(number)
    ]  # fmt: skip
    sentences = said(found, "lines.1", day(case.get("wanted")))
    assert [one.code for one in sentences] == case["said"]
    assert {(one.where, one.severity) for one in sentences} == {("lines.1", Severity.WARNING)}
    assert all(catalogue.text(one, language)[0] for one in sentences for language in LANGUAGES)


@pytest.mark.parametrize(("numbers", "order"), CASES["order_days"])
def test_order_days(numbers: list[int | None], order: int | None) -> None:
    answers = [Answer(kind="later", quantity=Decimal(1), now=Decimal(0), day=day(number)) for number in numbers]
    assert order_day(answers) == day(order)


@each("warehouses")
@pytest.mark.parametrize("sourcing", ["single", "nearest", "split"])
def test_warehouses(case: dict[str, Any], sourcing: Any) -> None:
    lines = [
        Wanted(key=key(name), product=product, quantity=Decimal(quantity))
        for name, (product, quantity) in case["lines"].items()
    ]
    free = {
        (warehouse, product): Decimal(quantity)
        for warehouse, stock in case["free"].items()
        for product, quantity in stock.items()
    }
    sourced = [[letter(one.key), one.warehouse, one.quantity] for one in source(lines, free, case["near"], sourcing)]
    assert sourced == case[sourcing]
