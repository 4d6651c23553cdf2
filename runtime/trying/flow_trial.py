"""Trying a draft workflow on a stored document: every step, every condition with its value, everybody found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.workflow import BranchStep, arms_of
from engine.document import Document
from engine.environment import scene
from engine.expressions import Checked, Clock, EvaluationFailed, evaluate_traced
from engine.expressions.types import Row
from engine.labels import Label
from engine.problems import problem
from engine.rules.evaluate import judge
from engine.rules.facts import document_facts
from engine.workflow.approvers import stands_for
from engine.workflow.live import LiveAnswers, step_at
from engine.workflow.recording import path_text
from engine.workflow.state import Asked, Path, RunStatus, Seat, Token, TokenState
from runtime.stages.flow_actions import Doing
from runtime.stages.flow_begin import administering
from runtime.stages.judge_world import LiveWorld
from runtime.stages.steps import Unit, load_linked
from runtime.storage.directory import load_directory
from runtime.trying.consequences import consequences_of
from runtime.trying.drafts import Draft
from runtime.trying.seen import MOST_LINES, Condition, Consequence, Person, TrialStep, trace_lines
from runtime.trying.walkthrough import Walked, walked

ENDS: Mapping[RunStatus, Label] = MappingProxyType(
    {
        RunStatus.APPROVED: Label("审批通过", "Approved"),
        RunStatus.REJECTED: Label("驳回", "Rejected"),
    }
)


def try_workflow(unit: Unit, draft: Draft, flow: CompiledWorkflow, document: Document) -> tuple[TrialStep, ...]:
    """What would happen if the document were submitted now, and everybody agreed. Reads only.

    Args:
        unit: with the draft's bundle (``unit_with``).
    """
    form = unit.form(document.form)
    linked = load_linked(unit, form, (document,))
    doing = Doing(unit, flow, document, scene(form, document, linked, unit.around), linked)
    doing.starter = document.creator
    before: dict[str, Mapping[str, object]] = {}
    answers = _Noting(
        flow=flow,
        names=doing.names,
        noted=before,
        act=partial(_pretended, doing, before),
        clock=unit.around.clock,
        directory=load_directory(
            unit.connection, unit.bundle.app.app, unit.now, administering(unit.bundle, document.form)
        ),
        starter=document.creator,
        department=document.department,
        calendar=unit.bundle.calendar,
        form=document.form,
    )
    seen = _Seen(unit, flow, document, answers, before)
    found: list[TrialStep] = [TrialStep(kind="submit", people=(Person(user=document.creator),))]
    for each in walked(flow, draft.bundle.hash, answers):
        found += seen.steps(each)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noting(LiveAnswers):
    """Live answers that note what the document looked like when a branch was asked: an action may change it later."""

    noted: dict[str, Mapping[str, object]]

    def holding(self, path: Path) -> tuple[int, ...]:
        self.noted[path_text(path)] = dict(self.names)
        return LiveAnswers.holding(self, path)


def _pretended(doing: Doing, noted: dict[str, Mapping[str, object]], node: str, children: Sequence[int]) -> None:
    """What an action node sets is seen behind it; what a sub-flow would bring back nobody knows."""
    noted[node] = dict(doing.names)
    if not children:
        doing.node(node, ())


def condition_of(
    checked: Checked | None, names: Mapping[str, object], clock: Clock, label: Label | None = None
) -> Condition:
    """A condition with its value and how it came about; one that is not there holds."""
    if checked is None:
        return Condition(source="", holds=True, label=label)
    paths = tuple(sorted(checked.names))
    try:
        traced = evaluate_traced(checked, names, clock)
    except EvaluationFailed as failed:
        return Condition(source=checked.text, holds=None, label=label, failed=failed.problem, paths=paths)
    lines = tuple(trace_lines(traced.steps))[:MOST_LINES]
    return Condition(source=checked.text, holds=traced.value is True, label=label, trace=lines, paths=paths)


class _Seen:
    """Tells the moves of one walk."""

    def __init__(
        self,
        unit: Unit,
        flow: CompiledWorkflow,
        document: Document,
        answers: LiveAnswers,
        before: Mapping[str, Mapping[str, object]],
    ) -> None:
        self._unit, self._flow, self._document, self._answers = unit, flow, document, answers
        self._before = before  # names as they were when a branch was asked or an action done

    def steps(self, one: Walked) -> Iterator[TrialStep]:
        """What one move led to: conditions first, then what was passed, then where it stands."""
        advanced = one.advanced
        yield from (step for _, step in sorted(self._passed(one), key=lambda pair: pair[0]))
        if advanced.granted:
            yield from self._granted(advanced.granted, {token.id: token for token in advanced.run.tokens})
        told = set()
        for token in advanced.arrived:
            told.add(token.id)
            yield self._arrived(token, [seat for seat in advanced.run.seats if seat.token == token.id])
        later = [seat for seat in advanced.opened if seat.token not in told]
        for number in dict.fromkeys(seat.token for seat in later):
            place = advanced.run.token(number)
            if place is not None:
                seats = [seat for seat in later if seat.token == number]
                yield replace(self._arrived(place, seats), note="next")
        if one.stopped is not None:
            yield TrialStep(kind="stop", why=one.stopped)
        elif advanced.run.status is not RunStatus.RUNNING:
            status = advanced.run.status
            yield TrialStep(kind="end", node=str(status), label=ENDS.get(status), note=str(status))

    def _passed(self, one: Walked) -> Iterator[tuple[Path, TrialStep]]:
        """What the move went past, each with its place in the tree: that is the order in which it is reached."""
        advanced, paths = one.advanced, self._flow.paths
        clock = Clock(today=one.at.date(), now=one.at)
        for text, arms in advanced.entry.found.arms.items() if advanced.entry is not None else ():
            path = tuple(map(int, text.split(".")))
            yield path, self._branch(path, arms, clock)
        for action in advanced.actions:
            follows = tuple(self._consequences(action.key))
            yield (
                paths[action.key],
                TrialStep(kind="action", node=action.key, label=action.label, consequences=follows),
            )
        for copy in advanced.copied:
            told = TrialStep(kind="copied", node=copy.node, label=self._label(copy.node), people=_people(copy.to))
            yield paths[copy.node], told

    def _branch(self, path: Path, taken: tuple[int, ...], clock: Clock) -> TrialStep:
        step, names = step_at(self._flow, path), self._before[path_text(path)]
        arms = arms_of(step)
        # Of exclusive arms those behind the one that is walked are not looked at.
        last = taken[0] + 1 if isinstance(step, BranchStep) and taken else len(arms)
        conditions = tuple(
            condition_of(self._flow.conditions.get((*path, number)), names, clock, arm.label)
            for number, arm in enumerate(arms[:last])
        )
        label = getattr(step, "label", None)
        return TrialStep(kind="condition", node=".".join(map(str, path)), label=label, conditions=conditions)

    def _granted(self, seats: Iterable[Seat], tokens: dict[int, Token]) -> Iterator[TrialStep]:
        by_node: dict[int, list[Seat]] = {}
        for seat in seats:
            by_node.setdefault(seat.token, []).append(seat)
        for number, held in by_node.items():
            node = tokens[number].node if number in tokens else ""
            yield TrialStep(kind="granted", node=node, label=self._label(node), people=_people(held))

    def _arrived(self, token: Token, seats: Iterable[Seat]) -> TrialStep:
        label = self._label(token.node)
        if token.state is TokenState.PEOPLE:
            people = _people(each for each in seats if not each.granted)
            step = self._flow.nodes[token.node]
            mode = str(getattr(step, "mode", "any"))
            return TrialStep(kind="asked", node=token.node, label=label, people=people, note=mode)
        if token.state is TokenState.STUCK:
            return TrialStep(kind="stuck", node=token.node, label=label, why=token.reason or problem("trying.stands"))
        if token.state is TokenState.CHILDREN:
            return TrialStep(kind="subflow", node=token.node, label=label)
        if token.state is TokenState.NAMES:
            return TrialStep(kind="names", node=token.node, label=label)
        due = next((f"{due.at:%Y-%m-%d %H:%M}" for due in token.due if due.number == -1), "")
        return TrialStep(kind="wait", node=token.node, label=label, note=due)

    def _consequences(self, node: str) -> Iterator[Consequence]:
        rule = self._flow.actions.get(node)
        if rule is None:
            return
        unit, document, names = self._unit, self._document, self._before[node]
        facts = document_facts(document, names, before=None, trigger=node)
        facts = replace(facts, names={**facts.names, "old": Row(id=document.id, values=names)})
        verdict = judge(rule, facts, self._answers.clock, world=LiveWorld(unit))
        if verdict.error is not None:
            yield Consequence(kind="failed", what=Label(verdict.error.code), detail={"error": verdict.error})
        yield from consequences_of(unit.bundle, unit.form(document.form), rule, verdict)

    def _label(self, node: str) -> Label | None:
        step = self._flow.nodes.get(node)
        return step.label if step is not None else None


def _person(one: Asked | Seat) -> Person:
    return Person(user=one.user, role=one.role if one.user is None else "", behalf=stands_for(one))


def _people(found: Iterable[Asked | Seat]) -> tuple[Person, ...]:
    return tuple(map(_person, found))
