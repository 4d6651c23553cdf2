"""The runner sees every difference: each kind of expectation is held against a world in which it is not true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.definitions.story import StoryDef
from runtime.bundles import bundle_in
from runtime.messages.catalogue import Catalogue
from runtime.stories import Result, Theatre, perform
from runtime.stories.clock import StoryClock, waited
from runtime.stories.report import lines
from tests.stories.apps import ROOT

TINY = ROOT / "tests" / "apps" / "tiny"
GIVEN = {
    "warehouse": [{"code": "W1", "name": "主仓"}],
    "product": [{"code": "P1", "name": "笔记本", "safety_stock": "8"}],
}
RECEIVE = {
    "as": "keeper",
    "create": "stock_in",
    "name": "receipt",
    "with": {"warehouse": "W1", "lines": [{"product": "P1", "qty": "10", "price": "2.5"}]},
    "do": "submit",
}
RIGHT = {
    "documents": [{"doc": "receipt", "fields": {"total": "25.00", "warehouse": "主仓"}, "lines": [{"qty": "10"}]}],
    "stock": [{"product": "P1", "on_hand": "10", "value": "25"}],
    "entries": [{"doc": "receipt", "ledger": "stock", "rows": [{"move": "other_in", "warehouse": "W1"}]}],
    "balances": [{"ledger": "stock", "dimensions": {"product": "P1", "warehouse": "W1"}, "quantity": "10"}],
    "tasks": [{"user": "keeper", "count": 0}],
    "says": ["入库 10"],
    "count": {"stock_in": 1},
    "verify": True,
}
# What is expected though it is not so, and the addresses the report must name.
WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"errors": ["field.required"]}, ["errors"]),
    ({"says": ["没有说过"]}, ["says.1"]),
    ({"documents": [{"doc": "receipt", "fields": {"total": "26"}}]}, ["documents.receipt.total"]),
    ({"documents": [{"doc": "receipt", "fields": {"warehouse": "W2"}}]}, ["documents.receipt.warehouse"]),
    (
        {"documents": [{"doc": "receipt", "fields": {"note": "x", "doc_status": "draft"}}]},
        ["documents.receipt.note", "documents.receipt.doc_status"],
    ),
    ({"documents": [{"doc": "receipt", "lines": [{"qty": "9"}]}]}, ["documents.receipt.lines.1.qty"]),
    ({"documents": [{"doc": "receipt", "lines": [{}, {}]}]}, ["documents.receipt.lines"]),
    ({"documents": [{"doc": "receipt", "fields": {"lines": "2"}}]}, ["documents.receipt.lines"]),
    (
        {"documents": [{"doc": "receipt", "hidden": ["total", "lines.price"]}]},
        ["documents.receipt.total", "documents.receipt.lines.price"],
    ),
    (
        {"stock": [{"product": "P1", "on_hand": "9", "available": "10", "value": "1"}]},
        ["stock.P1.on_hand", "stock.P1.value"],
    ),
    ({"stock": [{"product": "P9", "on_hand": "0"}]}, ["stock.P9"]),
    ({"balances": [{"ledger": "stock", "dimensions": {"product": "P1"}, "value": "1"}]}, ["balances.stock.P1.value"]),
    ({"entries": [{"doc": "receipt", "ledger": "stock", "rows": []}]}, ["entries.receipt.stock"]),
    (
        {"entries": [{"doc": "receipt", "ledger": "stock", "rows": [{"quantity": "9", "product": "P1"}]}]},
        ["entries.receipt.stock.1.quantity"],
    ),
    ({"tasks": [{"user": "keeper", "count": 1}]}, ["tasks.keeper"]),
    ({"messages": [{"user": "keeper", "count": 1}]}, ["messages.keeper"]),
    ({"count": {"stock_in": 2, "stock_out": 0}}, ["count.stock_in"]),
]


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Theatre]:
    """Stories of the tiny app on SQLite."""
    with Theatre(bundle_in(TINY), catalogue, tmp_path_factory.mktemp("theatre"), TINY / "tests") as made:
        yield made


def told(theatre: Theatre, *steps: dict[str, Any], given: dict[str, Any] | None = None) -> Result:
    """How a story of these steps goes."""
    story = {"story": "told", "label": "试", "given": GIVEN if given is None else given, "steps": list(steps)}
    return perform(theatre, StoryDef.model_validate(story))


def test_what_is_right_passes(theatre: Theatre) -> None:
    result = told(theatre, {**RECEIVE, "expect": RIGHT})
    assert result.passed, result.problems


@pytest.mark.parametrize(("expect", "addresses"), WRONG, ids=[",".join(addresses) for _, addresses in WRONG])
def test_what_is_wrong_is_named(theatre: Theatre, expect: dict[str, Any], addresses: list[str]) -> None:
    result = told(theatre, {**RECEIVE, "expect": expect})
    assert [one.where for one in result.problems] == addresses
    assert result.step == 1


def test_a_refusal_nobody_expected_fails_with_its_sentence(theatre: Theatre, catalogue: Catalogue) -> None:
    result = told(theatre, RECEIVE, {**RECEIVE, "with": {"lines": []}}, RECEIVE)
    assert (result.step, result.steps) == (2, 2)
    report = list(lines(result, catalogue, "zh"))
    assert report[1] == "    第 2 步（共 3 步）：as keeper, create stock_in, do submit"
    assert any("field.required" in line for line in report)


def test_a_code_too_many_or_too_few_fails(theatre: Theatre) -> None:
    nothing = {**RECEIVE, "with": {}}
    codes = sorted(told(theatre, {**nothing, "expect": {"errors": []}}).problems[0].params.items())
    assert dict(codes)["expected"] == "-"
    got = str(dict(codes)["got"]).split(", ")
    assert told(theatre, {**nothing, "expect": {"errors": got}}).passed
    assert not told(theatre, {**nothing, "expect": {"errors": [*got, "document.stale"]}}).passed
    assert not told(theatre, {**nothing, "expect": {"errors": got[1:]}}).passed


def test_what_is_given_and_cannot_be_is_told(theatre: Theatre, catalogue: Catalogue) -> None:
    result = told(theatre, RECEIVE, given={"product": [{"name": "没有编码"}]})
    assert (result.passed, result.step) == (False, 0)
    assert "given" in list(lines(result, catalogue, "en"))[1]


def test_a_document_that_was_not_made_is_named(theatre: Theatre) -> None:
    result = told(theatre, {"as": "keeper", "on": "nothing", "do": "submit"})
    assert {one.code for one in result.problems} == {"story.differs", "story.refused"}


def test_at_once_counts_refusals(theatre: Theatre) -> None:
    issue = {"as": "keeper", "create": "stock_out", "do": "submit"}
    issue["with"] = {"warehouse": "W1", "lines": [{"product": "P1", "qty": "6"}]}  # type: ignore[assignment]
    thrice = {"at_once": [issue, issue, issue]}
    right = {**thrice, "expect": {"errors": ["ledger.insufficient"] * 2, "stock": [{"product": "P1", "on_hand": "4"}]}}
    assert told(theatre, RECEIVE, right).passed
    wrong = told(theatre, RECEIVE, {**thrice, "expect": {"errors": ["ledger.insufficient"]}})
    assert wrong.problems[0].where == "errors"


def test_steps_at_once_may_expect_for_themselves(theatre: Theatre) -> None:
    inner = {**RECEIVE, "name": "", "expect": {"count": {"stock_in": 5}}}
    result = told(theatre, {"at_once": [{**RECEIVE, "name": ""}, inner]})
    assert [one.where for one in result.problems] == ["at_once.2.count.stock_in"]


def test_a_reader_who_cannot_open_a_document_is_refused(theatre: Theatre) -> None:
    nobody = {"as": "admin", "expect": {"documents": [{"doc": "receipt"}], "errors": ["form.unknown"]}}
    assert told(theatre, RECEIVE, nobody).passed
    assert not told(theatre, RECEIVE, {"as": "admin", "expect": {"documents": [{"doc": "receipt"}]}}).passed


def test_every_story_begins_with_an_empty_house(theatre: Theatre) -> None:
    first = {"documents": [{"doc": "receipt", "fields": {"number": "IN20260105-0001"}}], "count": {"stock_in": 1}}
    for _ in range(2):
        assert told(theatre, {**RECEIVE, "expect": first}).passed
    assert not list(Path(theatre.folder).glob("story_*_*"))


def test_a_person_may_work_in_a_warehouse(theatre: Theatre) -> None:
    story = {
        "story": "told",
        "label": "试",
        "users": {"小孙": {"roles": ["keeper"], "warehouse": "W1"}},
        "given": GIVEN,
        "steps": [
            {
                "as": "小孙",
                "create": "stock_in",
                "name": "receipt",
                "with": {"lines": [{"product": "P1", "qty": "1"}]},
                "do": "submit",
                "expect": {"documents": [{"doc": "receipt", "fields": {"warehouse": "W1"}}]},
            }
        ],
    }
    result = perform(theatre, StoryDef.model_validate(story))
    assert result.passed, result.problems
    story["users"] = {"小孙": {"roles": ["keeper"], "warehouse": "W7"}}
    result = perform(theatre, StoryDef.model_validate(story))
    assert [one.code for one in result.problems] == ["link.not_found"]


def test_the_clock_moves_only_when_told() -> None:
    clock = StoryClock("2026-01-05")
    assert clock() == clock()
    before = clock()
    clock.advance(waited("49 hours"))
    assert (clock() - before).total_seconds() == 49 * 3600
    assert waited("1 day") == waited("24 hours")
    with pytest.raises(ValueError, match="soon"):
        waited("soon")
