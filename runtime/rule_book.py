"""What a submission asks of the published rules, worked out once per snapshot: who is woken by what, who reads what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.definitions.compiled import AppBundle
from engine.definitions.compiled_rule import OLD, ROW, CompiledRule
from engine.definitions.people import listed
from engine.definitions.rule_scopes import STOCK
from engine.expressions import Checked, Path
from engine.rules.triggers import TriggerIndex, index_of

PRODUCT = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """The rules of one snapshot, ready to be asked.

    Attributes:
        index: who is woken by what.
        acting: forms somebody acts on with a rule waiting (``on``, ``fields``, ``status``).
        setting: of these, forms with rules that set values. sets, blocking: rules that set values; that may refuse.
        reads_old: rules that look at the record as it was.
        ledgers: ledgers a rule is woken by. paths: by rule on a ledger, what it reads of each dimension.
        followed: by form, the fields that rules on ledgers read of its records; who loads such a record for the
            document that posts loads them too, and spares the rules a query.
    """

    index: TriggerIndex
    acting: frozenset[str]
    setting: frozenset[str]
    sets: frozenset[str]
    blocking: frozenset[str]
    reads_old: frozenset[str]
    ledgers: frozenset[str]
    paths: Mapping[str, Mapping[str, frozenset[Path]]]
    followed: Mapping[str, frozenset[str]]

    def paths_of(self, rules: Iterable[CompiledRule], dimension: str) -> frozenset[Path]:
        """What these rules read of the record a dimension names."""
        found: set[Path] = set()
        for rule in rules:
            found |= self.paths.get(rule.definition.rule, {}).get(dimension, frozenset())
        return frozenset(found)


def rule_book(bundle: AppBundle) -> RuleBook:
    """The book of a bundle's rules."""
    rules = [rule for rule in bundle.rules.values() if rule.definition.active]
    acted = [rule for rule in rules if _acts(rule)]
    sets = frozenset(_name(rule) for rule in rules if any(then.set for then in rule.definition.then))
    ledgered = [rule for rule in rules if rule.definition.when.ledger]
    return RuleBook(
        index=index_of(rules),
        acting=frozenset(rule.definition.when.form or "" for rule in acted),
        setting=frozenset(rule.definition.when.form or "" for rule in acted if _name(rule) in sets),
        sets=sets,
        blocking=frozenset(
            _name(rule) for rule in rules if any(then.reject or then.warn for then in rule.definition.then)
        ),
        reads_old=frozenset(_name(rule) for rule in rules if any(path[0] == OLD for path in read_by(rule))),
        ledgers=frozenset(rule.definition.when.ledger or "" for rule in ledgered),
        paths=MappingProxyType({_name(rule): _by_dimension(rule) for rule in ledgered}),
        followed=_followed(bundle, ledgered),
    )


def expressions_of(rule: CompiledRule) -> Iterator[Checked]:
    """Every expression of the rule."""
    yield rule.condition
    yield from rule.placeholders.values()
    yield from rule.expressions.values()
    for lookup in rule.lookups.values():
        yield from (key.value for key in lookup.keys)
        if lookup.rest is not None:
            yield lookup.rest
    if rule.table is not None:
        yield from rule.table.inputs.values()
        for row in rule.table.rows:
            yield from row.cells.values()
            yield from row.results.values()
        yield from rule.table.otherwise.values()


def read_by(rule: CompiledRule) -> frozenset[Path]:
    """Every path the rule reads, people named by fields included."""
    return frozenset(path for checked in expressions_of(rule) for path in checked.names) | frozenset(_people(rule))


def _people(rule: CompiledRule) -> Iterator[Path]:
    told = [step.to for step in rule.definition.escalate]
    for then in rule.definition.then:
        told += [each.to for each in (then.task, then.message) if each is not None]
        if then.update is not None and then.update.link is not None:
            yield tuple(then.update.link.split("."))
    for whom in told:
        yield from (tuple(way.field.split(".")) for way in listed(whom) if way.field is not None)


def _by_dimension(rule: CompiledRule) -> Mapping[str, frozenset[Path]]:
    """What a rule on a ledger reads below each dimension; ``row`` of a rule on stock is the product."""
    found: dict[str, set[Path]] = defaultdict(set)
    for path in read_by(rule):
        top = PRODUCT if path[0] == ROW and rule.definition.when.ledger == STOCK else path[0]
        if len(path) > 1:
            found[top].add(path[1:])
    return MappingProxyType({top: frozenset(paths) for top, paths in found.items()})


def _acts(rule: CompiledRule) -> bool:
    when = rule.definition.when
    return bool(when.on or when.fields or when.status)


def _name(rule: CompiledRule) -> str:
    return rule.definition.rule


def _followed(bundle: AppBundle, rules: Iterable[CompiledRule]) -> Mapping[str, frozenset[str]]:
    """By form, the fields rules on ledgers read of records, links followed."""
    found: dict[str, set[str]] = defaultdict(set)
    for rule in rules:
        for dimension, paths in _by_dimension(rule).items():
            for path in paths:
                form = bundle.forms.get(str(getattr(bundle.app.dimensions, dimension, None) or ""))
                for name in path:
                    field = form.fields.get(name) if form is not None else None
                    if form is None or field is None:
                        break
                    found[form.key].add(name)
                    form = bundle.forms.get(field.linked)
    return MappingProxyType({form: frozenset(names) for form, names in found.items()})
