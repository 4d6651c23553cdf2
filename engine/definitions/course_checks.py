"""Checks of the course a workflow takes: nothing stands where no run comes, every join is met, every wait ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.definitions.file_kinds import WORKFLOWS
from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.references import caution, complaint
from engine.definitions.workflow import (
    ActionStep,
    ApproveStep,
    Arm,
    Asking,
    BranchStep,
    Deadline,
    EndStep,
    FillStep,
    InclusiveStep,
    ParallelStep,
    Step,
    WaitStep,
    arms_of,
    step_kind,
)
from engine.definitions.workflow_checks import own_nodes, steps_with_places
from engine.problems import Problem

ONCE = ("remind",)
NAMING = ("escalate", "transfer")


def branches_can_be_walked(loaded: Loaded) -> Iterator[Problem]:
    """An arm without a condition catches everything, so it stands last; parallel arms have no condition."""
    for step, place in _steps(loaded):
        kind, arms = step_kind(step), arms_of(step)
        if kind not in ("branch", "inclusive", "parallel"):
            continue
        if not arms:
            yield complaint(loaded, place / kind, "definition.branch_without_arms", key=True)
        for number, arm in enumerate(arms):
            at = place / kind / number
            if kind == "branch" and arm.when is None and number < len(arms) - 1:
                yield complaint(loaded, at, "definition.arm_catches_all")
            if kind == "parallel" and arm.when is not None:
                yield complaint(loaded, at / "when", "definition.parallel_condition", key=True)


def steps_can_be_reached(loaded: Loaded) -> Iterator[Problem]:
    """Nothing follows what always ends the run; a join waits for no more arms than can come to it."""
    for workflow in loaded.workflows.values():
        yield from _reached(loaded, workflow.steps, Place(WORKFLOWS, workflow.workflow, ("steps",)))


def _reached(loaded: Loaded, steps: tuple[Step, ...], place: Place) -> Iterator[Problem]:
    for index, step in enumerate(steps):
        if index and _ends(steps[index - 1]):
            yield complaint(loaded, place / index, "definition.unreachable_step")
        if isinstance(step, ParallelStep):
            yield from _joined(loaded, step, place / index)
        for number, arm in enumerate(arms_of(step)):
            yield from _reached(loaded, arm.steps, place / index / step_kind(step) / number / "steps")


def _joined(loaded: Loaded, step: ParallelStep, place: Place) -> Iterator[Problem]:
    coming = sum(not _any_ends(arm.steps) for arm in step.parallel)
    needed = step.join if isinstance(step.join, int) else 1
    if step.parallel and coming < needed:
        at = place / "join" if isinstance(step.join, int) else place / "parallel"
        key = not isinstance(step.join, int)
        yield complaint(loaded, at, "definition.join_never", key=key, needed=needed, coming=coming)


def _any_ends(steps: Iterable[Step]) -> bool:
    return any(_ends(step) for step in steps)


def _ends(step: Step) -> bool:
    """Whether a run that comes to the step surely ends in it."""
    if isinstance(step, EndStep):
        return True
    if isinstance(step, BranchStep):
        return any(arm.when is None for arm in step.branch) and all(_any_ends(arm.steps) for arm in step.branch)
    if isinstance(step, InclusiveStep):
        return any(arm.when is None and _any_ends(arm.steps) for arm in step.inclusive)
    if isinstance(step, ParallelStep):
        ending = [_any_ends(arm.steps) for arm in step.parallel]
        return any(ending) if step.join == "all" else bool(ending) and all(ending)
    return False


def waits_end(loaded: Loaded) -> Iterator[Problem]:
    """A wait has one end in time or an event; working hours need a calendar."""
    for workflow in loaded.workflows.values():
        for _, node, at in own_nodes(workflow):
            if not isinstance(node, WaitStep):
                continue
            if node.hours is None and node.until is None and node.event is None:
                yield complaint(loaded, at / "wait", "definition.wait_without_end", key=True)
            if node.hours is not None and node.until is not None:
                yield complaint(loaded, at / "until", "definition.two_times", key=True)
            if node.clock == "working":
                yield from _calendar(loaded, at / "clock")


def deadlines_come(loaded: Loaded) -> Iterator[Problem]:
    """A deadline has one time, somebody to turn to where it needs one, and a calendar for working hours."""
    for workflow in loaded.workflows.values():
        for _, node, at in own_nodes(workflow):
            for index, deadline in enumerate(node.deadlines if isinstance(node, Asking) else ()):
                yield from _deadline(loaded, deadline, at / "deadlines" / index)


def _deadline(loaded: Loaded, deadline: Deadline, at: Place) -> Iterator[Problem]:
    if deadline.hours is None and deadline.until is None:
        yield complaint(loaded, at, "definition.deadline_without_time")
    if deadline.hours is not None and deadline.until is not None:
        yield complaint(loaded, at / "until", "definition.two_times", key=True)
    if deadline.then in NAMING and deadline.to is None:
        yield complaint(loaded, at / "then", "definition.deadline_without_person", name=deadline.then)
    if deadline.to is not None and deadline.then not in NAMING:
        yield caution(loaded, at / "to", "definition.deadline_asks_nobody", key=True, name=deadline.then)
    if deadline.every is not None and deadline.then not in ONCE:
        yield complaint(loaded, at / "every", "definition.every_without_remind", key=True, name=deadline.then)
    if deadline.clock == "working":
        yield from _calendar(loaded, at / "clock")


def _calendar(loaded: Loaded, at: Place) -> Iterator[Problem]:
    if loaded.app is not None and loaded.app.calendar is None:
        yield complaint(loaded, at, "definition.no_calendar", key=True)


def actions_do_something(loaded: Loaded) -> Iterator[Problem]:
    """An action has consequences, one per line, and none that would have to refuse a person."""
    for workflow in loaded.workflows.values():
        for _, node, at in own_nodes(workflow):
            if not isinstance(node, ActionStep):
                continue
            if not node.then:
                yield complaint(loaded, at / "then", "definition.action_without_consequence", key=True)
            for index, then in enumerate(node.then):
                place = at / "then" / index
                given = [name for name in type(then).model_fields if name != "when" and getattr(then, name) is not None]
                if len(given) != 1:
                    yield complaint(loaded, place, "definition.one_consequence")
                for name in given:
                    if name in ("reject", "warn"):
                        yield complaint(loaded, place / name, "definition.action_refuses", key=True, name=name)


def _steps(loaded: Loaded) -> Iterator[tuple[Step, Place]]:
    for key, workflow in loaded.workflows.items():
        yield from steps_with_places(workflow.steps, Place(WORKFLOWS, key, ("steps",)))


def first_nodes(steps: Iterable[Step]) -> tuple[tuple[str, ...], bool]:
    """Keys of the nodes that may be the first to ask somebody, and whether a run may come through without any."""
    found: list[str] = []
    for step in steps:
        if isinstance(step, ApproveStep | FillStep):
            return (*found, step.key), False
        if isinstance(step, EndStep):
            return tuple(found), False
        inside = [(arm, *first_nodes(arm.steps)) for arm in arms_of(step)]
        found += [key for _, keys, _ in inside for key in keys]
        if inside and not _through(step, [(arm, through) for arm, _, through in inside]):
            return tuple(found), False
    return tuple(found), True


def _through(step: Step, arms: list[tuple[Arm, bool]]) -> bool:
    """Whether a run may pass the branching step without anybody being asked; per arm, whether it may pass that."""
    always = [through for arm, through in arms if arm.when is None]
    if isinstance(step, BranchStep):
        return not always or any(through for _, through in arms)
    if isinstance(step, ParallelStep) and step.join != "all":
        return any(through for _, through in arms)
    return all(always)
