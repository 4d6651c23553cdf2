"""The answers a run gets while it is live: conditions evaluated on the document, people looked up, moments counted.

An expression that has no value makes the question ``Unanswerable``; the run then says so where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from types import MappingProxyType

from engine.calendars.calendar import Calendar, after_working_hours
from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.people import Resolver, Who
from engine.definitions.workflow import ApproveStep, Asking, BranchStep, Deadline, NotifyStep, Vote, WaitStep, arms_of
from engine.expressions import Checked, Clock, EvaluationFailed, evaluate
from engine.problems import Problem, problem
from engine.workflow.answers import NEVER, Unanswerable
from engine.workflow.approvers import Context, asked, merged, resolve, stands_for
from engine.workflow.directory import Directory
from engine.workflow.state import Asked, Path

ONE_DAY = timedelta(days=1)


def _nobody() -> Mapping[str, tuple[int, ...]]:
    return MappingProxyType({})


def _none_unnamed() -> Mapping[str, Problem]:
    return MappingProxyType({})


def _nothing(node: str, children: Sequence[int]) -> None:
    """For runs that are only looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAnswers:
    """``Answers`` from a document and its people.

    Attributes:
        names: of the document, as header expressions see them. clock: the moment of the move.
        starter: the submitter of the run. department: the one supervisors are counted from; None for the submitter's.
        chosen: people picked (自选) by node, those of the present move included.
        named: people external resolvers have named, by node; a resolver not among them has to be asked.
        unnamed: why a resolver has named nobody, by node: the node is then stuck with the reason.
        act: does what a node does to the document (see ``Answers.doing``); ``names`` follow it.
        calendar: for deadlines in working hours; without one they are counted in natural hours.
        form: key of the document's form.
    """

    flow: CompiledWorkflow
    names: Mapping[str, object]
    clock: Clock
    directory: Directory
    starter: int
    department: int | None = None
    chosen: Mapping[str, tuple[int, ...]] = field(default_factory=_nobody)
    named: Mapping[str, tuple[int, ...]] = field(default_factory=_nobody)
    unnamed: Mapping[str, Problem] = field(default_factory=_none_unnamed)
    act: Callable[[str, Sequence[int]], None] = _nothing
    calendar: Calendar | None = None
    form: str = ""

    def holding(self, path: Path) -> tuple[int, ...]:
        """The arms of the branching step at ``path`` whose condition holds, of 条件分支 the first one only."""
        step = step_at(self.flow, path)
        found = (number for number in range(len(arms_of(step))) if self._holds((*path, number)))
        if isinstance(step, BranchStep):  # the first is walked, so the rest is not even looked at
            return tuple(islice(found, 1))
        return tuple(found)

    def persons(self, node: str, deadline: int = -1) -> tuple[Asked, ...] | None:
        """Whom the node, or one of its deadlines, means; None when an external resolver has to be asked first."""
        step = self.flow.nodes[node]
        if deadline < 0 and node in self.unnamed:
            raise Unanswerable(self.unnamed[node])
        if isinstance(step, NotifyStep):
            return self._people(node, step.persons, "to", self._context(node))
        if not isinstance(step, Asking):
            return ()
        context = self._context(
            node,
            pool=step.mode == "any" or deadline >= 0,
            apart=step.own != "allow",
        )
        if deadline >= 0:
            to = step.deadlines[deadline].to
            return () if to is None else self._people(node, (to,), f"deadlines.{deadline}.to", context)
        found = self._people(node, step.persons, "by", context)
        if found is None or not isinstance(step, ApproveStep) or step.vote is None:
            return found
        return tuple(self._voting(one, step.vote) for one in found)

    def administrators(self) -> tuple[int, ...]:
        """Who is asked instead where nobody is found and the node says so."""
        return self.directory.admins

    def moments(self, node: str, arrived: datetime) -> tuple[datetime, ...]:
        """When the deadlines of the node fall due (or its waiting ends), in the order they are written."""
        step = self.flow.nodes[node]
        if isinstance(step, WaitStep):
            return self._waiting(step, arrived)
        deadlines: Sequence[Deadline] = step.deadlines if isinstance(step, Asking) else ()
        return tuple(self._due(node, index, each, arrived) for index, each in enumerate(deadlines))

    def again(self, node: str, deadline: int, fired: datetime) -> datetime:
        """When a deadline that repeats falls due next; never for one that does not."""
        step = self.flow.nodes[node]
        if not isinstance(step, Asking) or step.deadlines[deadline].every is None:
            return NEVER
        repeating = step.deadlines[deadline]
        return self._after(fired, repeating.every or 0, repeating.clock)

    def holds(self, user: int, role: str) -> bool:
        """Whether the user holds the role now."""
        return self.directory.holds(user, role)

    def standing_in(self, node: str, users: Sequence[int]) -> tuple[Asked, ...]:
        """People somebody has named for the node (转办 …), with those who stand in for them."""
        step = self.flow.nodes.get(node)
        apart = isinstance(step, Asking) and step.own != "allow"
        return asked(users, self._context(node, apart=apart), self.directory)

    def doing(self, node: str, children: Sequence[int] = ()) -> None:
        """Let the node do what it does to the document."""
        self.act(node, children)

    def resolver(self, node: str) -> tuple[Resolver, Mapping[str, object]] | None:
        """The external resolver the node has to ask, with its parameters evaluated; None when it has none."""
        step = self.flow.nodes[node]
        name = "to" if isinstance(step, NotifyStep) else "by"
        persons = step.persons if isinstance(step, NotifyStep | Asking) else ()
        for index, who in enumerate(persons):
            if who.resolver is not None:
                values = {param: self._named(node, f"{name}.{index}.resolver.{param}") for param in who.resolver.params}
                return who.resolver, MappingProxyType(values)
        return None

    def value(self, node: str, name: str) -> object:
        """Value of an expression of the node by its name (``map.customer``); None when nothing is written there."""
        return self._named(node, name)

    def _people(self, node: str, ways: Sequence[Who], name: str, context: Context) -> tuple[Asked, ...] | None:
        found: list[Asked] = []
        for index, who in enumerate(ways):
            at = name if name.startswith("deadlines") else f"{name}.{index}"
            written = "field" if who.field is not None else "expression"
            evaluated = self._named(node, f"{at}.{written}")
            people = resolve(who, context, self.directory, evaluated)
            if people is None:
                return None
            found += people
        return merged(found)

    def _context(self, node: str, *, pool: bool = False, apart: bool = False) -> Context:
        person = self.directory.people.get(self.starter)
        department = self.department if self.department is not None or person is None else person.department
        return Context(
            names=self.names,
            starter=self.starter,
            department=department,
            chosen=self.chosen.get(node, ()),
            named=self.named.get(node),
            form=self.form,
            at=self.clock.now,
            pool=pool,
            apart=apart,
        )

    def _voting(self, one: Asked, vote: Vote) -> Asked:
        """Weight and veto follow from those whose say it is, not from who stands in for them."""
        says = [self.directory.people[user] for user in stands_for(one) if user in self.directory.people]
        weight = sum(
            max((vote.weights[role] for role in person.roles if role in vote.weights), default=1) for person in says
        )
        veto = any(role in person.roles for person in says for role in vote.veto)
        return Asked(user=one.user, role=one.role, behalf=one.behalf, also=one.also, weight=weight, veto=veto)

    def _waiting(self, step: WaitStep, arrived: datetime) -> tuple[datetime, ...]:
        """A date has come when its day begins."""
        if step.hours is not None:
            return (self._after(arrived, step.hours, step.clock),)
        if step.until is None:
            return ()
        until = self._named(step.key, "until")
        if isinstance(until, datetime):
            return (until,)
        if isinstance(until, date):
            return (datetime.combine(until, time()),)
        if step.event is not None:
            return (NEVER,)
        raise Unanswerable(problem("workflow.no_date", node=step.label))

    def _due(self, node: str, index: int, deadline: Deadline, arrived: datetime) -> datetime:
        """A date is kept until its day ends. One that is empty never comes."""
        if deadline.hours is not None:
            return self._after(arrived, deadline.hours, deadline.clock)
        until = self._named(node, f"deadlines.{index}.until")
        if isinstance(until, datetime):
            return until
        return datetime.combine(until + ONE_DAY, time()) if isinstance(until, date) else NEVER

    def _after(self, moment: datetime, hours: int, clock: str) -> datetime:
        if clock == "working" and self.calendar is not None:
            return after_working_hours(moment, hours, self.calendar)
        return moment + timedelta(hours=hours)

    def _holds(self, arm: Path) -> bool:
        condition = self.flow.conditions.get(arm)
        return condition is None or self._value(condition) is True

    def _named(self, node: str, name: str) -> object:
        checked = self.flow.expressions.get((node, name))
        return None if checked is None else self._value(checked)

    def _value(self, checked: Checked) -> object:
        try:
            return evaluate(checked, self.names, self.clock)
        except EvaluationFailed as failed:
            raise Unanswerable(failed.problem) from failed


def step_at(flow: CompiledWorkflow, path: Path) -> object:
    """The step at ``path``."""
    steps: Sequence[object] = flow.steps
    for depth in range(0, len(path) - 1, 2):
        steps = arms_of(steps[path[depth]])[path[depth + 1]].steps
    return steps[path[-1]]


def external(flow: CompiledWorkflow) -> Iterator[str]:
    """Nodes whose people an external resolver names."""
    for key, step in flow.nodes.items():
        persons = step.persons if isinstance(step, NotifyStep | Asking) else ()
        if any(who.resolver is not None for who in persons):
            yield key
