"""``start``, ``decide``, ``withdraw``: a run and an event in, the next run and the tasks that follow out. Pure.

Branches are evaluated when the run arrives at them, on the document as it then is. A run that finds no further node is
approved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.workflow import ApproveStep, BranchStep, Step
from engine.expressions import Clock, EvaluationFailed, evaluate
from engine.expressions.types import Row
from engine.problems import Problem, problem
from engine.workflow.run import Decision, People, Run, RunStatus, TaskSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """The outcome of an event.

    Attributes:
        run: as it is now. opened: tasks to open. closed: nodes whose open tasks end. problems: why it may not happen.
    """

    run: Run
    opened: tuple[TaskSpec, ...] = ()
    closed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def start(
    workflow: CompiledWorkflow, snapshot: str, starter: int, names: Mapping[str, object], people: People, clock: Clock
) -> Advanced:
    """Begin an approval."""
    run = Run(workflow=workflow.definition.workflow, snapshot=snapshot, starter=starter)
    return _walk(workflow, run, (), names, people, clock)


def decide(
    workflow: CompiledWorkflow,
    run: Run,
    user: int,
    roles: frozenset[str],
    approved: bool,
    names: Mapping[str, object],
    people: People,
    clock: Clock,
) -> Advanced:
    """One person agrees or rejects at the node the run waits at."""
    step = approving(workflow, run.node)
    if not may_decide(step, run, user, roles, names, people):
        return Advanced(run=run, problems=(problem("workflow.not_yours", node=step.label),))
    if any(one.node == run.node and one.user == user for one in _present(run)):
        return Advanced(run=run, problems=(problem("workflow.already_decided", node=step.label),))
    decided = replace(run, decisions=(*run.decisions, Decision(node=run.node, user=user, approved=approved)))
    if not approved:
        ended = replace(decided, status=RunStatus.REJECTED, node="", position=(), approvers=())
        return Advanced(run=ended, closed=(step.approve,))
    left = tuple(one for one in decided.approvers if one != user)
    if step.mode == "all" and left:
        return Advanced(run=replace(decided, approvers=left))
    onward = _walk(workflow, decided, run.position, names, people, clock)
    return replace(onward, closed=(step.approve, *onward.closed))


def approving(workflow: CompiledWorkflow, key: str) -> ApproveStep:
    """The approval node ``key``."""
    step = workflow.nodes[key]
    assert isinstance(step, ApproveStep)
    return step


def withdraw(workflow: CompiledWorkflow, run: Run, user: int) -> Advanced:
    """The submitter takes the document back."""
    policy = workflow.definition.withdraw
    if user != run.starter:
        return Advanced(run=run, problems=(problem("workflow.not_submitter"),))
    if policy == "never" or (policy == "first" and run.decisions):
        return Advanced(run=run, problems=(problem("workflow.too_late"),))
    ended = replace(run, status=RunStatus.WITHDRAWN, node="", position=(), approvers=())
    return Advanced(run=ended, closed=(run.node,))


def may_decide(
    step: ApproveStep, run: Run, user: int, roles: frozenset[str], names: Mapping[str, object], people: People
) -> bool:
    """Whether ``user`` is one of those the node waits for."""
    if step.mode == "all":
        return user in run.approvers
    if step.persons[0].role is not None:
        return step.persons[0].role in roles
    return user in _persons(step, names, people)


def _walk(
    workflow: CompiledWorkflow,
    run: Run,
    after: tuple[int, ...],
    names: Mapping[str, object],
    people: People,
    clock: Clock,
) -> Advanced:
    """Go on behind position ``after`` (the very beginning for ``()``) to the next node somebody must decide."""
    problems: list[Problem] = []
    position = _first(workflow.definition.steps) if not after else _next(workflow, after)
    while position is not None:
        step = _at(workflow, position)
        if isinstance(step, BranchStep):
            arm = _arm(workflow, position, step, names, clock, problems)
            if problems:
                return Advanced(run=run, problems=tuple(problems))
            inside = _first(step.branch[arm].steps) if arm is not None else None
            position = (
                (*position, arm, *inside) if arm is not None and inside is not None else _next(workflow, position)
            )
            continue
        if not isinstance(step, ApproveStep):
            position = _next(workflow, position)
            continue
        persons = _persons(step, names, people)
        if not persons and step.empty == "block":
            return Advanced(run=run, problems=(problem("workflow.nobody", node=step.label),))
        if persons:
            return _wait(run, step, position, persons)
        position = _next(workflow, position)
    return Advanced(run=replace(run, status=RunStatus.APPROVED, node="", position=(), approvers=()))


def _wait(run: Run, step: ApproveStep, position: tuple[int, ...], persons: tuple[int, ...]) -> Advanced:
    waiting = replace(
        run,
        node=step.approve,
        position=position,
        approvers=persons if step.mode == "all" else (),
        status=RunStatus.RUNNING,
    )
    if step.mode == "any" and step.persons[0].role is not None:
        opened: tuple[TaskSpec, ...] = (TaskSpec(node=step.approve, role=step.persons[0].role),)
    else:
        opened = tuple(TaskSpec(node=step.approve, user=person) for person in persons)
    return Advanced(run=waiting, opened=opened)


def _arm(
    workflow: CompiledWorkflow,
    position: tuple[int, ...],
    step: BranchStep,
    names: Mapping[str, object],
    clock: Clock,
    problems: list[Problem],
) -> int | None:
    for index in range(len(step.branch)):
        condition = workflow.conditions.get((*position, index))
        if condition is None:
            return index
        try:
            if evaluate(condition, names, clock) is True:
                return index
        except EvaluationFailed as failed:
            problems.append(failed.problem)
            return None
    return None


def _persons(step: ApproveStep, names: Mapping[str, object], people: People) -> tuple[int, ...]:
    if step.persons[0].role is not None:
        return people.holders.get(step.persons[0].role, ())
    if step.persons[0].department_head:
        return (people.department_head,) if people.department_head else ()
    value = names.get(step.persons[0].field or "")
    person = value.id if isinstance(value, Row) else value
    return (person,) if isinstance(person, int) else ()


def _present(run: Run) -> tuple[Decision, ...]:
    """Decisions made at the current node since the run last arrived there."""
    made: list[Decision] = []
    for one in reversed(run.decisions):
        if one.node != run.node:
            break
        made.append(one)
    return tuple(made)


def _first(steps: Sequence[Step]) -> tuple[int, ...] | None:
    return (0,) if steps else None


def _steps_at(workflow: CompiledWorkflow, prefix: tuple[int, ...]) -> Sequence[Step]:
    steps: Sequence[Step] = workflow.definition.steps
    for depth in range(0, len(prefix), 2):
        step = steps[prefix[depth]]
        if not isinstance(step, BranchStep):
            raise LookupError(prefix)
        steps = step.branch[prefix[depth + 1]].steps
    return steps


def _at(workflow: CompiledWorkflow, position: tuple[int, ...]) -> Step:
    return _steps_at(workflow, position[:-1])[position[-1]]


def _next(workflow: CompiledWorkflow, position: tuple[int, ...]) -> tuple[int, ...] | None:
    """The position after ``position``: the next sibling, else whatever follows the branch it stands in."""
    while position:
        steps = _steps_at(workflow, position[:-1])
        if position[-1] + 1 < len(steps):
            return (*position[:-1], position[-1] + 1)
        position = position[:-2]
    return None
