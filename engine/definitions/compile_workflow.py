"""Workflows → their compiled form: calls resolved, every expression checked against what it may see.

Names of the expressions of a node follow the way they are written: ``by.0.field``, ``by.0.expression``,
``by.0.resolver.<param>``, ``to.0 …`` (notify), ``deadlines.0.until``, ``deadlines.0.to …``, ``until``, ``when``,
``map.<field>``, ``back.<field>``, and for actions ``then.0.when``, ``then.0.set.<field>``, ``then.0.title.<hole>`` ….
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from engine.definitions.action_rules import action_rule
from engine.definitions.compile_rule import compile_rule
from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.people import Who
from engine.definitions.reading import Place, Reading
from engine.definitions.scopes import Scopes, table_record
from engine.definitions.workflow import (
    ActionStep,
    Asking,
    Keyed,
    NotifyStep,
    SubflowStep,
    WaitStep,
    WorkflowDef,
    arms_of,
)
from engine.definitions.workflow_tree import laid_out, nodes_in, walked
from engine.expressions import Checked, Kind, Scope, ValueType
from engine.expressions.types import BOOLEAN, MEMBER

CHILD = "child"
# Parts of a consequence whose names leave out what goes without saying.
SHORT: Mapping[tuple[str, ...], str] = MappingProxyType(
    {("webhook", "send"): "send", ("plugin", "params"): "params", ("create", "set"): "create"}
)
MOMENTS = (Kind.DATE, Kind.DATETIME)
Named = tuple[str, Checked | None]


def compile_workflows(
    workflows: Mapping[str, WorkflowDef], scopes: Scopes, reading: Reading
) -> dict[str, CompiledWorkflow]:
    """Compile all workflows; those of an unknown form are left out, which the checks report."""
    texts = Texts(scopes, reading)
    return {key: _workflow(each, workflows, texts) for key, each in workflows.items() if scopes.has_form(each.form)}


@dataclass(slots=True)
class Texts:
    """Reads each text once, however many workflows call the one it stands in."""

    scopes: Scopes
    reading: Reading
    read: dict[Place, Checked | None] = field(default_factory=dict)
    actions: dict[Place, CompiledRule | None] = field(default_factory=dict)

    def expression(self, text: str | None, scope: Scope, place: Place, expected: ValueType | None) -> Checked | None:
        """``text`` against ``scope``; None when nothing is written or after reporting what is wrong."""
        if place not in self.read:
            self.read[place] = self.reading.optional(text, scope, place, expected)
        return self.read[place]

    def action(self, node: ActionStep, workflow: WorkflowDef, place: Place) -> CompiledRule | None:
        """What an action node amounts to."""
        if place not in self.actions:
            rule = action_rule(node, workflow.workflow, workflow.form)
            self.actions[place] = compile_rule(rule, self.scopes, self.reading, place)
        return self.actions[place]

    def moment(self, text: str | None, scope: Scope, place: Place) -> Checked | None:
        """A date or a moment; anything else is reported."""
        fresh = place not in self.read
        read = self.expression(text, scope, place, None)
        if read is not None and fresh and read.type.kind not in (*MOMENTS, Kind.NOTHING):
            self.reading.report("definition.expected_moment", place)
        return read


def _workflow(workflow: WorkflowDef, others: Mapping[str, WorkflowDef], texts: Texts) -> CompiledWorkflow:
    laid = laid_out(workflow, others)
    scope = texts.scopes.header(workflow.form)
    conditions: dict[tuple[int, ...], Checked] = {}
    for path, each in walked(laid):
        for number, arm in enumerate(arms_of(each.step)):
            read = texts.expression(arm.when, scope, each.arm(number) / "when", BOOLEAN)
            if read is not None:
                conditions[(*path, number)] = read
    nodes: dict[str, Keyed] = {}
    paths: dict[str, tuple[int, ...]] = {}
    expressions: dict[tuple[str, str], Checked] = {}
    actions: dict[str, CompiledRule] = {}
    for path, node, place in nodes_in(laid):
        if node.key in nodes:
            continue
        nodes[node.key], paths[node.key] = node, path
        if isinstance(node, ActionStep) and (rule := texts.action(node, workflow, place)) is not None:
            actions[node.key] = rule
            expressions |= {(node.key, name): checked for name, checked in _consequences(rule)}
        for name, found in _node(node, workflow.form, scope, place, texts):
            if found is not None:
                expressions[(node.key, name)] = found
    return CompiledWorkflow(
        definition=workflow,
        steps=tuple(each.step for each in laid),
        conditions=MappingProxyType(conditions),
        nodes=MappingProxyType(nodes),
        paths=MappingProxyType(paths),
        expressions=MappingProxyType(expressions),
        actions=MappingProxyType(actions),
    )


def _node(node: Keyed, form: str, scope: Scope, place: Place, texts: Texts) -> Iterator[Named]:
    if isinstance(node, Asking):
        yield from _people(node.persons, "by", isinstance(node.by, tuple), scope, place / "by", texts)
        for index, deadline in enumerate(node.deadlines):
            at = place / "deadlines" / index
            yield f"deadlines.{index}.until", texts.moment(deadline.until, scope, at / "until")
            if deadline.to is not None:
                yield from _people((deadline.to,), f"deadlines.{index}.to", False, scope, at / "to", texts)
    elif isinstance(node, NotifyStep):
        yield from _people(node.persons, "to", isinstance(node.to, tuple), scope, place / "to", texts)
    elif isinstance(node, WaitStep):
        yield "until", texts.moment(node.until, scope, place / "until")
    elif isinstance(node, SubflowStep):
        yield from _subflow(node, form, scope, place, texts)


def _people(
    persons: Iterable[Who], name: str, several: bool, scope: Scope, place: Place, texts: Texts
) -> Iterator[Named]:
    """A single way is numbered 0 as well when it may be one of several; a deadline names one only."""
    for index, who in enumerate(persons):
        at = place / index if several else place
        own = name if name.startswith("deadlines") else f"{name}.{index}"
        if who.field is not None and ("." in who.field or _is_member(who.field, scope)):
            yield f"{own}.field", texts.expression(who.field, scope, at / "field", MEMBER)
        yield f"{own}.expression", texts.expression(who.expression, scope, at / "expression", MEMBER)
        if who.resolver is not None:
            for param, text in who.resolver.params.items():
                found = texts.expression(text, scope, at / "resolver" / "params" / param, None)
                yield f"{own}.resolver.{param}", found


def _is_member(name: str, scope: Scope) -> bool:
    """A plain name that is no member field is reported by the checks, in words about fields."""
    known = scope.names.get(name)
    return known is not None and known.kind is Kind.MEMBER


def _subflow(node: SubflowStep, form: str, scope: Scope, place: Place, texts: Texts) -> Iterator[Named]:
    scopes = texts.scopes
    lined = node.each is not None and table_record(form, node.each) in scopes.records
    inside = scopes.line(form, node.each or "") if lined else scope
    yield "when", texts.expression(node.when, inside, place / "when", BOOLEAN)
    child = scopes.records.get(node.form, {}) if scopes.has_form(node.form) else {}
    for name, text in node.map.items():
        yield f"map.{name}", texts.expression(text, inside, place / "map" / name, child.get(name))
    if not scopes.has_form(node.form):
        return
    both = replace(scope, names=MappingProxyType({**scope.names, CHILD: ValueType(Kind.LINK, node.form)}))
    for name, text in node.back.items():
        expected = scopes.records[form].get(name)
        yield f"back.{name}", texts.expression(text, both, place / "back" / name, expected)


def _consequences(rule: CompiledRule) -> Iterator[tuple[str, Checked]]:
    """The expressions of an action under the names a workflow knows them by."""
    for at, checked in rule.expressions.items():
        words = tuple(map(str, at))
        short = SHORT.get(words[2:4])
        name = words if short is None else (*words[:2], short, *words[4:])
        yield ".".join(name), checked
    for index in range(len(rule.definition.then)):
        for hole, checked in rule.placeholders.items():
            yield f"then.{index}.title.{hole}", checked
