"""What happened, as data, and which rules it wakes. The index is built once per bundle; nothing is scanned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.rule_scopes import trigger_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """Somebody did something with a document, alone, in bulk or by an import.

    Attributes:
        actions: steps of its life cycle: ``create``, ``update``, ``submit``, ``approve`` …
        before, after: its status; ``before`` is empty for a new document.
        changed: paths of the fields that saving changed: ``price``, ``lines.qty``, and ``lines`` for any of them; those
            no rule waits for (``TriggerIndex.changes``) may be left out.
        origin: page, phone, import, api, auto.
    """

    form: str
    actions: frozenset[str] = frozenset()
    before: str = ""
    after: str = ""
    changed: frozenset[str] = frozenset()
    origin: str = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowHappened:
    """Something happened in the workflow of a document: ``arrived`` at a node, ``overdue`` there, ``ended`` …"""

    form: str
    event: str
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerChanged:
    """Balances of a ledger changed. The ``stock`` rules are also woken by ``supply`` and ``reservation``."""

    ledger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """The time of one rule has come."""

    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateCame:
    """A date of records of the rule's form has come near, or passed."""

    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message arrived at an inbound address."""

    webhook: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """Somebody pressed the button of a rule on a document."""

    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An import into a form has ended."""

    form: str


Event: TypeAlias = Acted | FlowHappened | LedgerChanged | Scheduled | DateCame | Received | Pressed | Imported
Key: TypeAlias = tuple[str, str, str]
# Ledgers whose changes move what a rule on stock sees of a product: on hand, reserved, in transit.
STOCK_LEDGERS = ("stock", "reservation", "supply")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerIndex:
    """Active rules by what wakes them, in the order of the bundle.

    Attributes:
        woken_by: (kind of trigger, form or ledger or name, what exactly) → rules.
        scheduled, dated: the rules time wakes, for whoever watches the clock.
        changes: form → the fields that wake a rule by changing; only these need be compared.
    """

    woken_by: Mapping[Key, tuple[CompiledRule, ...]]
    position: Mapping[str, int]
    scheduled: tuple[CompiledRule, ...] = ()
    dated: tuple[CompiledRule, ...] = ()
    changes: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    def woken(self, event: Event) -> tuple[CompiledRule, ...]:
        """The rules ``event`` wakes, each once, in the order of the bundle."""
        found: dict[str, CompiledRule] = {}
        for key in keys_of(event):
            for rule in self.woken_by.get(key, ()):
                found[rule.definition.rule] = rule
        return tuple(sorted(found.values(), key=lambda rule: self.position[rule.definition.rule]))

    def buttons(self, form: str) -> tuple[CompiledRule, ...]:
        """The rules that put a button on documents of ``form``."""
        return self.woken_by.get(("button", form, ""), ())


def index_of(rules: Iterable[CompiledRule]) -> TriggerIndex:
    """Build the index of a bundle's rules; those switched off are left out."""
    found: dict[Key, list[CompiledRule]] = defaultdict(list)
    active = [rule for rule in rules if rule.definition.active]
    for rule in active:
        for key in wakers_of(rule):
            found[key].append(rule)
    changes: dict[str, set[str]] = defaultdict(set)
    for kind, form, path in found:
        if kind == "fields":
            changes[form].add(path)
    return TriggerIndex(
        woken_by=MappingProxyType({key: tuple(each) for key, each in found.items()}),
        position=MappingProxyType({rule.definition.rule: place for place, rule in enumerate(active)}),
        scheduled=tuple(rule for rule in active if rule.schedule is not None),
        dated=tuple(rule for rule in active if rule.definition.when.date is not None),
        changes=MappingProxyType({form: frozenset(paths) for form, paths in changes.items()}),
    )


def wakers_of(rule: CompiledRule) -> Iterator[Key]:
    """What wakes the rule."""
    when, name = rule.definition.when, rule.definition.rule
    form, trigger = when.form or "", trigger_of(when)
    match trigger:
        case "on":
            yield from (("on", form, action) for action in when.on)
        case "fields":
            yield from (("fields", form, path) for path in when.fields)
        case "status":
            yield from (("status", form, status) for status in when.status)
        case "flow":
            yield from (("flow", form, f"{event} {when.node or ''}") for event in when.flow)
        case "ledger":
            yield ("ledger", when.ledger or "", "")
        case "webhook":
            yield ("webhook", when.webhook or "", "")
        case "imported":
            yield ("imported", form, "")
        case "button":
            yield ("button", form, "")
            yield ("rule", name, "")
        case "schedule" | "date":
            yield ("rule", name, "")


def keys_of(event: Event) -> Iterator[Key]:
    """Under which keys an event finds its rules."""
    match event:
        case Acted():
            yield from (("on", event.form, action) for action in sorted(event.actions))
            yield from (("fields", event.form, path) for path in sorted(event.changed))
            if event.after != event.before:
                yield ("status", event.form, event.after)
        case FlowHappened():
            yield ("flow", event.form, f"{event.event} ")
            if event.node:
                yield ("flow", event.form, f"{event.event} {event.node}")
        case LedgerChanged():
            yield ("ledger", event.ledger, "")
            if event.ledger in STOCK_LEDGERS[1:]:
                yield ("ledger", STOCK_LEDGERS[0], "")
        case Scheduled() | DateCame() | Pressed():
            yield ("rule", event.rule, "")
        case Received():
            yield ("webhook", event.webhook, "")
        case Imported():
            yield ("imported", event.form, "")
