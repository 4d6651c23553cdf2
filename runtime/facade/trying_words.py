"""What a try has found, in the words of whoever asked; values hidden from that person are not told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from engine.definitions.compiled import CompiledForm
from engine.expressions import Path
from engine.labels import Label, joined
from engine.problems import Problem
from engine.texts import shown
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.flow_words import absent
from runtime.stages.steps import Unit
from runtime.trying.drafts import Draft
from runtime.trying.rule_trial import RuleTrial
from runtime.trying.seen import Condition, Consequence, Person, TrialStep

HIDDEN = "***"
FIGURE = re.compile(r"-?[0-9]+\.[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionView:
    """A condition in words. ``holds``: ``yes``, ``no`` or ``failed``; ``trace``: (depth, source, value)."""

    label: str
    source: str
    holds: str
    trace: tuple[tuple[int, str, str], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step in words. ``kind`` as in ``TrialStep``; ``follows``: what it brings about."""

    kind: str
    node: str
    label: str
    people: tuple[str, ...] = ()
    conditions: tuple[ConditionView, ...] = ()
    follows: tuple[str, ...] = ()
    note: str = ""
    reason: str = ""


def _figure(value: object) -> object:
    """A figure that is kept as text, for reading; anything else as it is."""
    if isinstance(value, list):
        return [_figure(each) for each in value]
    return Decimal(value) if isinstance(value, str) and FIGURE.fullmatch(value) else value


class Words:
    """Turns what was found into words in the person's language; hidden values are not told."""

    def __init__(self, door: Door, unit: Unit, draft: Draft) -> None:
        self._door, self._unit, self._draft = door, unit, draft
        self.language = door.language
        self._names = Names(door.language)

    def load(self, steps: Iterable[TrialStep]) -> None:
        """Load the names of everybody in the steps at once."""
        for step in steps:
            for person in (*step.people, *(one for each in step.consequences for one in each.people)):
                self._names.want_id("member", person.user)
                self._names.want_ids("member", person.behalf)
        self._names.load(self._unit)

    def step(self, step: TrialStep) -> StepView:
        """One step."""
        return StepView(
            kind=step.kind,
            node=step.node,
            label=step.label.text(self.language) if step.label is not None else "",
            people=tuple(self._person(each) for each in step.people),
            conditions=tuple(self._condition(each) for each in step.conditions),
            follows=tuple(self._consequence(each) for each in step.consequences),
            note=step.note,
            reason=self._door.say(step.why) if step.why is not None else "",
        )

    def rule_step(self, trial: RuleTrial, label: Label) -> StepView:
        """A rule as one step."""
        step = TrialStep(kind="action", label=label, consequences=trial.consequences)
        self.load((step,))
        seen = self._readable(trial.paths)
        told = [self._door.say(each) if seen else HIDDEN for each in trial.says]
        results = [
            f"{name} = {self.value(_figure(value)) if seen else HIDDEN}"
            for each in trial.results
            for name, value in each.items()
        ]
        return StepView(
            kind="rule",
            node="",
            label=label.text(self.language),
            conditions=(self._condition(trial.condition),),
            follows=(*results, *told, *(self._consequence(each) for each in trial.consequences)),
            note=trial.trigger,
            reason=self._door.say(trial.error) if trial.error is not None else "",
        )

    def facts(self, facts: Mapping[str, object]) -> Mapping[str, str]:
        """Values by path, hidden ones apart."""
        return {
            path: self.value(_figure(value)) if self._readable((tuple(path.split(".")),)) else HIDDEN
            for path, value in facts.items()
        }

    def value(self, value: object) -> str:
        """One value, for reading."""
        ui = self._door.house.catalogue.ui
        if value is None:
            return ui("trying.empty", self.language)
        if isinstance(value, bool):
            return ui("trying.yes" if value else "trying.no", self.language)
        if isinstance(value, tuple | list):
            return joined((self.value(each) for each in value[:20]), self.language) or ui("trying.empty", self.language)
        if isinstance(value, Decimal | str | date | datetime):
            return shown(value)
        return str(value)

    def _condition(self, one: Condition) -> ConditionView:
        seen = self._readable(one.paths)
        return ConditionView(
            label=one.label.text(self.language) if one.label is not None else "",
            source=one.source,
            holds="failed" if one.holds is None else "yes" if one.holds else "no",
            trace=tuple(
                (line.depth, line.source, self.value(line.value) if seen or line.depth == 0 else HIDDEN)
                for line in one.trace
            ),
            reason=self._door.say(one.failed) if one.failed is not None else "",
        )

    def _readable(self, paths: Iterable[Path]) -> bool:
        """Whether the person may read all of these, links followed."""
        form = self._door.bundle.forms.get(self._draft.form)
        return form is None or all(self._may(form, path) for path in paths)

    def _may(self, form: CompiledForm, path: Path) -> bool:
        if path and path[0] in ("old", "row"):
            path = path[1:]
        access = self._door.access(form)
        if not path or not access.readable(path[0]):
            return not path
        if path[0] in form.tables:
            column = ".".join(path[:2])
            if not access.readable(column):
                return False
            found, rest = form.field(column), path[2:]
        else:
            found, rest = form.fields.get(path[0]), path[1:]
        target = self._door.bundle.forms.get(found.linked) if found is not None else None
        if target is None or not rest:
            return True
        return "read" in self._door.access(target).actions and self._may(target, rest)

    def _person(self, one: Person) -> str:
        ui = self._door.house.catalogue.ui
        if one.user is None:
            role = self._door.bundle.roles.get(one.role) or self._draft.bundle.roles.get(one.role)
            label = role.definition.label.text(self.language) if role is not None else one.role
            return ui("trying.pool", self.language, role=label)
        name = self._names.name("member", one.user)
        whom = absent(one.user, one.behalf, self._names, self.language)
        if not whom:
            return name
        word = "trying.behalf_also" if one.user in one.behalf else "trying.behalf"
        return ui(word, self.language, name=name, whom=whom)

    def _consequence(self, one: Consequence) -> str:
        ui = self._door.house.catalogue.ui
        error = one.detail.get("error")
        if isinstance(error, Problem):
            return self._door.say(error)
        seen = self._readable(one.paths)
        what = one.what.text(self.language) if seen or one.kind == "set" else HIDDEN
        told = ui(f"trying.effect_{one.kind}", self.language, what=what)
        people = joined((self._person(each) for each in one.people), self.language)
        values = [self.value(each) if seen else HIDDEN for name, each in one.detail.items() if name != "line"]
        detail = joined(values, self.language)
        return " · ".join(part for part in (told, people, detail) if part)
