"""Effects and values set, told as consequences: what would be made, who would hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.definitions.compiled import AppBundle, CompiledForm
from engine.definitions.compiled_rule import CompiledRule
from engine.effects import (
    Audience,
    CallPlugin,
    CallWebhook,
    CreateTask,
    Effect,
    Notify,
    StartDocument,
    StartFlow,
    Tag,
    WriteDocuments,
)
from engine.labels import Label
from engine.problems import Problem
from engine.rules.facts import plain
from engine.rules.verdict import Verdict
from runtime.rule_book import read_by
from runtime.trying.seen import Consequence, Person


def consequences_of(
    bundle: AppBundle, form: CompiledForm | None, rule: CompiledRule, verdict: Verdict
) -> Iterator[Consequence]:
    """Everything a verdict of ``rule`` asks for, in the order people would hear of it."""
    paths = read_by(rule)
    for one in verdict.sets:
        field = form.field(one.path) if form is not None else None
        label = field.label if field is not None else Label(one.path, one.path)
        detail = {"value": plain(one.value), **({"line": one.line + 1} if one.line >= 0 else {})}
        yield Consequence(kind="set", what=label, detail=detail, paths=paths)
    for effect in verdict.effects:
        yield replace(consequence_of(bundle, effect), paths=paths)


def refusals_of(verdict: Verdict) -> tuple[Problem, ...]:
    """What the rule would say to the person: rejections, then warnings."""
    return (*verdict.problems, *(each.problem for each in verdict.warnings))


def consequence_of(bundle: AppBundle, effect: Effect) -> Consequence:
    """One effect."""
    kind = effect.kind
    if isinstance(effect, CreateTask | Notify):
        return Consequence(kind=kind, what=effect.title, people=_people(effect.to))
    if isinstance(effect, StartDocument):
        return Consequence(kind=kind, what=_form(bundle, effect.form), detail={"action": effect.action})
    if isinstance(effect, WriteDocuments):
        first = effect.writes[0] if effect.writes else None
        what = _form(bundle, first.form) if first is not None else Label("-", "-")
        return Consequence(kind=kind, what=what, detail={"count": len(effect.writes)})
    if isinstance(effect, CallWebhook):
        return Consequence(kind=kind, what=Label(effect.event, effect.event), detail={"to": effect.to})
    if isinstance(effect, CallPlugin):
        return Consequence(kind=kind, what=Label(effect.use, effect.use))
    if isinstance(effect, Tag):
        return Consequence(kind="untag" if effect.remove else kind, what=effect.tag)
    if isinstance(effect, StartFlow):
        flow = bundle.flows.get(effect.workflow)
        return Consequence(kind=kind, what=flow.definition.label if flow is not None else Label(effect.workflow))
    event = str(getattr(effect, "event", "") or getattr(effect, "once_key", "") or kind)
    return Consequence(kind=kind, what=Label(event, event))


def _people(to: Audience) -> tuple[Person, ...]:
    return (*(Person(user=user) for user in to.users), *(Person(role=role) for role in to.roles))


def _form(bundle: AppBundle, key: str) -> Label:
    form = bundle.forms.get(key)
    return form.label if form is not None else Label(key, key)
