"""Trying a draft rule on a stored record: its facts, its condition with its value, its verdict, what would follow."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.rule_scopes import STOCK
from engine.expressions import Path
from engine.expressions.types import Row
from engine.problems import Problem, Refused, problem
from engine.rules.facts import Facts, flow_names, offset_names
from engine.rules.verdict import Verdict
from runtime.rule_book import read_by
from runtime.ruling.outside import facts_again
from runtime.stages.judge_rules import decided
from runtime.stages.judge_world import LiveWorld
from runtime.stages.steps import Unit
from runtime.trying.consequences import consequences_of, refusals_of
from runtime.trying.flow_trial import condition_of
from runtime.trying.seen import Condition, Consequence


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTrial:
    """What a rule would do.

    Attributes:
        outcome: ``fired``, ``quiet``, ``rejected``, ``warned`` or ``failed``; what it remembers is not asked, so it is
            never ``silent``. facts: values read, by path. results: of its decision table. paths: everything it reads.
        says: rejections and warnings. error: why it has failed.
    """

    outcome: str
    trigger: str
    condition: Condition
    facts: dict[str, object]
    results: tuple[dict[str, object], ...] = ()
    consequences: tuple[Consequence, ...] = ()
    says: tuple[Problem, ...] = ()
    error: Problem | None = None
    paths: frozenset[Path] = frozenset()


def try_rule(unit: Unit, rule: CompiledRule, form: str, document: int) -> RuleTrial:
    """Judge the rule on the record as it is stored now, as if its trigger had just come. Reads only.

    Args:
        unit: with the draft's bundle (``unit_with``).

    Raises:
        Refused: ``invalid`` when the rule is not about a record of this form, or about none that is stored.
    """
    facts = trial_facts(unit, rule, form, document)
    made = decided(unit, rule, (facts,), LiveWorld(unit), afresh=True)[0]
    return _told(unit, rule, made.facts, made.verdict)


def subject_of(unit: Unit, rule: CompiledRule) -> str:
    """Key of the form whose records the rule can be tried on.

    Raises:
        Refused: ``trying.no_record`` for rules on messages, imports, other ledgers and the clock alone.
    """
    when = rule.definition.when
    if when.ledger == STOCK and unit.bundle.app.dimensions.product is not None:
        return unit.bundle.app.dimensions.product
    if when.form is None or when.webhook or when.imported or when.ledger:
        raise Refused([problem("trying.no_record", rule=rule.definition.label)])
    return when.form


def trial_facts(unit: Unit, rule: CompiledRule, form: str, document: int) -> Facts:
    """The facts of a stored record, with what the trigger of the rule brings; its state before was the same."""
    subject = subject_of(unit, rule)
    if form != subject:
        label = unit.bundle.forms[subject].label
        raise Refused([problem("trying.other_form", "form", rule=rule.definition.label, form=label)])
    return with_trigger(rule, facts_again(unit, rule, form, document, trigger_of(rule)))


def with_trigger(rule: CompiledRule, facts: Facts) -> Facts:
    """``facts`` with what the trigger brings: ``old``, ``flow``, ``offset``."""
    when = rule.definition.when
    names = dict(facts.names)
    if when.flow:
        names.update(flow_names(when.flow[0], when.node or ""))
    if when.date is not None:
        names.update(offset_names((*when.date.days, *when.date.hours, *when.date.minutes, 0)[0]))
    if "create" not in when.on and facts.document is not None:
        names["old"] = Row(id=facts.document, values=facts.names)
    return replace(facts, names=names)


def trigger_of(rule: CompiledRule) -> str:
    """What wakes the rule, in a word."""
    when = rule.definition.when
    given = {
        "fields": when.fields, "status": when.status, "flow": when.flow, "ledger": when.ledger,
        "schedule": when.schedule, "date": when.date, "button": when.button,
    }  # fmt: skip
    return when.on[0] if when.on else next((word for word, value in given.items() if value), "")


def _told(unit: Unit, rule: CompiledRule, facts: Facts, verdict: Verdict) -> RuleTrial:
    return RuleTrial(
        outcome=verdict.outcome,
        trigger=verdict.trigger or facts.trigger,
        condition=condition_of(rule.condition, dict(facts.names), unit.around.clock),
        facts=dict(verdict.facts),
        results=tuple(dict(each) for each in verdict.results),
        consequences=tuple(consequences_of(unit.bundle, unit.bundle.forms.get(facts.form), rule, verdict)),
        says=refusals_of(verdict),
        error=verdict.error,
        paths=read_by(rule),
    )
