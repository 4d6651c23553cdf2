"""Rules: facts in, verdicts out. A verdict says what the rule asks for and which alert it opens or closes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.people import Who, Whom, listed
from engine.definitions.rule import Then
from engine.document import Document
from engine.effects import Audience, CloseTask, CreateTask, Effect, Notify, StartDocument
from engine.expressions import Clock, EvaluationFailed, evaluate
from engine.expressions.types import Row
from engine.labels import Label
from engine.problems import Problem, problem
from engine.values import ZERO

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule decided on one record.

    Attributes:
        key: what the alert is about (``product:7``); empty for rules without ``once``.
        opens, closes: whether the alert under ``key`` begins or has recovered.
        problems: rejections; any of them undoes the transaction.
    """

    rule: str
    key: str = ""
    fired: bool = False
    opens: bool = False
    closes: bool = False
    effects: tuple[Effect, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFacts:
    """Stock of one product over all warehouses, as ledger rules see it; ``unusable`` is on hand, but not available."""

    product: Row
    on_hand: Decimal
    reserved: Decimal
    in_transit: Decimal
    unusable: Decimal = ZERO

    def names(self) -> Mapping[str, object]:
        """The names of a ledger rule."""
        return {
            "product": self.product,
            "on_hand": self.on_hand,
            "reserved": self.reserved,
            "in_transit": self.in_transit,
            "available": self.on_hand - self.unusable - self.reserved,
        }


def judge_document(
    rules: Sequence[CompiledRule], action: str, document: Document, names: Mapping[str, object], clock: Clock
) -> tuple[Verdict, ...]:
    """Verdicts of the form's rules that ``action`` wakes."""
    verdicts = []
    for rule in rules:
        if action not in rule.definition.when.on:
            continue
        fired, failure = _fires(rule, names, clock)
        if failure is not None:
            verdicts.append(Verdict(rule=rule.definition.rule, problems=(failure,)))
        elif fired:
            verdicts.append(_verdict(rule, names, clock, document.form, document.id, ""))
    return tuple(verdicts)


def judge_stock(
    rules: Sequence[CompiledRule], facts: Iterable[StockFacts], alerts: frozenset[tuple[str, str]], clock: Clock
) -> tuple[Verdict, ...]:
    """Verdicts of ledger rules for products whose stock changed.

    Args:
        alerts: open alerts as (rule, key). A rule with ``once`` fires when its alert is not open yet, and closes the
            alert and its task when the condition no longer holds.
    """
    verdicts = []
    for fact in facts:
        names = fact.names()
        key = f"product:{fact.product.id}"
        for rule in rules:
            name, once = rule.definition.rule, rule.definition.once
            fired, failure = _fires(rule, names, clock)
            is_open = (name, key) in alerts
            if failure is not None:
                continue
            if fired and not (once and is_open):
                verdicts.append(_verdict(rule, names, clock, "", None, f"{name}:{key}" if once else "", key=key))
            elif once and is_open and not fired:
                verdicts.append(
                    Verdict(rule=name, key=key, closes=True, effects=(CloseTask(once_key=f"{name}:{key}"),))
                )
    return tuple(verdicts)


def rendered(title: Label, placeholders: Mapping[str, object]) -> Label:
    """``title`` with its ``{expression}`` placeholders replaced by values."""

    def put(text: str) -> str:
        return PLACEHOLDER.sub(lambda match: shown(placeholders.get(match[1].strip())), text)

    return Label(zh=put(title.zh), en=put(title.en))


def shown(value: object) -> str:
    """A value inside a sentence: decimals without trailing zeros, dates ISO, nothing as a dash."""
    if value is None:
        return "-"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return value.isoformat() if isinstance(value, date) else str(value)


def _fires(rule: CompiledRule, names: Mapping[str, object], clock: Clock) -> tuple[bool, Problem | None]:
    try:
        return evaluate(rule.condition, names, clock) is True, None
    except EvaluationFailed as failed:
        return False, failed.problem


def _verdict(
    rule: CompiledRule,
    names: Mapping[str, object],
    clock: Clock,
    form: str,
    document: int | None,
    once_key: str,
    key: str = "",
) -> Verdict:
    values: dict[str, object] = {}
    for text, checked in rule.placeholders.items():
        try:
            values[text] = evaluate(checked, names, clock)
        except EvaluationFailed:
            values[text] = None
    effects: list[Effect] = []
    problems: list[Problem] = []
    for then in rule.definition.then:
        _consequence(then, rule, names, values, form, document, once_key, effects, problems)
    return Verdict(
        rule=rule.definition.rule,
        key=key,
        fired=True,
        opens=bool(once_key),
        effects=tuple(effects),
        problems=tuple(problems),
    )


def _consequence(
    then: Then,
    rule: CompiledRule,
    names: Mapping[str, object],
    values: Mapping[str, object],
    form: str,
    document: int | None,
    once_key: str,
    effects: list[Effect],
    problems: list[Problem],
) -> None:
    if then.task is not None:
        effects.append(
            CreateTask(
                to=_audience(then.task.to, names),
                title=rendered(then.task.title, values),
                form=form,
                document=document,
                once_key=once_key,
            )
        )
    if then.message is not None:
        title = rendered(then.message.title, values)
        effects.append(Notify(to=_audience(then.message.to, names), title=title, form=form, document=document))
    if then.start is not None and document is not None:
        effects.append(
            StartDocument(
                form=then.start.form,
                source_form=form,
                source_document=document,
                variant=then.start.variant,
                action=then.start.action,
            )
        )
    if then.reject is not None:
        message = rendered(then.reject.say, values)
        problems.append(problem("rule.rejected", then.reject.at, message=message, rule=rule.definition.label))


def _audience(whom: Whom, names: Mapping[str, object]) -> Audience:
    ways = listed(whom)
    roles = tuple(way.role for way in ways if way.role is not None)
    users = tuple(person for way in ways if (person := _member(way, names)) is not None)
    return Audience(users=users, roles=roles)


def _member(way: Who, names: Mapping[str, object]) -> int | None:
    value = names.get(way.field or "")
    person = value.id if isinstance(value, Row) else value
    return person if isinstance(person, int) else None
