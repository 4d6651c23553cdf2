"""Rules: facts in, verdicts out. A verdict says what the rule asks for and which alert it opens or closes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.decisions.table import decide
from engine.definitions.compiled_rule import CompiledRule
from engine.effects import CloseTask, CreateTask, Effect, Notify
from engine.expressions import Clock, EvaluationFailed, evaluate
from engine.labels import Label
from engine.rules.audience import audience
from engine.rules.consequences import Firing, Followed, effects_of, follow
from engine.rules.facts import NO_NAMES, Facts, plain
from engine.rules.loops import cut
from engine.rules.marks import NO_MARKS, Marks, once_key, opens, recovers, silent
from engine.rules.verdict import EscalationDue, RuleOutcome, Verdict
from engine.rules.world import NOBODY, World
from engine.texts import shown

NOTHING_DECIDED: tuple[Mapping[str, object], ...] = ({},)


def key_of(rule: CompiledRule, facts: Facts, clock: Clock) -> str:
    """Under which key the rule's marks on these facts are kept: the record, or what its ``key`` says.

    Raises:
        EvaluationFailed: ``key`` has no value.
    """
    if rule.definition.key is None:
        return facts.key
    return shown(evaluate(rule.expressions[("key",)], facts.names, clock))


def judge(rule: CompiledRule, facts: Facts, clock: Clock, marks: Marks = NO_MARKS, world: World = NOBODY) -> Verdict:
    """The verdict of one rule on one record. Never raises for what an author wrote: that is a ``failed`` verdict.

    Args:
        facts: look-ups answered (``lookups.with_found``).
        marks: what is remembered under ``key_of(rule, facts, clock)``.
    """
    name = rule.definition.rule
    too_long = cut(facts.chain, name)
    if too_long is not None:
        return Verdict(
            rule=name, key=facts.key, chain=facts.chain, trigger=facts.trigger, outcome="cut", error=too_long
        )
    try:
        return _judged(rule, facts, clock, marks, world)
    except EvaluationFailed as failed:
        return Verdict(
            rule=name,
            key=facts.key,
            chain=facts.chain,
            trigger=facts.trigger,
            outcome="failed",
            error=failed.problem,
            names=facts.names,
            reads=rule.reads,
        )


def _judged(rule: CompiledRule, facts: Facts, clock: Clock, marks: Marks, world: World) -> Verdict:
    written = rule.definition
    key = key_of(rule, facts, clock)
    true = evaluate(rule.condition, facts.names, clock) is True
    inputs: Mapping[str, object] = NO_NAMES
    results = NOTHING_DECIDED
    if true and rule.table is not None:
        decided = decide(rule.table, facts.names, clock)
        inputs, results = decided.inputs, decided.results
        true = bool(results)
    said = tuple({each: plain(value) for each, value in one.items()} for one in results) if rule.table else ()
    known = Verdict(
        rule=written.rule,
        key=key,
        chain=facts.chain,
        trigger=facts.trigger,
        names=facts.names,
        reads=rule.reads,
        inputs=inputs,
        results=said,
    )
    if recovers(written, marks, true=true):
        return replace(known, closes=True, effects=(CloseTask(once_key=once_key(written, key)),))
    if not true:
        return known
    if silent(written, marks, clock.now):
        return replace(known, outcome="silent")
    made = Followed()
    for one in results:
        names = {**facts.names, **inputs, **one}
        firing = Firing(rule=rule, facts=facts, names=names, once_key=once_key(written, key), world=world, clock=clock)
        follow(firing, made)
    outcome: RuleOutcome = "rejected" if made.problems else "warned" if made.warnings else "fired"
    return replace(
        known,
        outcome=outcome,
        fired=True,
        opens=opens(written, marks, true=True),
        remember=written.cooldown is not None,
        effects=effects_of(firing, made),
        problems=tuple(made.problems),
        warnings=tuple(made.warnings),
        sets=tuple(made.sets),
        escalations=_escalations(rule, clock, world),
    )


def escalated(
    rule: CompiledRule, number: int, facts: Facts, title: Label, key: str, clock: Clock, world: World = NOBODY
) -> tuple[Effect, ...]:
    """What step ``number`` of ``escalate`` brings about: these people are told, and get the to-do as well.

    Args:
        title: of the to-do that is still open. facts: of its record, for people named by its fields.
    """
    step = rule.definition.escalate[number]
    try:
        to = audience(rule, step.to, ("escalate", number, "to"), facts.names, facts, world, clock)
    except EvaluationFailed:
        return ()
    again = f"{rule.definition.rule}:{key}" if rule.definition.once else ""
    return (
        CreateTask(
            to=to, title=title, form=facts.form, document=facts.document, once_key=again, rule=rule.definition.rule
        ),
        Notify(to=to, title=title, form=facts.form, document=facts.document, about="overdue"),
    )


def _escalations(rule: CompiledRule, clock: Clock, world: World) -> tuple[EscalationDue, ...]:
    return tuple(
        EscalationDue(
            number=number,
            due_at=world.after_working_hours(clock.now, step.hours)
            if step.clock == "working"
            else NOBODY.after_working_hours(clock.now, step.hours),
        )
        for number, step in enumerate(rule.definition.escalate)
    )
