"""The tree of a workflow as it runs: what ``call`` refers to stands in its place, and every step knows its file.

The steps of a called workflow replace the calling step; keys of its nodes, and the names it uses for them, are prefixed
with the key of the call (``credit.manager``), so that a workflow may be called twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.definitions.file_kinds import WORKFLOWS
from engine.definitions.reading import Place
from engine.definitions.workflow import (
    ActionStep,
    ApproveStep,
    BranchStep,
    CallStep,
    FillStep,
    InclusiveStep,
    Keyed,
    NotifyStep,
    ParallelStep,
    Step,
    SubflowStep,
    WaitStep,
    WorkflowDef,
    arms_of,
    step_kind,
)

KEYED = (ApproveStep, FillStep, NotifyStep, WaitStep, SubflowStep, ActionStep)
BRANCHING = (BranchStep, InclusiveStep, ParallelStep)
Path = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One step as it runs.

    Attributes:
        step: with prefixed keys, and with the arms as they run.
        place: where it is written; in another file for the steps of a called workflow.
        arms: the steps of its arms.
    """

    step: Step
    place: Place
    arms: tuple[tuple[Placed, ...], ...] = ()

    @property
    def kind(self) -> str:
        """Its kind, as the key it is written under."""
        return step_kind(self.step)

    def arm(self, number: int) -> Place:
        """Where arm ``number`` is written."""
        return self.place / self.kind / number


def laid_out(workflow: WorkflowDef, others: Mapping[str, WorkflowDef]) -> tuple[Placed, ...]:
    """The steps of ``workflow`` with those of the ``others`` it calls.

    A call that leads nowhere, to another form or back to itself is left out; the checks report it.
    """
    place = Place(WORKFLOWS, workflow.workflow, ("steps",))
    return tuple(_laid(workflow.steps, place, _Calls(workflow.form, others, "", (workflow.workflow,))))


def walked(steps: Iterable[Placed], above: Path = ()) -> Iterator[tuple[Path, Placed]]:
    """Every step with its path (step, arm, step …), in reading order."""
    for index, each in enumerate(steps):
        yield (*above, index), each
        for number, arm in enumerate(each.arms):
            yield from walked(arm, (*above, index, number))


def nodes_in(steps: Iterable[Placed]) -> Iterator[tuple[Path, Keyed, Place]]:
    """Every step with a key: its path, the step, and where it is written."""
    for path, each in walked(steps):
        if isinstance(each.step, KEYED):
            yield path, each.step, each.place


@dataclass(frozen=True, slots=True)
class _Calls:
    """How far inside called workflows a step is."""

    form: str
    others: Mapping[str, WorkflowDef]
    prefix: str
    above: tuple[str, ...]


def _laid(steps: tuple[Step, ...], place: Place, calls: _Calls) -> Iterator[Placed]:
    for index, step in enumerate(steps):
        at = place / index
        if isinstance(step, CallStep):
            called = calls.others.get(step.workflow)
            if called is not None and called.form == calls.form and called.workflow not in calls.above:
                deeper = _Calls(
                    calls.form, calls.others, f"{calls.prefix}{step.call}.", (*calls.above, called.workflow)
                )
                yield from _laid(called.steps, Place(WORKFLOWS, called.workflow, ("steps",)), deeper)
            continue
        arms = tuple(
            tuple(_laid(arm.steps, at / step_kind(step) / number / "steps", calls))
            for number, arm in enumerate(arms_of(step))
        )
        yield Placed(step=_as_run(step, calls.prefix, arms), place=at, arms=arms)


def _as_run(step: Step, prefix: str, arms: tuple[tuple[Placed, ...], ...]) -> Step:
    if isinstance(step, BRANCHING):
        walked_arms = tuple(
            arm.model_copy(update={"steps": tuple(each.step for each in inside)})
            for arm, inside in zip(arms_of(step), arms, strict=True)
        )
        return step.model_copy(update={step_kind(step): walked_arms})
    if not prefix or not isinstance(step, KEYED):
        return step
    changes: dict[str, object] = {step_kind(step): f"{prefix}{step.key}"}
    if isinstance(step, ApproveStep) and isinstance(step.returns, tuple):
        changes["returns"] = tuple(f"{prefix}{key}" for key in step.returns)
    return step.model_copy(update=changes)
