"""Checks of the conditions of branches, where something can be proved: arms no document takes, overlaps, gaps.

The first arm that holds is walked, so an arm may repeat what earlier ones have taken (``> 200000`` before ``> 50000``).
What is told is only what is certain: comparisons with constants are looked at point by point, see `engine.decisions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

from engine.decisions.space import Point, Space, holds
from engine.definitions.compiled import AppBundle
from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.references import caution
from engine.definitions.workflow import BranchStep, InclusiveStep, arms_of
from engine.definitions.workflow_tree import laid_out, walked
from engine.expressions import Checked, ValueType
from engine.problems import Problem


def conditions_tell_apart(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """Every arm can be taken by some document; arms that follow each other neither cross nor leave a hole."""
    told: set[Place] = set()  # a called workflow is looked at once
    for workflow in bundle.flows.values():
        for path, each in walked(laid_out(workflow.definition, loaded.workflows)):
            if isinstance(each.step, BranchStep | InclusiveStep) and each.place not in told:
                told.add(each.place)
                arms = [workflow.conditions.get((*path, number)) for number in range(len(arms_of(each.step)))]
                places = [each.arm(number) / "when" for number in range(len(arms))]
                yield from _branch(loaded, arms, places, isinstance(each.step, BranchStep))


def _branch(loaded: Loaded, arms: list[Checked | None], places: list[Place], exclusive: bool) -> Iterator[Problem]:
    conditions = [each for each in arms if each is not None]
    space = Space()
    types: dict[str, ValueType] = {}
    for each in conditions:
        space.see(each.node)
        types |= {".".join(path): type_ for path, type_ in each.paths.items()}
    points = list(space.points(types, empty=True))
    if not points:
        return
    taken: list[bool] = [False] * len(points)
    for number, condition in enumerate(conditions):
        here = [holds(condition.node, point) for point in points]
        if not any(now and not (exclusive and before) for now, before in zip(here, taken, strict=True)):
            code = "definition.arm_never_walked" if any(here) else "definition.condition_never"
            yield caution(loaded, places[number], code)
        taken = [now or before for now, before in zip(here, taken, strict=True)]
    if exclusive and len(space.constants) == 1 and not space.free:
        name = next(iter(space.constants))
        filled = [point for point in points if point[name] is not None]
        yield from _crossing(loaded, conditions, places, filled)
        if len(conditions) == len(arms) > 1:
            yield from _hole(loaded, conditions, places, filled, name)


def _crossing(loaded: Loaded, conditions: list[Checked], places: list[Place], points: list[Point]) -> Iterator[Problem]:
    """Two arms share some values, and each has others of its own."""
    for (first, left), (second, right) in combinations(enumerate(conditions), 2):
        both = [(holds(left.node, point), holds(right.node, point)) for point in points]
        if {(True, True), (True, False), (False, True)} <= set(both):
            yield caution(loaded, places[second], "definition.arms_overlap", first=first + 1, second=second + 1)


def _hole(
    loaded: Loaded, conditions: list[Checked], places: list[Place], points: list[Point], name: str
) -> Iterator[Problem]:
    """No arm takes a value although arms take values on both sides of it."""
    numbers = [(value, point) for point in points if isinstance(value := point[name], Decimal)]
    numbers.sort(key=lambda each: each[0])
    taken = [any(holds(each.node, point) for each in conditions) for _, point in numbers]
    for index, (value, _) in enumerate(numbers):
        if not taken[index] and any(taken[:index]) and any(taken[index + 1 :]):
            yield caution(loaded, places[-1], "definition.arms_leave_gap", name=name, value=f"{value:f}")
            return
