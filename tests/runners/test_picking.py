"""Picking as data: every case of tests/cases/picking."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.forms.numbering import numbering
from engine.labels import LANGUAGES
from engine.picking import (
    LOT_PATTERN,
    Choice,
    Lot,
    ShelfLife,
    Stock,
    StockKey,
    Wish,
    elapsed_share,
    expiry,
    judge,
    level,
    lot_number,
    near_days,
    notices,
    propose,
    receiving_problems,
    remaining_share,
)
from engine.problems import Problem
from runtime.messages.catalogue import Catalogue

FOLDER = Path(__file__).parent.parent / "cases" / "picking"
PROPOSALS = yaml.safe_load((FOLDER / "proposals.yaml").read_text("utf-8"))
LIVES = yaml.safe_load((FOLDER / "shelf_life.yaml").read_text("utf-8"))


def said(catalogue: Catalogue, problems: tuple[Problem, ...]) -> list[str]:
    """Their codes; each has a sentence whose figures are all given, in every language."""
    assert all(catalogue.text(one, language)[0] for one in problems for language in LANGUAGES)
    return [one.code for one in problems]


def life_of(written: list[Any] | None) -> ShelfLife | None:
    return ShelfLife(length=written[0], unit=written[1], minus_one_day=written[2:] == [True]) if written else None


def lot_of(written: list[Any], number: str = "L1") -> Lot:
    made, expires, *received = written
    return Lot(number=number, made=made, expires=expires, received=received[0] if received else None)


class World:
    """The stock of a case, and its rows by the names the case calls them."""

    def __init__(self, written: dict[str, Any]) -> None:
        self.lots = {name: lot_of(dates, name) for name, dates in written["lots"].items()}
        self.rows: list[Stock] = []
        self.named: dict[str, StockKey] = {}
        for name, free, *more in written["stock"]:
            self._add(self.lots.get(name), str(free), more[0] if more else {})

    def _add(self, lot: Lot | None, free: str, more: dict[str, Any]) -> None:
        key = StockKey(
            warehouse=more.get("warehouse", 1),
            bin=more.get("bin", 0),
            lot=lot.number if lot else "",
            serial=more.get("serial", ""),
            status=more.get("status", ""),
        )
        self.rows.append(Stock(key=key, free=Decimal(free), lot=lot, pick_seq=more.get("seq", 0)))
        name = f"{lot.number if lot else '~'}{f'#{key.serial}' if key.serial else ''}"
        self.named.setdefault(name, key)
        self.named.setdefault(f"{name}@{key.bin}", key)

    def choice(self, name: str, quantity: object, line: int) -> Choice:
        nowhere = StockKey(warehouse=9)
        return Choice(key=self.named.get(name, nowhere), quantity=Decimal(str(quantity)), where=f"lines.{line}")


def wish_of(case: dict[str, Any]) -> Wish:
    written = dict(case["wish"])
    minimum = written.pop("minimum_share", None)
    return Wish(
        quantity=Decimal(written.pop("quantity")),
        life=life_of(PROPOSALS["worlds"][case["world"]].get("life")),
        minimum_share=Fraction(minimum) if minimum else None,
        **written,
    )


@pytest.mark.parametrize("case", PROPOSALS["cases"], ids=lambda case: case["name"])
def test_proposals(catalogue: Catalogue, case: dict[str, Any]) -> None:
    world = World(PROPOSALS["worlds"][case["world"]])
    for rows in (world.rows, world.rows[::-1]):
        proposal = propose(rows, wish_of(case))
        picks = [[str(pick.stock.name), pick.quantity, pick.stock.key.bin] for pick in proposal.picks]
        assert picks == [[name, Decimal(quantity), place] for name, quantity, place in case["picks"]]
        passed = sorted([str(each.stock.name), each.reason] for each in proposal.passed)
        assert passed == sorted(case.get("passed", []))
        assert proposal.shortfall == Decimal(case.get("shortfall", 0))
        if "said" in case:
            assert sorted(said(catalogue, notices(proposal))) == sorted(case["said"])


@pytest.mark.parametrize(
    ("case", "judged"), [(case, judged) for case in PROPOSALS["cases"] for judged in case.get("judged", [])]
)
def test_judgements(catalogue: Catalogue, case: dict[str, Any], judged: dict[str, Any]) -> None:
    world = World(PROPOSALS["worlds"][case["world"]])
    chosen = [world.choice(name, quantity, line) for line, (name, quantity) in enumerate(judged["chosen"], 1)]
    verdict = judge(chosen, propose(world.rows, wish_of(case)), judged.get("reason", ""), judged.get("right", False))
    assert said(catalogue, verdict.problems) == judged["problems"]
    if "departures" in judged:
        assert said(catalogue, verdict.departures) == judged["departures"]
    if "where" in judged:
        assert verdict.problems[0].where == judged["where"]


@pytest.mark.parametrize(("made", "length", "unit", "minus", "expires"), LIVES["expiry"])
def test_expiry(made: date, length: int, unit: Any, minus: bool, expires: date) -> None:
    assert expiry(made, ShelfLife(length=length, unit=unit, minus_one_day=minus)) == expires


@pytest.mark.parametrize(("dates", "life", "day", "remaining", "elapsed"), LIVES["shares"])
def test_shares(dates: list[Any], life: list[Any] | None, day: date, remaining: Any, elapsed: Any) -> None:
    found = [share(lot_of(dates), life_of(life), day) for share in (remaining_share, elapsed_share)]
    assert found == [None if each is None else Fraction(each) for each in (remaining, elapsed)]


@pytest.mark.parametrize(("length", "unit", "minus", "days"), LIVES["near"])
def test_near_days(length: int, unit: Any, minus: bool, days: int) -> None:
    assert near_days(ShelfLife(length=length, unit=unit, minus_one_day=minus)) == days


@pytest.mark.parametrize(("expires", "day", "near", "name"), LIVES["levels"])
def test_levels(expires: date, day: date, near: int, name: str) -> None:
    assert level(expires, day, near) == name


@pytest.mark.parametrize(("dates", "life", "day", "codes"), LIVES["receiving"])
def test_receiving(catalogue: Catalogue, dates: list[Any], life: list[Any] | None, day: date, codes: list[str]) -> None:
    assert said(catalogue, receiving_problems(lot_of(dates), life_of(life), day)) == codes


@pytest.mark.parametrize(("rule", "supplier", "made", "number"), LIVES["lot_numbers"])
def test_lot_numbers(rule: Any, supplier: str, made: date | None, number: str | None) -> None:
    assert lot_number(rule, supplier, made) == number


def test_the_pattern_of_lot_numbers_is_one_of_document_numbers() -> None:
    assert numbering(LOT_PATTERN, date(2026, 1, 5), date(2026, 1, 6)).number(7) == "LOT20260105007"
