"""A run saved by an older version still opens, and goes on. The files are never written again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.definitions.compiled import CompiledWorkflow
from engine.workflow.move import Move, MoveKind
from engine.workflow.replay import replayed
from engine.workflow.state import Asked, Run, RunStatus, TokenState
from engine.workflow.stored import entry_from_json, run_from_json, run_json
from engine.workflow.walk import make
from tests.flow_world import START, World, flow_of
from tests.stories.apps import ROOT

GOLDENS = ROOT / "tests" / "goldens" / "runs"
PURCHASE = {
    "steps": [
        {"approve": "manager", "by": {"role": "manager"}},
        {"branch": [{"when": "total > 5", "steps": [{"approve": "finance", "mode": "all"}]}]},
        {"approve": "owner", "by": {"field": "owner"}},
    ]
}
RICH = {
    "steps": [
        {"approve": "a", "deadlines": [{"hours": 5, "every": 2}]},
        {
            "parallel": [
                [{"approve": "b", "mode": "all"}],
                [{"approve": "x"}],
                [{"subflow": "s"}],
                [{"wait": "w", "event": "paid", "hours": 9}],
            ]
        },
        {"approve": "c"},
    ]
}


def golden(name: str) -> Any:
    return json.loads((GOLDENS / name).read_text("utf-8"))


def world(flow: CompiledWorkflow) -> World:
    return World(flow, {"owner": [77], "c": [31], "x": [23]}, {"manager": [11, 12]}, {"total": 0})


def after(flow: CompiledWorkflow, run: Run, by: int, kind: MoveKind = MoveKind.AGREE) -> Run:
    outcome = make(flow, run, Move(kind=kind, by=by, at=START), world(flow))
    assert outcome.problems == () and outcome.entry is not None
    return outcome.run


def opened(name: str, asked: tuple[Asked, ...] = ()) -> tuple[CompiledWorkflow, Run]:
    flow = flow_of(PURCHASE)
    return flow, run_from_json(golden(name), flow, asked)


def test_a_pool_of_format_1() -> None:
    flow, run = opened("format_1_pool.json")
    assert [(seat.user, seat.role) for seat in run.open_seats()] == [(None, "manager")]
    assert [token.node for token in after(flow, run, 12).tokens] == ["owner"]


def test_everybody_still_to_agree_of_format_1() -> None:
    flow, run = opened("format_1_all.json")
    assert [seat.user for seat in run.open_seats()] == [22]
    assert [one.node for one in run.passed] == ["manager"]
    assert run.acted
    assert [token.node for token in after(flow, run, 22).tokens] == ["owner"]


def test_a_person_of_format_1_is_known_from_the_task() -> None:
    flow, run = opened("format_1_person.json", (Asked(user=77),))
    assert after(flow, run, 77).status is RunStatus.APPROVED
    back = Move(kind=MoveKind.RETURN, by=77, at=START, node="manager")
    refused = make(flow, run, back, world(flow))
    assert [one.code for one in refused.problems] == ["workflow.nobody"]  # the world of this test names no manager


def test_a_person_of_format_1_nobody_knows_is_asked_of_an_administrator() -> None:
    flow, run = opened("format_1_person.json")
    assert [token.state for token in run.tokens] == [TokenState.STUCK]
    token = run.tokens[0]
    named = Move(kind=MoveKind.REASSIGN, by=90, at=START, admin=True, token=token.id, users=(78,))
    outcome = make(flow, run, named, world(flow))
    assert after(flow, outcome.run, 78).status is RunStatus.APPROVED


def test_an_ended_run_of_format_1() -> None:
    _, run = opened("format_1_approved.json")
    assert (run.status, run.tokens, run.seats) == (RunStatus.APPROVED, (), ())


@pytest.mark.parametrize("name", ["format_1_pool.json", "format_1_all.json", "format_1_approved.json"])
def test_opened_once_it_is_stored_as_today(name: str) -> None:
    _, run = opened(name)
    stored = json.loads(json.dumps(run_json(run)))
    assert stored["format"] == 2
    assert run_from_json(stored) == run


def test_format_2_opens_and_its_log_builds_it() -> None:
    flow, stored = flow_of(RICH), golden("format_2.json")
    run = run_from_json(stored["run"])
    entries = [entry_from_json(one) for one in stored["log"]]
    assert replayed(flow, "s", 1, entries) == run
    assert {entry.move.files for entry in entries} == {()}
    assert {token.node: str(token.state) for token in run.tokens} == {
        "b": "people", "x": "stuck", "s": "children", "w": "event",
    }  # fmt: skip
    run = after(flow, after(flow, run, 41), 21)
    assert [token.node for token in run.tokens] == ["x", "s", "w"]


def test_the_log_of_a_run_begun_in_format_1_does_not_reach_back() -> None:
    flow, run = opened("format_1_pool.json")
    outcome = make(flow, run, Move(kind=MoveKind.AGREE, by=12, at=START), world(flow))
    assert outcome.entry is not None
    with pytest.raises(ValueError, match="does not begin"):
        replayed(flow, "s", 1, [outcome.entry])


def test_a_log_that_does_not_hold_together_is_not_believed() -> None:
    flow, stored = flow_of(RICH), golden("format_2.json")
    entries = [entry_from_json(one) for one in stored["log"] if one["number"] != 3]
    with pytest.raises(ValueError, match="entry 4"):
        replayed(flow, "s", 1, entries)
