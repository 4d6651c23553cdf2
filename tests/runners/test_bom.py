"""Bills of material and production cost, case by case: every table of tests/cases/bom.

Cases name products; the engine knows numbers, given here in the order the names first appear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine import bom, shares
from engine.problems import Problem, Refused
from runtime.messages.catalogue import Catalogue

CASES = Path(__file__).parent.parent / "cases" / "bom"
DAY = date(2026, 1, 5)
LINE_KEYS = {"components": bom.Component, "byproducts": bom.Byproduct, "substitutes": bom.Substitute}


def tables() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.yaml")):
        content = yaml.safe_load(path.read_text("utf-8"))
        if isinstance(content, dict):
            for case in content["cases"]:
                yield pytest.param(content, case, id=f"{path.stem}-{case['case']}")


AMOUNTS = yaml.safe_load((CASES / "amounts.yaml").read_text("utf-8"))


def names_in(value: Any) -> Iterator[str]:
    """Every name a product is called by below ``value``, in order."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key == "product":
                yield each
            else:
                yield from names_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from names_in(each)


class World:
    """The products of a file by name, and its bills, costs and routings as the engine takes them."""

    def __init__(self, content: Mapping[str, Any], case: Mapping[str, Any]) -> None:
        names = dict.fromkeys(chain(names_in(content), names_in(case)))
        self.ids = {name: number for number, name in enumerate(names, start=1)}
        self.names = {number: name for name, number in self.ids.items()}
        self.boms = [self.bill(each) for each in (*content["boms"], *case.get("others", ()))]
        self.bought = {
            self.ids[name]: bom.Elements(**decimals(cost))
            for name, cost in content["bought"].items()
            if name not in case.get("without", ())
        }
        self.routings = {
            self.ids[name]: bom.Routing(
                operations=tuple(bom.Operation(**decimals(one)) for one in each["operations"]),
                **decimals({key: value for key, value in each.items() if key != "operations"}),
            )
            for name, each in content.get("routings", {}).items()
        }

    def bill(self, raw: Mapping[str, Any], kind: Callable[..., Any] = bom.Bom) -> Any:
        made = decimals(raw) | {"product": self.ids[raw["product"]]}
        for key, part in LINE_KEYS.items():
            if key in raw:
                made[key] = tuple(self.bill(each, part) for each in raw[key])
        return kind(**made)

    def wish(self, asked: Mapping[str, Any]) -> bom.Wish:
        return bom.Wish(
            options=frozenset(self.ids[name] for name in asked.get("options", ())),
            chosen={(self.ids[a], self.ids[b]): self.ids[c] for a, b, c in asked.get("chosen", ())},
            places={self.ids[name]: places for name, places in asked.get("places", {}).items()},
            round_up=asked.get("round_up", False),
        )

    def answer(self, case: Mapping[str, Any]) -> Any:
        """What the engine says to the case, in the words of the case."""
        if "check" in case:
            return list(bom.check(self.bill(case["check"])))
        if "check_among" in case:
            return list(bom.check_among(self.bill(case["check_among"]), self.boms, self.names))
        if "roll_up" in case:
            wanted = [self.ids[name] for name in case["roll_up"]]
            costs = bom.roll_up(self.boms, wanted, DAY, self.bought, self.routings, names=self.names)
            return {self.names[one.product]: one for one in costs}
        if "where_used" in case:
            found = bom.where_used(self.boms, self.ids[case["where_used"]], DAY, self.names)
            return {self.names[one.product]: [one.level, one.direct, one.quantity] for one in found}
        verb = "explode" if "explode" in case else "materials"
        asked = case[verb]
        arguments = (self.ids[asked["product"]], Decimal(asked["quantity"]), asked.get("day", DAY), self.wish(asked))
        if verb == "explode":
            needed = bom.explode(self.boms, *arguments, self.names)
            return {self.names[one.product]: [one.level, one.quantity] for one in needed}
        return {
            self.names[one.product]: [one.net, one.quantity] for one in bom.materials(self.boms, *arguments, self.names)
        }


def decimals(value: Any) -> Any:
    """Quoted figures as decimals, at any depth; other words stay words."""
    if isinstance(value, str):
        try:
            return Decimal(value)
        except ArithmeticError:
            return value
    if isinstance(value, Mapping):
        return {key: decimals(each) for key, each in value.items()}
    return [decimals(each) for each in value] if isinstance(value, list) else value


def told(problems: tuple[Problem, ...] | list[Problem], catalogue: Catalogue) -> list[str]:
    """Each problem as ``where code product-or-path``; each has a sentence in both languages."""
    assert all(catalogue.text(each, language)[0] for each in problems for language in ("zh", "en"))
    parts = [(each.where, each.code, each.params.get("path") or each.params.get("product")) for each in problems]
    return [" ".join(str(one) for one in each if one) for each in parts]


def compare(answer: Any, expect: Any) -> None:
    """Whether ``answer`` has what ``expect`` says: attributes by name, sequences and plain values as they are."""
    if isinstance(expect, Mapping):
        assert isinstance(answer, Mapping) is False or sorted(answer) == sorted(expect)
        for key, each in expect.items():
            compare(answer[key] if isinstance(answer, Mapping) else getattr(answer, key), each)
    elif isinstance(expect, list):
        assert len(answer) == len(expect), answer
        for one, each in zip(answer, expect, strict=True):
            compare(one, each)
    else:
        assert answer == expect


@pytest.mark.parametrize(("content", "case"), list(tables()))
def test_tables(content: Mapping[str, Any], case: Mapping[str, Any], catalogue: Catalogue) -> None:
    world = World(content, case)
    if "problems" not in case:
        expect = decimals(case["expect"])
        if "roll_up" in case:
            expect = {name: flattened(each, world) for name, each in expect.items()}
        compare(world.answer(case), expect)
        return
    try:
        problems = world.answer(case)
    except Refused as refused:
        problems = refused.problems
    assert told(problems, catalogue) == case["problems"]


def flattened(cost: Mapping[str, Any], world: World) -> dict[str, Any]:
    """A cost as the case says it: the total is that of the restored elements, elements not named are zero."""
    every = dict.fromkeys(("material", "labour", "overhead", "outsource", "byproduct"), Decimal(0))
    said = {key: every | value for key, value in cost.items() if key in ("restored", "own")}
    said["restored"] = said["restored"] | {"total": cost["total"]}
    return said | {"byproducts": {world.ids[name]: unit for name, unit in cost.get("byproducts", {}).items()}}


@pytest.mark.parametrize("case", AMOUNTS, ids=lambda case: case["case"])
def test_amounts(case: Mapping[str, Any], catalogue: Catalogue) -> None:
    call = getattr(shares if case["call"] == "spread" else bom, case["call"])
    given = decimals(case["with"])
    if case["call"] == "restore":
        given = [given[0], bom.Elements(**given[1]), given[2]]
    try:
        answer = call(**given) if isinstance(given, dict) else call(*given)
    except Refused as refused:
        assert told(refused.problems, catalogue) == case["problems"]
        return
    assert "problems" not in case
    compare(answer, decimals(case["expect"]))


@pytest.mark.parametrize(
    ("total", "weights", "why"),
    [("1", [], "nothing bears"), ("0.005", ["1"], "more decimals"), ("1", ["2", "-1"], "negative")],
)
def test_what_cannot_be_spread(total: str, weights: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        shares.spread(Decimal(total), [Decimal(each) for each in weights], 2)


def test_a_day_is_in_finished_goods_or_in_process() -> None:
    """Domain rule C6: 60 finished are worth 1440, 40 in process 760."""
    costs = [("1400", "100"), ("800", "50")]
    divided = [bom.equivalent_units(Decimal(cost), Decimal(60), Decimal(40), Decimal(part), 2) for cost, part in costs]
    assert sum(each.unit for each in divided) == 24
    assert [sum(each.finished for each in divided), sum(each.in_process for each in divided)] == [1440, 760]
