"""The picture of a flow: what every step's state is, for runs in all their situations, and that nothing overlaps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.definitions.compiled import CompiledWorkflow
from engine.workflow.move import Move, MoveKind
from engine.workflow.state import Entry, Run, RunStatus
from engine.workflow.walk import begin, make
from runtime.facade.flow_picture import Picture, Told, arms_taken, every_step, open_places, picture
from runtime.web.flow_drawing import Drawing, broken, rail, text_width, wide
from tests.flow_world import START, World, flow_of

STARTER, LI, WANG, ZHAO = 1, 2, 3, 4
STEPS: Mapping[str, Any] = {
    "withdraw": "any",
    "steps": [
        {"approve": "a"},
        {
            "branch": [
                {"when": "amount > 100", "steps": [{"approve": "big"}]},
                {"when": "amount > 10", "steps": [{"approve": "middle"}, {"notify": "told"}]},
            ]
        },
        {
            "parallel": [
                {"steps": [{"approve": "left"}, {"approve": "left2"}]},
                {"steps": [{"approve": "right"}]},
            ]
        },
        {"approve": "last"},
    ],
}
PEOPLE = {"a": LI, "big": WANG, "middle": WANG, "told": LI, "left": LI, "left2": WANG, "right": ZHAO, "last": ZHAO}
EMPTY = dict.fromkeys(PEOPLE, "future")


def say(key: str, **params: object) -> str:
    return " ".join((key, *map(str, params.values())))


class Walk:
    """A run under way, with its log."""

    def __init__(self, amount: int, raw: Mapping[str, Any] = STEPS) -> None:
        self.flow: CompiledWorkflow = flow_of(raw)
        self.world = World(
            flow=self.flow, persons_of={key: [user] for key, user in PEOPLE.items()}, values={"amount": amount}
        )
        self.at: datetime = START
        first = begin(self.flow, "v1", STARTER, self.world, self.at)
        assert not first.problems and first.entry is not None, first.problems
        self.run: Run = first.run
        self.entries: list[Entry] = [first.entry]

    def move(self, by: int, kind: MoveKind = MoveKind.AGREE, **more: Any) -> Walk:
        self.at += timedelta(minutes=5)
        done = make(self.flow, self.run, Move(kind=kind, by=by, at=self.at, **more), self.world)
        assert not done.problems and done.entry is not None, done.problems
        self.run = done.run
        self.entries.append(done.entry)
        return self

    def drawn(self, *stopped: str) -> Picture:
        return picture(self.flow, self.run, Told(arms=arms_taken(self.entries), stopped=frozenset(stopped)), "zh", say)

    def states(self, *stopped: str) -> dict[str, str]:
        return dict(self.drawn(*stopped).states())


def test_what_is_written_is_still_to_come() -> None:
    drawn = picture(flow_of(STEPS), None, Told(), "zh", say)
    assert dict(drawn.states()) == EMPTY
    assert drawn.status == "none"


def test_it_stands_at_the_first_node() -> None:
    assert Walk(50).states() == EMPTY | {"a": "present"}


def test_the_arm_taken_is_present_and_the_other_is_not_taken() -> None:
    walk = Walk(50).move(LI)
    assert walk.states() == EMPTY | {"a": "passed", "big": "skipped", "middle": "present"}
    branch = walk.drawn().steps[2]
    assert [arm.state for arm in branch.arms] == ["skipped", "present", "skipped"]
    assert branch.arms[2].implied


def test_ended_from_outside_it_stood_in_every_arm_that_was_open() -> None:
    def stood(walk: Walk) -> set[str]:
        ended = walk.move(STARTER, MoveKind.WITHDRAW)
        return set(open_places(ended.flow, ended.run, arms_taken(ended.entries)))

    assert stood(Walk(50)) == {"a"}
    assert stood(Walk(50).move(LI)) == {"middle"}
    assert stood(Walk(5).move(LI)) == {"left", "right"}
    assert stood(Walk(5).move(LI).move(LI)) == {"left2", "right"}
    assert stood(Walk(5).move(LI).move(ZHAO)) == {"left"}
    assert stood(Walk(5).move(LI).move(ZHAO).move(LI).move(WANG)) == {"last"}
    walk = Walk(5).move(LI).move(LI)
    walk.move(STARTER, MoveKind.WITHDRAW)
    states = walk.states(*open_places(walk.flow, walk.run, arms_taken(walk.entries)))
    assert (states["left"], states["left2"], states["right"], states["last"]) == (
        "passed", "stopped", "stopped", "skipped",
    )  # fmt: skip


def test_where_no_arm_holds_the_way_past_them_is_passed() -> None:
    walk = Walk(5).move(LI)
    assert [arm.state for arm in walk.drawn().steps[2].arms] == ["skipped", "skipped", "passed"]
    assert walk.states() == EMPTY | {
        "a": "passed", "big": "skipped", "middle": "skipped", "told": "skipped", "left": "present", "right": "present",
    }  # fmt: skip


def test_parallel_arms_stand_at_different_places() -> None:
    walk = Walk(50).move(LI).move(WANG).move(LI)
    assert walk.states() == {
        "a": "passed", "big": "skipped", "middle": "passed", "told": "passed", "left": "passed", "left2": "present",
        "right": "present", "last": "future",
    }  # fmt: skip
    assert walk.move(ZHAO).states()["right"] == "passed"
    assert walk.drawn().steps[3].state == "present"


def test_when_all_have_agreed_everything_taken_is_passed() -> None:
    walk = Walk(50).move(LI).move(WANG).move(LI).move(WANG).move(ZHAO).move(ZHAO)
    assert walk.run.status is RunStatus.APPROVED
    assert walk.states() == dict.fromkeys(PEOPLE, "passed") | {"big": "skipped"}
    assert walk.drawn().steps[-1].state == "passed"


def test_an_arm_left_before_its_end_is_shown_so() -> None:
    raw = {"steps": [{"parallel": STEPS["steps"][2]["parallel"], "join": "any"}, {"approve": "last"}]}
    walk = Walk(50, raw).move(ZHAO)
    assert walk.states() == {"left": "skipped", "left2": "skipped", "right": "passed", "last": "present"}


def test_after_a_return_what_comes_behind_is_to_come_again() -> None:
    walk = Walk(50).move(LI).move(WANG, MoveKind.RETURN, node="a")
    assert walk.states() == EMPTY | {"a": "present"}


def test_what_comes_straight_back_keeps_what_was_passed() -> None:
    raw = {"steps": [{"approve": "a"}, {"approve": "middle"}, {"approve": "last"}]}
    walk = Walk(50, raw).move(LI).move(WANG).move(ZHAO, MoveKind.RETURN, node="a", back=True)
    assert walk.states() == {"a": "present", "middle": "passed", "last": "future"}


def test_a_rejected_run_ends_where_it_was_rejected() -> None:
    walk = Walk(50).move(LI).move(WANG, MoveKind.REJECT)
    assert walk.states("middle") == {
        "a": "passed", "big": "skipped", "middle": "stopped", "told": "skipped", "left": "skipped",
        "left2": "skipped", "right": "skipped", "last": "skipped",
    }  # fmt: skip
    assert walk.drawn("middle").steps[-1].state == "stopped"


def test_a_new_round_begins_from_the_start() -> None:
    walk = Walk(50).move(LI).move(WANG, MoveKind.REJECT)
    walk.world.values["amount"] = 500
    assert walk.move(STARTER, MoveKind.START).states() == EMPTY | {"a": "present"}
    assert walk.move(LI).states()["big"] == "present"


def test_nothing_behind_an_end_is_reached() -> None:
    raw = {
        "steps": [
            {"branch": [{"when": "amount > 1", "steps": [{"approve": "a"}, {"end": "approved"}]}]},
            {"approve": "last"},
        ]
    }
    walk = Walk(50, raw).move(LI)
    assert walk.run.status is RunStatus.APPROVED
    assert walk.states() == {"a": "passed", "last": "skipped"}


def test_a_node_that_finds_nobody_is_stuck() -> None:
    raw = {"steps": [{"approve": "a"}, {"approve": "last"}]}
    walk = Walk(50, raw)
    walk.world.persons_of["last"] = []
    assert walk.move(LI).states() == {"a": "passed", "last": "stuck"}


def boxes_apart(drawing: Drawing) -> None:
    for number, one in enumerate(drawing.boxes):
        assert one.x >= 0 and one.x + one.width <= drawing.width + 0.5 and one.y + one.height <= drawing.height
        for other in drawing.boxes[number + 1 :]:
            apart = (
                one.x + one.width <= other.x + 0.5
                or other.x + other.width <= one.x + 0.5
                or one.y + one.height <= other.y + 0.5
                or other.y + other.height <= one.y + 0.5
            )
            assert apart, (one, other)


@pytest.mark.parametrize("amount", [5, 50, 500])
def test_no_box_covers_another(amount: int) -> None:
    drawn = Walk(amount).move(LI).drawn()
    details = {step.id: ("张经理 同意 · 03-02 12:00 · 2 小时 15 分", "x" * 90) for step in every_step(drawn.steps)}
    for drawing in (rail(drawn.steps, details), wide(drawn.steps, details)):
        boxes_apart(drawing)
        assert {box.key for box in drawing.boxes if box.key} == set(PEOPLE)
        assert len([box for box in drawing.boxes if box.tag]) >= 3


def test_words_are_broken_where_they_fit() -> None:
    assert broken("采购经理审批", 60, 14, 2) == ("采购经理", "审批")
    assert broken("over the limit of the budget", 80, 12, 2)[-1].endswith("…")
    assert all(text_width(line, 12) <= 80 for line in broken("条件 doc_total > 50000 并且", 80, 12, 9))
    assert broken("", 80, 12, 2) == ()
