"""The tests a workflow carries: given names, which nodes ask? Run wherever an app is checked, like those of rules.

Everybody asked agrees at once, so what is walked depends on the conditions alone. Arms that are walked at the same
time are told from left to right; where the whole run ends, nothing further is asked. A wait is over at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.definitions.compiled import AppBundle, CompiledWorkflow
from engine.definitions.file_kinds import WORKFLOWS
from engine.definitions.given import Given, given_names
from engine.definitions.load import Loaded, load
from engine.definitions.reading import Place
from engine.definitions.references import complaint
from engine.definitions.workflow import ApproveStep, BranchStep, EndStep, FillStep, Step, WorkflowTest, arms_of
from engine.expressions import EvaluationFailed, evaluate
from engine.problems import Problem

NOBODY = "-"


def workflow_tests_pass(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """Every test of every workflow walks what it says."""
    for key, workflow in bundle.flows.items():
        for index, test in enumerate(workflow.definition.tests):
            yield from _run(loaded, bundle, workflow, test, Place(WORKFLOWS, key, ("tests", index)))


def run_workflow_tests(bundle: AppBundle) -> Iterator[Problem]:
    """The same for a bundle that was published: its texts are read again for their addresses."""
    yield from workflow_tests_pass(load(bundle.files, bundle.kinds), bundle)


def _run(
    loaded: Loaded, bundle: AppBundle, workflow: CompiledWorkflow, test: WorkflowTest, place: Place
) -> Iterator[Problem]:
    paths = frozenset(path for checked in workflow.conditions.values() for path in checked.names)
    given = given_names(loaded, test.given, paths, bundle.forms[workflow.definition.form].scope, place / "given")
    if not isinstance(given, Given):
        yield from given
        return
    try:
        asked = nodes_walked(workflow, given)
    except EvaluationFailed as failed:
        yield complaint(loaded, place, "definition.workflow_test_failed", reason=failed.problem.code)
        return
    if asked != test.walks:
        yield complaint(
            loaded,
            place / "walks",
            "definition.workflow_walks",
            number=_number(place),
            workflow=workflow.definition.label,
            asked=", ".join(asked) or NOBODY,
        )


def nodes_walked(workflow: CompiledWorkflow, given: Given) -> tuple[str, ...]:
    """Keys of the nodes that ask when everybody agrees. Raises ``EvaluationFailed``."""
    walking = _Walking(workflow, given)
    walking.through(workflow.steps, ())
    return tuple(walking.asked)


def _number(place: Place) -> int:
    return int(place.path[-1]) + 1


@dataclass(slots=True)
class _Walking:
    """One walk; ``asked`` grows."""

    workflow: CompiledWorkflow
    given: Given
    asked: list[str] = field(default_factory=list)

    def through(self, steps: Sequence[Step], above: tuple[int, ...]) -> bool:
        """Walk ``steps``; whether the run goes on behind them."""
        for index, step in enumerate(steps):
            if isinstance(step, EndStep):
                return False
            if isinstance(step, ApproveStep | FillStep):
                self.asked.append(step.key)
            if not self._arms(step, (*above, index)):
                return False
        return True

    def _arms(self, step: Step, path: tuple[int, ...]) -> bool:
        for number, arm in enumerate(arms_of(step)):
            if not self._holds((*path, number)):
                continue
            if not self.through(arm.steps, (*path, number)):
                return False
            if isinstance(step, BranchStep):
                return True
        return True

    def _holds(self, arm: tuple[int, ...]) -> bool:
        condition = self.workflow.conditions.get(arm)
        return condition is None or evaluate(condition, self.given.names, self.given.clock) is True
