"""Finding one's way in the tree of a workflow: the step at a path, what stands around it, what may come next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.people import Chosen
from engine.definitions.workflow import (
    ApproveStep,
    BranchStep,
    EndStep,
    FillStep,
    InclusiveStep,
    NotifyStep,
    ParallelStep,
    Step,
    WorkflowDef,
    arms_of,
)
from engine.labels import Label
from engine.workflow.state import Path, Run

PEOPLE = (ApproveStep, FillStep)
SPLITTING = (ParallelStep, InclusiveStep)


@dataclass(frozen=True, slots=True)
class Layout:
    """The steps of a compiled workflow, by position."""

    flow: CompiledWorkflow

    @property
    def definition(self) -> WorkflowDef:
        """What the author wrote."""
        return self.flow.definition

    def siblings(self, path: Path) -> tuple[Step, ...]:
        """The list of steps ``path`` stands in. Raises ``LookupError`` where there is none."""
        steps = self.flow.steps
        for depth in range(0, len(path) - 1, 2):
            steps = arms_of(steps[path[depth]])[path[depth + 1]].steps
        return steps

    def at(self, path: Path) -> Step:
        """The step at ``path``. Raises ``LookupError``."""
        return self.siblings(path)[path[-1]]

    def key(self, path: Path) -> str:
        """Key of the step at ``path``; "" for a branching or ending step."""
        return str(getattr(self.at(path), "key", ""))

    def next_sibling(self, path: Path) -> Path | None:
        """The step after it in the same list."""
        return (*path[:-1], path[-1] + 1) if path[-1] + 1 < len(self.siblings(path)) else None

    def asking(self, node: str) -> ApproveStep | FillStep | None:
        """The approving or filling step with this key."""
        step = self.flow.nodes.get(node)
        return step if isinstance(step, PEOPLE) else None

    def label(self, node: str) -> Label:
        """What the node is called; the workflow's label for a step without a key."""
        step = self.flow.nodes.get(node)
        return step.label if step is not None else self.definition.label

    def places(self, run: Run) -> Label:
        """The first node the run stands at, for sentences."""
        return self.label(run.tokens[0].node if run.tokens else "")

    def scope(self, path: Path) -> Path:
        """The innermost arm of a parallel or inclusive step around ``path`` (step, arm); () when there is none.

        Within one scope a run stands at one place only.
        """
        found: Path = ()
        for depth in range(1, len(path), 2):
            if isinstance(self.at(path[:depth]), SPLITTING):
                found = path[: depth + 1]
        return found

    def beside(self, one: Path, other: Path) -> bool:
        """Whether the two stand in different arms of the same parallel or inclusive step."""
        shared = 0
        while shared < min(len(one), len(other)) and one[shared] == other[shared]:
            shared += 1
        parts_at_an_arm = shared % 2 == 1 and shared < len(one) and shared < len(other)
        return parts_at_an_arm and isinstance(self.at(one[:shared]), SPLITTING)

    def following(self, path: Path) -> tuple[str, ...]:
        """Approving and filling nodes that may come next after ``path`` with none of them in between."""
        return tuple(dict.fromkeys(self._reach(self._behind(path), set())))

    def _behind(self, path: Path) -> Path | None:
        """Where one gets after ``path``, leaving arms; None at the end."""
        while path:
            if (sibling := self.next_sibling(path)) is not None:
                return sibling
            path = path[:-2]
        return None

    def _reach(self, path: Path | None, seen: set[Path]) -> Iterator[str]:
        if path is None or path in seen:
            return
        seen.add(path)
        step = self.at(path)
        if isinstance(step, PEOPLE):
            yield step.key
            return
        if isinstance(step, EndStep):
            return
        arms = arms_of(step)
        for number, arm in enumerate(arms):
            if arm.steps:
                yield from self._reach((*path, number, 0), seen)
        passable = not isinstance(step, BranchStep) or all(arm.when is not None for arm in arms)
        if (passable and not isinstance(step, ParallelStep)) or any(not arm.steps for arm in arms):
            yield from self._reach(self._behind(path), seen)

    def choosing(self, by: str) -> Iterator[tuple[str, Chosen]]:
        """Nodes whose people somebody picks: the ``initiator`` or whoever decided the ``previous`` node."""
        for key, step in self.flow.nodes.items():
            if isinstance(step, (*PEOPLE, NotifyStep)):
                for who in step.persons:
                    if who.chosen is not None and who.chosen.by == by:
                        yield key, who.chosen
