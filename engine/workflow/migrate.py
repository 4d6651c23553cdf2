"""Moving a running run to another version of its workflow, by an explicit map; and what a new version touches.

A run is only moved when every place it stands at exists in the new version, asks in the same way and fits beside the
others there. Who is asked stays asked; deadlines that mean the same go on. Nothing is walked while moving.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import combinations

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.workflow import arms_of
from engine.labels import Label
from engine.problems import Problem, Severity, problem
from engine.workflow.advanced import Advanced
from engine.workflow.course import Course
from engine.workflow.layout import PEOPLE, SPLITTING, Layout
from engine.workflow.move import Move, MoveKind
from engine.workflow.recording import Recorded, Recording, path_text
from engine.workflow.says import settle, verdict
from engine.workflow.state import Due, Found, Join, Passed, Path, Run, RunStatus, Token, TokenState


def touched(old_flow: CompiledWorkflow, new_flow: CompiledWorkflow, run: Run) -> tuple[Problem, ...]:
    """What the new version changes for this run; empty when nothing that matters to it.

    Errors: it cannot be moved without a map. Warnings: it could be moved as it is, and would go on differently.
    """
    if run.status is not RunStatus.RUNNING or old_flow.steps == new_flow.steps:
        return ()
    problems = _moved(run, old_flow, new_flow, {})[1]
    if problems:
        return tuple(problems)
    here = [token.node for token in run.tokens if token.node]
    changed = [node for node in here if old_flow.nodes[node] != new_flow.nodes[node]]
    if changed:
        return tuple(_warning(problem("workflow.node_changed", node, node=_label(old_flow, node))) for node in changed)
    passed = {one.node for one in run.passed}
    return (_warning(problem("workflow.ahead_changed")),) if _unpassed(old_flow, passed, new_flow) else ()


def migrate(
    run: Run,
    old_flow: CompiledWorkflow,
    new_flow: CompiledWorkflow,
    mapping: Mapping[str, str],
    at: datetime,
    by: int,
    snapshot: str = "",
) -> Advanced:
    """The run on the new version, or every reason why not. A dry run is a call whose outcome is thrown away.

    Args:
        mapping: old node → new node; nodes not named keep their key. A place without a key is named by its path.
        snapshot: name of the published state it is pinned to from now on.
    """
    if run.status is not RunStatus.RUNNING:
        return Advanced(run=run, problems=(problem("workflow.ended"),))
    course, problems = _moved(run, old_flow, new_flow, mapping)
    if problems:
        return Advanced(run=run, problems=tuple(problems))
    told = ", ".join(f"{old} → {new}" for old, new in mapping.items())
    move = Move(kind=MoveKind.MIGRATE, by=by, at=at, comment=told, admin=True)
    base = replace(run, snapshot=snapshot or run.snapshot, workflow=new_flow.definition.workflow, last=None)
    course.answers.run = replace(course.run(base), entries=run.entries + 1)
    return course.advanced(base, move)


def _moved(
    run: Run, old_flow: CompiledWorkflow, new_flow: CompiledWorkflow, mapping: Mapping[str, str]
) -> tuple[Course, list[Problem]]:
    old, new = Layout(old_flow), Layout(new_flow)
    course = Course.of(new, run, Recording(Recorded(Found())), datetime.min)
    problems: list[Problem] = []
    for token in run.tokens:
        moved = _token(old, new, token, mapping)
        if isinstance(moved, Problem):
            problems.append(moved)
        else:
            course.tokens[token.id] = moved
    if problems:
        return course, problems
    for one, other in combinations(course.tokens.values(), 2):
        if not new.beside(one.path, other.path):
            problems.append(problem("workflow.two_places", node=new.label(one.node), other=new.label(other.node)))
    course.passed = list(_passed(run, new_flow, mapping))
    course.joins = _joins(new, course)
    problems.extend(_settled(new, course))
    return course, problems


def _token(old: Layout, new: Layout, token: Token, mapping: Mapping[str, str]) -> Token | Problem:
    text = token.node or path_text(token.path)
    wanted = mapping.get(text, token.node)
    path = new.flow.paths.get(wanted) if wanted else _same_place(old, new, token.path)
    if path is None:
        return problem("workflow.node_gone", text, node=wanted or text)
    step, before = new.at(path), old.at(token.path)
    alike = type(step) is type(before) or (isinstance(step, PEOPLE) and isinstance(before, PEOPLE))
    if not alike and token.state is not TokenState.STUCK:
        return problem("workflow.node_other_kind", text, node=new.label(wanted))
    back = new.flow.paths.get(mapping.get(old.key(token.back), old.key(token.back))) if token.back else None
    if back is not None and new.scope(back) != new.scope(path):
        back = None
    return replace(token, path=path, node=wanted, back=back, due=_due(old, new, token, wanted))


def _same_place(old: Layout, new: Layout, path: Path) -> Path | None:
    """Of a place without a key: the same position, where it holds a step of the same kind."""
    try:
        return path if type(new.at(path)) is type(old.at(path)) else None
    except LookupError:
        return None


def _due(old: Layout, new: Layout, token: Token, wanted: str) -> tuple[Due, ...]:
    before, step = old.asking(token.node), new.asking(wanted)
    if before is None or step is None:
        return token.due
    same = [
        number
        for number, (one, other) in enumerate(zip(before.deadlines, step.deadlines, strict=False))
        if one.then == other.then
    ]
    return tuple(due for due in token.due if due.number in same)


def _passed(run: Run, new_flow: CompiledWorkflow, mapping: Mapping[str, str]) -> Iterator[Passed]:
    for one in run.passed:
        node = mapping.get(one.node, one.node)
        if node in new_flow.paths:
            yield replace(one, node=node, path=new_flow.paths[node])


def _joins(new: Layout, course: Course) -> dict[Path, Join]:
    """The joins around the places; an arm in which something was passed and nobody stands has ended."""
    standing = [token.path for token in course.tokens.values()]
    found: dict[Path, Join] = {}
    for path in standing:
        for depth in range(1, len(path), 2):
            split = path[:depth]
            if isinstance(new.at(split), SPLITTING) and split not in found:
                open_arms = {one[depth] for one in standing if one[:depth] == split and len(one) > depth}
                been = {one.path[depth] for one in course.passed if one.path[:depth] == split and len(one.path) > depth}
                ended = tuple(sorted(been - open_arms))
                found[split] = Join(path=split, started=tuple(sorted(open_arms | been)), ended=ended)
    return found


def _settled(new: Layout, course: Course) -> Iterator[Problem]:
    for token in list(course.tokens.values()):
        step = new.asking(token.node)
        if step is None or token.state is not TokenState.PEOPLE:
            continue
        if verdict(course, token.id, step) != "open":
            yield problem("workflow.decided_by_then", token.node, node=step.label)
        settle(course, token, step)


def _unpassed(old_flow: CompiledWorkflow, passed: set[str], new_flow: CompiledWorkflow) -> bool:
    """Whether anything but the nodes passed already differs."""

    def ahead(flow: CompiledWorkflow) -> list[tuple[Path, object]]:
        keyed: list[tuple[Path, object]] = [(flow.paths[key], step) for key, step in flow.nodes.items()]
        return [each for each in keyed if getattr(each[1], "key", "") not in passed]

    return ahead(old_flow) != ahead(new_flow) or _shape(old_flow) != _shape(new_flow)


def _shape(flow: CompiledWorkflow) -> list[object]:
    """Everything but the nodes: how the flow branches, under which conditions."""

    def below(steps: tuple[object, ...]) -> Iterator[object]:
        for step in steps:
            yield type(step).__name__
            for arm in arms_of(step):
                yield arm.when
                yield from below(arm.steps)
            yield getattr(step, "join", None)

    return list(below(flow.steps))


def _label(flow: CompiledWorkflow, node: str) -> Label:
    return flow.nodes[node].label


def _warning(one: Problem) -> Problem:
    return replace(one, severity=Severity.WARNING)
