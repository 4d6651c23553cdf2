"""Look-ups: which figures a rule needs, as plain data, and the names they become once they were found.

Whoever has a database answers one need with one query: among the records (lines, entries) for which ``where`` holds,
grouped by ``columns``, for the ``keys`` given. Records and lines that share a key share the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import TypeAlias

from engine.definitions.compiled_rule import LINE, ROW, CompiledLookup, CompiledRule
from engine.expressions import Checked, Clock, evaluate
from engine.expressions.types import Row
from engine.rules.facts import Facts
from engine.values import ZERO

LookupKeys: TypeAlias = tuple[object, ...]
NOTHING_FOUND: Mapping[str, object] = MappingProxyType({"count": ZERO, "exists": False, "sum": ZERO})


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupNeed:
    """One query.

    Attributes:
        rule, name: whose look-up. form, table, ledger: where to look (see ``Lookup``).
        take, of: the figure. since: only business dates from this day on.
        where: further condition; ``known`` are the names in it that are no columns. None for none.
        columns: what to group by. keys: the values wanted; records as their ids. With no columns one key, ``()``.
    """

    rule: str
    name: str
    form: str
    table: str
    ledger: str
    take: str
    of: str
    since: date | None
    where: Checked | None
    known: Mapping[str, object]
    columns: tuple[str, ...]
    keys: tuple[LookupKeys, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A need, and for which of the facts it was made (their positions)."""

    need: LookupNeed
    facts: tuple[int, ...]


Found: TypeAlias = Mapping[LookupKeys, object]


def lookup_needs(rule: CompiledRule, facts: Sequence[Facts], clock: Clock) -> tuple[Asked, ...]:
    """The queries for a rule about to be judged on ``facts``: one per look-up, whatever the number of records and
    lines; one per record only where the condition compares more of the record than equality can say.

    Raises:
        EvaluationFailed: a key has no value.
    """
    asked = []
    for name, lookup in rule.lookups.items():
        groups = [(place,) for place in range(len(facts))] if lookup.reads_row else [tuple(range(len(facts)))]
        for group in groups:
            keys = {key for place in group for key in keys_of(lookup, facts[place], clock)}
            if keys:
                need = _need(rule, name, lookup, facts[group[0]], clock, tuple(sorted(keys, key=repr)))
                asked.append(Asked(need=need, facts=group))
    return tuple(asked)


def with_found(
    rule: CompiledRule, facts: Sequence[Facts], found: Sequence[tuple[Asked, Found]], clock: Clock
) -> tuple[Facts, ...]:
    """The facts with the figures that were found; what was not found is 0, no, or nothing."""
    answers: dict[tuple[str, int], Found] = {
        (asked.need.name, place): each for asked, each in found for place in asked.facts
    }
    made = []
    for place, one in enumerate(facts):
        names = dict(one.names)
        for name, lookup in rule.lookups.items():
            answer = answers.get((name, place), {})
            if lookup.definition.each is None:
                key = next(iter(keys_of(lookup, one, clock)), ())
                names[name] = answer.get(key, NOTHING_FOUND.get(lookup.definition.take))
            else:
                top, _, below = lookup.definition.each.partition(".")
                names[top] = _with_column(names[top], below, name, lookup, one, answer, clock)
        made.append(replace(one, names=names))
    return tuple(made)


def keys_of(lookup: CompiledLookup, facts: Facts, clock: Clock) -> tuple[LookupKeys, ...]:
    """The keys a record asks for: one, or one per line."""
    names = {**facts.names, ROW: facts.row}
    if lookup.definition.each is None:
        return (_key(lookup, names, clock),)
    return tuple(_key(lookup, {**names, LINE: line}, clock) for line in lines_of(facts.names, lookup.definition.each))


def lines_of(names: Mapping[str, object], each: str) -> tuple[Row, ...]:
    """The lines of ``lines`` or ``payload.lines``."""
    top, _, below = each.partition(".")
    found = names.get(top)
    if below and isinstance(found, Row):
        found = found.values.get(below)
    return tuple(row for row in found if isinstance(row, Row)) if isinstance(found, tuple) else ()


def _key(lookup: CompiledLookup, names: Mapping[str, object], clock: Clock) -> LookupKeys:
    return tuple(evaluate(key.value, names, clock) for key in lookup.keys)


def _need(
    rule: CompiledRule, name: str, lookup: CompiledLookup, facts: Facts, clock: Clock, keys: tuple[LookupKeys, ...]
) -> LookupNeed:
    written = lookup.definition
    known = {ROW: facts.row} | {
        each: value for each, value in facts.names.items() if each in ("me", "app", "payload", "old", "flow", "offset")
    }
    return LookupNeed(
        rule=rule.definition.rule,
        name=name,
        form=written.form or "",
        table=written.table or "",
        ledger=written.ledger or "",
        take=written.take,
        of=written.of or "",
        since=clock.today - timedelta(days=written.days) if written.days is not None else None,
        where=lookup.rest,
        known=known,
        columns=tuple(key.column for key in lookup.keys),
        keys=keys,
    )


def _with_column(
    value: object, below: str, name: str, lookup: CompiledLookup, facts: Facts, answer: Found, clock: Clock
) -> object:
    """A line table (or the record that holds it) whose lines carry the figure."""
    if below and isinstance(value, Row):
        inner = _with_column(value.values.get(below), "", name, lookup, facts, answer, clock)
        return Row(id=value.id, values={**value.values, below: inner})
    if not isinstance(value, tuple):
        return value
    names = {**facts.names, ROW: facts.row}
    nothing = NOTHING_FOUND.get(lookup.definition.take)
    return tuple(
        Row(
            id=line.id,
            values={**line.values, name: answer.get(_key(lookup, {**names, LINE: line}, clock), nothing)},
        )
        for line in value
    )
