"""A small world for the workflow core: a flow from a few words of YAML, and answers that are written down.

Used by the cases of tests/cases/workflow and by the properties; it knows neither forms nor people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from simpleeval import InvalidExpression, simple_eval

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.workflow import Arm, Step, WaitStep, WorkflowDef, arms_of, step_kind
from engine.definitions.workflow_tree import laid_out, nodes_in
from engine.problems import problem
from engine.workflow.answers import NEVER, Unanswerable
from engine.workflow.state import Asked, Path

START = datetime(2026, 1, 5, 9)
LABELLED = ("approve", "fill", "notify", "wait", "subflow", "action")


def flow_of(raw: Mapping[str, Any], called: Mapping[str, Any] = MappingProxyType({})) -> CompiledWorkflow:
    """A workflow from its steps and options, with the other workflows it calls; labels and people may be left out."""
    others = {key: _definition(key, one) for key, one in called.items()}
    definition = _definition("approval", raw)
    laid = laid_out(definition, others | {"approval": definition})
    nodes = list(nodes_in(laid))
    return CompiledWorkflow(
        definition=definition,
        steps=tuple(placed.step for placed in laid),
        conditions=MappingProxyType({}),
        nodes=MappingProxyType({node.key: node for _, node, _ in nodes}),
        paths=MappingProxyType({node.key: path for path, node, _ in nodes}),
        expressions=MappingProxyType({}),
    )


def _definition(key: str, raw: Mapping[str, Any]) -> WorkflowDef:
    given = {"workflow": key, "label": _label(key), "form": "order", **raw}
    return WorkflowDef.model_validate(given | {"steps": _completed(raw["steps"])})


def _label(key: str) -> dict[str, str]:
    return {"zh": key, "en": key}


def _completed(steps: list[Any]) -> list[Any]:
    """The steps with what an author must write and a case need not."""
    found = []
    for raw in steps:
        kind = step_kind(raw)
        step = dict(raw)
        if kind in LABELLED:
            step.setdefault("label", _label(step[kind]))
        if kind in ("approve", "fill"):
            step.setdefault("by", {"initiator": True})
        if kind == "notify":
            step.setdefault("to", {"initiator": True})
        if kind == "action":
            step.setdefault("then", [])
        if kind == "subflow":
            step.setdefault("form", "order")
        if kind in ("branch", "inclusive", "parallel"):
            step[kind] = [_arm(arm) for arm in step[kind]]
        found.append(step)
    return found


def _arm(raw: Any) -> dict[str, Any]:
    """An arm: a list of steps (otherwise, always), or ``{when, steps}``."""
    arm = {"steps": raw} if isinstance(raw, list) else dict(raw)
    return arm | {"steps": _completed(arm.get("steps", []))}


def asked_of(raw: Any) -> Asked:
    """``11``, ``role manager``, ``12 for 11``, ``12 weighs 3``, ``12 veto``."""
    if isinstance(raw, int):
        return Asked(user=raw)
    words = str(raw).split()
    if words[0] == "role":
        return Asked(role=words[1])
    facts = dict(zip(words[1::2], words[2::2], strict=False))
    return Asked(
        user=int(words[0]),
        behalf=int(facts["for"]) if "for" in facts else None,
        weight=int(facts.get("weighs", 1)),
        veto="veto" in words,
    )


@dataclass(slots=True)
class World:
    """Answers as written down.

    Attributes:
        persons: by node (``node#0`` for its deadline 0): a list, None for an external resolver, ``fails`` for an
            expression without a value. holders: users by role. values: what conditions and dates read.
        stand_ins: absent user → who stands in.
    """

    flow: CompiledWorkflow
    persons_of: dict[str, Any] = field(default_factory=dict)
    holders: dict[str, list[int]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    admins: tuple[int, ...] = ()
    stand_ins: dict[int, int] = field(default_factory=dict)

    def holding(self, path: Path) -> tuple[int, ...]:
        arms = arms_of(_step_at(self.flow, path))
        return tuple(number for number, arm in enumerate(arms) if self._holds(arm))

    def _holds(self, arm: Arm) -> bool:
        if arm.when is None:
            return True
        try:
            return bool(simple_eval(arm.when, names=self.values))
        except InvalidExpression as failed:
            raise Unanswerable(problem("expression.unknown_name", name=arm.when)) from failed

    def persons(self, node: str, deadline: int = -1) -> tuple[Asked, ...] | None:
        given = self.persons_of.get(node if deadline < 0 else f"{node}#{deadline}", [])
        if given == "fails":
            raise Unanswerable(problem("expression.unknown_name", name=node))
        return None if given is None else tuple(asked_of(one) for one in given)

    def administrators(self) -> tuple[int, ...]:
        return self.admins

    def moments(self, node: str, arrived: datetime) -> tuple[datetime, ...]:
        step: Any = self.flow.nodes[node]
        waits = [step] if isinstance(step, WaitStep) else step.deadlines
        return tuple(self._moment(one, arrived) for one in waits)

    def _moment(self, wait: Any, arrived: datetime) -> datetime:
        if wait.hours is not None:
            return arrived + timedelta(hours=wait.hours)
        if wait.until not in self.values:
            raise Unanswerable(problem("expression.unknown_name", name=str(wait.until)))
        hours = self.values[wait.until]
        return NEVER if hours is None else START + timedelta(hours=hours)

    def again(self, node: str, deadline: int, fired: datetime) -> datetime:
        step: Any = self.flow.nodes[node]
        return fired + timedelta(hours=step.deadlines[deadline].every)

    def standing_in(self, node: str, users: Sequence[int]) -> tuple[Asked, ...]:
        return tuple(Asked(user=self.stand_ins[user], behalf=user) for user in users if user in self.stand_ins)

    def doing(self, node: str, children: Sequence[int] = ()) -> None:
        """Action nodes change nothing here."""

    def holds(self, user: int, role: str) -> bool:
        return user in self.holders.get(role, [])


def _step_at(flow: CompiledWorkflow, path: Path) -> Step:
    steps = flow.steps
    for depth in range(0, len(path) - 1, 2):
        steps = arms_of(steps[path[depth]])[path[depth + 1]].steps
    return steps[path[-1]]


def every_step(steps: tuple[Step, ...]) -> Iterator[Step]:
    """All steps, inner ones too."""
    for step in steps:
        yield step
        for arm in arms_of(step):
            yield from every_step(arm.steps)
