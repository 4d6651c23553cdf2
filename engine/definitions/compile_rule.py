"""Rules → their compiled form: every expression checked against what it may see."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.file_kinds import RULES
from engine.definitions.reading import Place, Reading
from engine.definitions.rule import RuleDef
from engine.definitions.scopes import Scopes
from engine.expressions import Checked, Scope
from engine.expressions.types import BOOLEAN
from engine.labels import Label


def compile_rule(rule: RuleDef, scopes: Scopes, reading: Reading) -> CompiledRule | None:
    """None when nothing wakes the rule, or its condition is wrong."""
    scope = rule_scope(rule, scopes)
    if scope is None:
        return None
    place = Place(RULES, rule.rule, ())
    condition = reading.expression(rule.if_, scope, place / "if", BOOLEAN)
    found: dict[str, Checked] = {}
    for title, at in titles_of(rule, place):
        found.update(reading.titles(title, scope, at))
    if condition is None:
        return None
    return CompiledRule(definition=rule, condition=condition, placeholders=MappingProxyType(found))


def rule_scope(rule: RuleDef, scopes: Scopes) -> Scope | None:
    """What the rule's expressions see; None when its trigger means nothing."""
    when = rule.when
    if (when.form is None) == (when.ledger is None):
        return None
    if when.form is not None:
        return scopes.header(when.form) if scopes.has_form(when.form) else None
    return scopes.ledger_rule() if scopes.has_form(scopes.product) else None


def titles_of(rule: RuleDef, place: Place) -> Iterator[tuple[Label, Place]]:
    """Every text of the rule that may have holes, and where it is written."""
    for index, then in enumerate(rule.then):
        at = place / "then" / index
        if then.task is not None:
            yield then.task.title, at / "task" / "title"
        if then.message is not None:
            yield then.message.title, at / "message" / "title"
        if then.reject is not None:
            yield then.reject.say, at / "reject" / "say"
