"""Whom a rule means: roles by name, people by what the record says, everybody else by asking the world."""

from __future__ import annotations

from collections.abc import Mapping

from engine.definitions.compiled_rule import At, CompiledRule
from engine.definitions.people import Who, Whom, listed
from engine.effects import Audience
from engine.expressions import Clock, evaluate
from engine.expressions.types import Row
from engine.rules.facts import Facts, plain
from engine.rules.world import World


def audience(
    rule: CompiledRule, whom: Whom, at: At, names: Mapping[str, object], facts: Facts, world: World, clock: Clock
) -> Audience:
    """The users and roles ``whom`` means; ``at`` is where it stands in the rule. Nobody is named twice."""
    roles: list[str] = []
    users: list[int] = []
    for index, way in enumerate(listed(whom)):
        here: At = (*at, index) if isinstance(whom, tuple) else at
        if way.role is not None:
            roles.append(way.role)
        else:
            users += _users(rule, way, here, names, facts, world, clock)
    return Audience(users=tuple(dict.fromkeys(users)), roles=tuple(dict.fromkeys(roles)))


def _users(
    rule: CompiledRule, way: Who, at: At, names: Mapping[str, object], facts: Facts, world: World, clock: Clock
) -> tuple[int, ...]:
    if way.field is not None:
        return _person(followed(names, way.field))
    if way.initiator:
        return (facts.starter,) if facts.starter else ()
    if way.expression is not None:
        return _person(evaluate(rule.expressions[(*at, "expression")], names, clock))
    params: dict[str, object] = {}
    if way.resolver is not None:
        for name in way.resolver.params:
            params[name] = plain(evaluate(rule.expressions[(*at, "resolver", "params", name)], names, clock))
    return world.people(way, facts, params)


def followed(names: Mapping[str, object], path: str) -> object:
    """The value of ``customer.salesperson``; None where the way breaks off."""
    top, *below = path.split(".")
    value = names.get(top)
    for step in below:
        value = value.values.get(step) if isinstance(value, Row) else None
    return value


def _person(value: object) -> tuple[int, ...]:
    person = value.id if isinstance(value, Row) else value
    return (person,) if isinstance(person, int) and not isinstance(person, bool) else ()
