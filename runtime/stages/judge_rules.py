"""Judging rules inside a transaction: look-ups and marks in, verdicts out, and what a verdict leaves behind.

Used by stage 6 and by everything that wakes rules outside a submission. The decisions are ``engine.rules``'; here their
questions are answered and their verdicts kept: alerts, marks, timers of escalations, the log. A rule that cannot be
judged never hinders the document, unless it is one that may refuse it; whoever published it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter_ns
from typing import TypeAlias

from engine.actor import ADMIN_ROLE
from engine.definitions.compiled_rule import CompiledRule
from engine.effects import Audience, Effect, Notify, effect_json
from engine.expressions import EvaluationFailed
from engine.labels import Label
from engine.problems import Problem, Refused, problem
from engine.rules.evaluate import judge, key_of
from engine.rules.facts import Facts, plain
from engine.rules.lookups import Asked, Found, lookup_needs, with_found
from engine.rules.marks import NO_MARKS, Marks
from engine.rules.verdict import Verdict, refusals
from engine.rules.world import World
from runtime.jobs.attempt import problems_json
from runtime.stages.steps import Unit
from runtime.storage import accounts, alerts, lookups, rule_marks, rule_runs, snapshots, timers
from runtime.storage.rule_runs import RuleRun
from runtime.storage.timers import ESCALATION, TimerRow

QUIET = ("quiet", "silent")
# What only the trigger knows; kept with the run, so that it can be run again.
BROUGHT = ("payload", "imported", "flow", "offset")
UNANSWERED = (EvaluationFailed, Refused, LookupError)
WRONG = ("failed", "cut")
Opened: TypeAlias = frozenset[tuple[str, str]]
REPORT_AGAIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A verdict with what it was decided on, and how long that took."""

    rule: CompiledRule
    facts: Facts
    verdict: Verdict
    duration_us: int = 0

    @property
    def worth_telling(self) -> bool:
        """Whether it belongs into the log."""
        return self.verdict.outcome not in QUIET or self.rule.definition.log == "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the log keeps of a refused submission, and who must hear of it; written after the rollback."""

    at: datetime
    runs: tuple[RuleRun, ...]
    effects: tuple[Effect, ...] = ()
    snapshot: str = ""
    form: str = ""
    user: int = 0


class RefusedByRules(Refused):
    """Refused by rules. ``told`` is kept in a transaction of its own: what was refused must be visible too."""

    def __init__(self, problems: Iterable[Problem], told: Told) -> None:
        super().__init__(problems)
        self.told = told


def alerts_open(unit: Unit, rules: Iterable[CompiledRule], facts: Sequence[Facts]) -> Opened:
    """The open alerts of several rules about the same records, with one query."""
    names = [rule.definition.rule for rule in rules if rule.definition.once and rule.definition.key is None]
    return alerts.open_of(unit.connection, names, [one.key for one in facts]) if names else frozenset()


def decided(
    unit: Unit,
    rule: CompiledRule,
    facts: Sequence[Facts],
    world: World,
    *,
    afresh: bool = False,
    opened: Opened | None = None,
) -> tuple[Decided, ...]:
    """The rule judged on each of these, look-ups loaded with one query each.

    Args:
        afresh: forget what the rule remembers, for a repetition that somebody asks for.
        opened: its open alerts, where they were asked for together with others' (`alerts_open`).
    """
    began = perf_counter_ns()
    try:
        ready, known = _prepared(unit, rule, facts, afresh, opened)
    except UNANSWERED as error:
        alone = _unanswered(unit, rule, facts, afresh, opened) if len(facts) > 1 else {}
        if not alone:
            return tuple(
                Decided(rule=rule, facts=one, verdict=_failed(rule, one, error), duration_us=_since(began))
                for one in facts
            )
        others = [one for place, one in enumerate(facts) if place not in alone]
        rest = iter(decided(unit, rule, others, world, afresh=afresh, opened=opened))
        return tuple(alone.get(place) or next(rest) for place in range(len(facts)))
    shared = _since(began) // max(len(facts), 1)
    made = []
    for one in ready:
        start = perf_counter_ns()
        verdict = _judged(unit, rule, one, known, world)
        if verdict.opens or verdict.closes or verdict.remember:
            kept = known.get(verdict.key, NO_MARKS)
            known[verdict.key] = Marks(
                open=(kept.open or verdict.opens) and not verdict.closes,
                fired_at=unit.now if verdict.remember else kept.fired_at,
            )
        made.append(Decided(rule=rule, facts=one, verdict=verdict, duration_us=shared + _since(start)))
    return tuple(made)


def _prepared(
    unit: Unit, rule: CompiledRule, facts: Sequence[Facts], afresh: bool, opened: Opened | None
) -> tuple[Sequence[Facts], dict[str, Marks]]:
    """The facts with what their look-ups found, and what the rule remembers of them."""
    clock = unit.around.clock
    if rule.lookups:
        facts = with_found(rule, facts, _answers(unit, lookup_needs(rule, facts, clock)), clock)
    return facts, {} if afresh else _marks(unit, rule, facts, opened)


def _unanswered(
    unit: Unit, rule: CompiledRule, facts: Sequence[Facts], afresh: bool, opened: Opened | None
) -> dict[int, Decided]:
    """Those of the facts that cannot be judged even alone, by their place: they must not keep the rule from others."""
    found: dict[int, Decided] = {}
    for place, one in enumerate(facts):
        began = perf_counter_ns()
        try:
            _prepared(unit, rule, (one,), afresh, opened)
        except UNANSWERED as error:
            found[place] = Decided(rule=rule, facts=one, verdict=_failed(rule, one, error), duration_us=_since(began))
    return found


def settle(
    unit: Unit,
    group: Sequence[Decided],
    *,
    confirmed: bool = True,
    reason: str = "",
    rerun_of: int = 0,
    strict: bool = False,
) -> tuple[Effect, ...]:
    """Keep what the verdicts say; the effects for the outbox, in the order of the rules.

    Args:
        confirmed, reason: warnings have been read, and why it is done all the same.
        rerun_of: the run this repeats. strict: somebody waits for this very rule, so its failing is told as well.

    Raises:
        RefusedByRules: every rejection, every warning that was not confirmed, and every rule that may refuse and could
            not be judged, all at once.
    """
    problems = tuple(_refused(unit, group, confirmed=confirmed, reason=reason, strict=strict))
    runs = tuple(_run(unit, one, rerun_of) for one in group if one.worth_telling)
    reports = tuple(_reports(unit, group))
    if problems:
        form = group[0].facts.form
        user = unit.around.actor.user
        told = Told(at=unit.now, runs=runs, effects=reports, snapshot=unit.bundle.hash, form=form, user=user)
        raise RefusedByRules(problems, told)
    verdicts = [one.verdict for one in group]
    alerts.open_alerts(unit.connection, _pairs(one for one in verdicts if one.opens), unit.now)
    alerts.close_alerts(unit.connection, _pairs(one for one in verdicts if one.closes), unit.now)
    for one in verdicts:
        if one.remember:
            rule_marks.put(unit.connection, one.rule, (one.key,), unit.now)
    timers.add(unit.connection, _escalations(unit, group))
    rule_runs.add(unit.connection, runs)
    return (*(effect for one in verdicts for effect in one.effects), *reports)


def _judged(unit: Unit, rule: CompiledRule, facts: Facts, known: Mapping[str, Marks], world: World) -> Verdict:
    clock = unit.around.clock
    try:
        marks = known.get(key_of(rule, facts, clock), NO_MARKS) if known else NO_MARKS
        return judge(rule, facts, clock, marks, world)
    except UNANSWERED as error:
        return _failed(rule, facts, error)


def _answers(unit: Unit, asked: Iterable[Asked]) -> list[tuple[Asked, Found]]:
    app, clock = unit.bundle.app, unit.around.clock
    return [(one, lookups.answered(unit.connection, unit.tables, app, one.need, clock)) for one in asked]


def _marks(unit: Unit, rule: CompiledRule, facts: Sequence[Facts], opened: Opened | None) -> dict[str, Marks]:
    """What the rule remembers of these facts, by key; rules that remember nothing ask nothing."""
    once, cools = rule.definition.once, rule.definition.cooldown is not None
    if not (once or cools):
        return {}
    name = rule.definition.rule
    keys = sorted({key_of(rule, one, unit.around.clock) for one in facts})
    if opened is None or rule.definition.key is not None:
        opened = alerts.open_of(unit.connection, [name], keys) if once else frozenset()
    fired = rule_marks.found(unit.connection, name, keys) if cools else {}
    marked = [key for key in keys if (name, key) in opened or key in fired]
    return {key: Marks(open=(name, key) in opened, fired_at=fired.get(key)) for key in marked}


def _failed(rule: CompiledRule, facts: Facts, error: Exception) -> Verdict:
    if isinstance(error, EvaluationFailed):
        why = error.problem
    elif isinstance(error, Refused):
        why = error.problems[0]
    else:  # a name that was not loaded: ours, not the author's
        why = problem("rule.not_loaded", name=str(error).strip("'\"")[:80])
    return Verdict(
        rule=rule.definition.rule,
        key=facts.key,
        outcome="failed",
        error=why,
        chain=facts.chain,
        trigger=facts.trigger,
    )


def _refused(unit: Unit, group: Sequence[Decided], *, confirmed: bool, reason: str, strict: bool) -> Iterator[Problem]:
    yield from refusals((one.verdict for one in group), confirmed=confirmed, reason=reason)
    for one in group:
        verdict = one.verdict
        may_refuse = strict or verdict.rule in unit.rules.blocking
        if verdict.outcome == "failed" and may_refuse and verdict.error is not None:
            yield problem("rule.cannot_judge", verdict.error.where, rule=one.rule.definition.label)
            yield verdict.error


def _reports(unit: Unit, group: Sequence[Decided]) -> Iterator[Effect]:
    """Tell whoever published the rules, and the administrators; at most once a day per rule."""
    wrong = {one.verdict.rule: one for one in group if one.verdict.outcome in WRONG}
    for name, one in wrong.items():
        kept = rule_marks.kept_for(name, rule_marks.REPORT)
        verdict = one.verdict
        told = rule_marks.found(unit.connection, kept, (verdict.outcome,)).get(verdict.outcome)
        if told is not None and unit.now < told + REPORT_AGAIN:
            continue
        rule_marks.put(unit.connection, kept, (verdict.outcome,), unit.now)
        login = snapshots.publisher_of(unit.connection, unit.bundle.hash)
        publisher = accounts.user_by_login(unit.connection, login) if login else None
        yield _report(one, () if publisher is None else (publisher.id,))


def _report(one: Decided, users: tuple[int, ...]) -> Notify:
    label, chain = one.rule.definition.label, " → ".join((*one.verdict.chain, one.verdict.rule))
    if one.verdict.outcome == "cut":
        title = Label(f"规则互相触发太多次，已切断：{label.zh}", f"Rules woke each other too often: {label.text('en')}")
        body = Label(f"先后触发的规则：{chain}", f"Rules in order: {chain}")
    else:
        title = Label(f"规则没能执行：{label.zh}", f"A rule could not be judged: {label.text('en')}")
        body = Label("原因见规则日志。", "The log of rules says why.")
    return Notify(
        to=Audience(users=users, roles=(ADMIN_ROLE,)),
        title=title,
        body=body,
        form=one.facts.form,
        document=one.facts.document,
        about="system",
    )


def _escalations(unit: Unit, group: Sequence[Decided]) -> Iterator[TimerRow]:
    for one in group:
        for step in one.verdict.escalations:
            form, document = one.facts.record
            yield TimerRow(
                kind=ESCALATION,
                due_at=step.due_at,
                created_at=unit.now,
                number=step.number,
                rule=one.verdict.rule,
                form=form,
                document=document or 0,
                key=one.verdict.key,
            )


def _run(unit: Unit, one: Decided, rerun_of: int) -> RuleRun:
    verdict = one.verdict
    form, document = one.facts.record
    wrong = [verdict.error] if verdict.error is not None else []
    facts: dict[str, object] = {"read": dict(verdict.facts)}
    if verdict.results:
        facts["results"] = [dict(each) for each in verdict.results]
    if verdict.sets:
        facts["sets"] = [{"path": each.path, "line": each.line, "value": plain(each.value)} for each in verdict.sets]
    brought = {name: plain_row(one.facts.names[name]) for name in BROUGHT if name in one.facts.names}
    if brought:
        facts["brought"] = brought
    return RuleRun(
        rule=verdict.rule,
        snapshot=unit.bundle.hash,
        trigger=verdict.trigger or one.facts.trigger,
        form=form,
        document=document or 0,
        key=verdict.key,
        user=unit.around.actor.user,
        at=unit.now,
        verdict=verdict.outcome,
        facts=facts,
        effects=tuple(effect_json(effect) for effect in verdict.effects),
        error=problems_json([*wrong, *verdict.problems, *(each.problem for each in verdict.warnings)]),
        chain=verdict.chain,
        duration_us=one.duration_us,
        rerun_of=rerun_of,
    )


def plain_row(value: object) -> object:
    """A record that is kept nowhere else, as JSON can say it."""
    values = getattr(value, "values", None)
    if isinstance(values, Mapping):
        return {name: plain_row(each) for name, each in values.items()}
    return [plain_row(each) for each in value] if isinstance(value, tuple) else plain(value)


def _pairs(verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    return [(one.rule, one.key) for one in verdicts]


def _since(began: int) -> int:
    return (perf_counter_ns() - began) // 1000
