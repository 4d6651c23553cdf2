"""Units of measure as data: every row of tests/cases/units."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.labels import LANGUAGES, Label
from engine.problems import Problem
from engine.units import (
    CatchWeight,
    ProductUnits,
    Unit,
    Weighed,
    base_quantity,
    change_problems,
    in_unit,
    mixed_text,
    precision_problem,
    rest_after,
    table_problems,
    uneven,
    uneven_problems,
    weight_problems,
    whole_units,
)
from runtime.messages.catalogue import Catalogue

CASES = yaml.safe_load((Path(__file__).parent.parent / "cases" / "units" / "conversion.yaml").read_text("utf-8"))
CATCH_WEIGHTS = CASES["catch_weight"]
Listed = list[tuple[str, object, int]]


def units_of(listed: Listed) -> ProductUnits:
    names = list(dict.fromkeys(name for name, _, _ in listed))
    made = [Unit(id=names.index(name) + 1, name=Label(name), places=places) for name, _, places in listed]
    ratios = {unit.id: Fraction(str(ratio)) for unit, (_, ratio, _) in zip(made, listed, strict=True)}
    return ProductUnits(base=made[0], others=tuple(made[1:]), ratios={**ratios, made[0].id: Fraction(1)})


def units_named(table: dict[str, list[Any]]) -> tuple[ProductUnits, dict[str, Unit]]:
    units = units_of([(name, ratio, places) for name, (ratio, places) in table.items()])
    return units, {str(unit.name): unit for unit in units}


def product(name: str) -> tuple[ProductUnits, dict[str, Unit]]:
    return units_named(CASES["products"][name])


def said(catalogue: Catalogue, problems: tuple[Problem, ...]) -> list[str]:
    """Their codes; each has a sentence whose figures are all given, in every language."""
    assert all(catalogue.text(one, language)[0] for one in problems for language in LANGUAGES)
    return [one.code for one in problems]


@pytest.mark.parametrize(("name", "quantity", "unit", "base"), CASES["to_base"])
def test_to_base(name: str, quantity: Any, unit: str, base: Any) -> None:
    units, named = product(name)
    assert base_quantity(units, Decimal(quantity), named[unit]) == Decimal(base)


@pytest.mark.parametrize(("name", "on_hand", "quantity", "unit", "taken"), CASES["issues"])
def test_issue_leaves_no_dust(name: str, on_hand: Any, quantity: Any, unit: str, taken: Any) -> None:
    units, named = product(name)
    assert base_quantity(units, Decimal(quantity), named[unit], Decimal(on_hand)) == Decimal(taken)


@pytest.mark.parametrize(("name", "base", "unit", "shown", "up", "down"), CASES["from_base"])
def test_from_base(name: str, base: Any, unit: str, shown: Any, up: Any, down: Any) -> None:
    units, named = product(name)
    assert in_unit(units, Decimal(base), named[unit]) == Decimal(shown)
    assert whole_units(units, Decimal(base), named[unit], "up") == Decimal(up)
    assert whole_units(units, Decimal(base), named[unit], "down") == Decimal(down)


@pytest.mark.parametrize(("name", "base", "zh", "en"), CASES["mixed"])
def test_mixed(name: str, base: Any, zh: str, en: str) -> None:
    units, _ = product(name)
    assert (mixed_text(units, Decimal(base), "zh"), mixed_text(units, Decimal(base), "en")) == (zh, en)


@pytest.mark.parametrize(("name", "base", "shown", "zh"), CASES["mixed_of"])
def test_mixed_in_chosen_units(name: str, base: Any, shown: list[str], zh: str) -> None:
    units, named = product(name)
    assert mixed_text(units, Decimal(base), "zh", frozenset(named[each].id for each in shown)) == zh


@pytest.mark.parametrize(("name", "places", "quantity", "accepted"), CASES["precision"])
def test_precision(catalogue: Catalogue, name: str, places: int, quantity: Any, accepted: bool) -> None:
    found = precision_problem(Decimal(quantity), Unit(id=1, name=Label(name), places=places))
    assert said(catalogue, (found,) if found else ()) == ([] if accepted else ["units.too_precise"])


@pytest.mark.parametrize(("before", "after", "used", "codes"), CASES["changes"])
def test_changes(
    catalogue: Catalogue, before: dict[str, list[Any]], after: dict[str, list[Any]], used: bool, codes: list[str]
) -> None:
    ids = {name: number for number, name in enumerate(dict.fromkeys((*before, *after)), 1)}

    def identified(table: dict[str, list[Any]]) -> ProductUnits:
        made = [Unit(id=ids[name], name=Label(name)) for name in table]
        ratios = {ids[name]: Fraction(str(ratio)) for name, (ratio, _) in table.items()}
        return ProductUnits(base=made[0], others=tuple(made[1:]), ratios=ratios)

    found = change_problems(identified(before), identified(after), used)
    assert said(catalogue, tuple(one for _, one in found)) == codes


@pytest.mark.parametrize(("listed", "codes"), CASES["tables"])
def test_tables(catalogue: Catalogue, listed: Listed, codes: list[str]) -> None:
    assert said(catalogue, tuple(one for _, one in table_problems(units_of(listed)))) == codes


@pytest.mark.parametrize(("ratio", "count"), CASES["uneven"])
def test_ratios_that_leave_a_rest(catalogue: Catalogue, ratio: str, count: int) -> None:
    assert uneven(Fraction(ratio)) == count
    units = units_of([("盒", 1, 0), ("片", ratio, 0)])
    found = tuple(one for _, one in uneven_problems(units, None))
    assert said(catalogue, found) == (["units.uneven"] if count else [])
    assert uneven_problems(units, units) == ()


def rule_of(case: dict[str, Any]) -> CatchWeight:
    return CatchWeight(
        nominal=Fraction(str(case["nominal"])), below=Decimal(case["below"]), above=Decimal(case["above"])
    )


def weighed(pair: list[Any]) -> Weighed:
    return Weighed(Decimal(pair[0]), Decimal(pair[1]))


@pytest.mark.parametrize(("case", "move"), [(case, move) for case in CATCH_WEIGHTS for move in case["moves"]])
def test_catch_weight(catalogue: Catalogue, case: dict[str, Any], move: list[Any]) -> None:
    found = weight_problems(weighed(move), rule_of(case), Label("整鸡", "Whole chicken"))
    assert said(catalogue, found) == ([move[2]] if move[2] else [])


@pytest.mark.parametrize(("case", "pair"), [(case, pair) for case in CATCH_WEIGHTS for pair in case["expected"]])
def test_a_count_proposes_a_weight(case: dict[str, Any], pair: list[Any]) -> None:
    assert rule_of(case).expected(Decimal(pair[0])) == Decimal(pair[1])


@pytest.mark.parametrize(("case", "rest"), [(case, rest) for case in CATCH_WEIGHTS for rest in case["rests"]])
def test_the_last_piece_takes_the_weighing_difference(case: dict[str, Any], rest: list[Any]) -> None:
    stock, out, stays, difference = rest
    found = rest_after(weighed(stock), weighed(out), rule_of(case))
    assert found == (weighed(stays), Decimal(difference))
