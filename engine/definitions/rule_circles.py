"""Rules that obviously wake each other in a circle, from what they write. A circle may be meant, so this only warns.

At run time a circle is cut at a depth; that is the net, not a way to stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from engine.definitions.file_kinds import RULES
from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.references import caution
from engine.definitions.rule import RuleDef, Then
from engine.fieldtypes.link import LinkOptions
from engine.problems import Problem

# What a document goes through, by what it is asked to do, and the state it ends in.
STEPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"save": (), "submit": ("submit",), "approve": ("submit", "approve")}
)
STATES: Mapping[str, str] = MappingProxyType(
    {
        "submit": "pending", "approve": "approved", "void": "voided", "close": "closed", "disable": "disabled",
        "enable": "active", "reject": "rejected",
    }
)  # fmt: skip


def rules_come_to_an_end(loaded: Loaded) -> Iterator[Problem]:
    """Warn of every circle of rules, once, at the first of them."""
    woken = {key: _woken(loaded, key, rule) for key, rule in loaded.rules.items() if rule.active}
    for key in woken:
        circle = _circle(key, woken)
        if circle and min(circle[:-1]) == key:
            at = Place(RULES, key, ("then",))
            yield caution(loaded, at, "definition.rule_circle", key=True, chain=" → ".join(circle))


def _circle(start: str, woken: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The shortest way from a rule back to itself; empty when there is none."""
    paths: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for path in paths:
        for following in woken.get(path[-1], ()):
            if following == start:
                return (*path, start)
            if following not in seen:
                seen.add(following)
                paths.append((*path, following))
    return ()


def _woken(loaded: Loaded, key: str, rule: RuleDef) -> tuple[str, ...]:
    found: list[str] = []
    for then in rule.then:
        for form, actions, fields in _written(loaded, rule, then):
            states = {STATES[action] for action in actions if action in STATES}
            for other, each in loaded.rules.items():
                when = each.when
                touched = {*fields, *(path.partition(".")[0] for path in fields)}
                if (
                    each.active
                    and when.form == form
                    and (actions & set(when.on) or touched & set(when.fields) or states & set(when.status))
                ):
                    found.append(other)
    return tuple(dict.fromkeys(found))


def _written(loaded: Loaded, rule: RuleDef, then: Then) -> Iterator[tuple[str, set[str], set[str]]]:
    """Form, actions and fields of what a consequence writes."""
    if then.start is not None:
        yield then.start.form, {"create", *STEPS[then.start.action]}, set()
    if then.create is not None:
        lines = {f"{table}.{name}" for table, written in then.create.lines.items() for name in written}
        yield then.create.form, {"create", *STEPS[then.create.action]}, {*then.create.set, *lines}
    if then.update is not None:
        form = then.update.form or rule.when.form or ""
        own = loaded.forms.get(rule.when.form or "")
        if then.update.link is not None and own is not None and then.update.link in own.fields:
            options = own.fields[then.update.link].options
            form = options.to if isinstance(options, LinkOptions) else ""
        actions: set[str] = {"update"} if then.update.action == "save" else {then.update.action}
        yield form, actions, set(then.update.set)
