"""What can be proved of compiled rules: conditions never true, tables with overlaps and gaps, kinds nobody provides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.decisions.coverage import coverage
from engine.decisions.space import never_true
from engine.definitions.action_rules import consequential
from engine.definitions.compiled import AppBundle
from engine.definitions.file_kinds import RULES
from engine.definitions.load import Loaded
from engine.definitions.people import Whom, listed
from engine.definitions.reading import Place
from engine.definitions.references import caution, complaint, unknown
from engine.kinds import PluginKind
from engine.problems import Problem

KNOWN_CHANNELS = ("email", "wecom", "dingtalk", "feishu", "webhook")


def conditions_can_hold(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """A condition that no values make true is a slip of the pen."""
    for key, rule in bundle.rules.items():
        if never_true(rule.condition):
            yield caution(loaded, Place(RULES, key, ("if",)), "definition.condition_never")
        for at, checked in rule.expressions.items():
            if at[-1] == "when" and at[0] == "then" and never_true(checked):
                yield caution(loaded, Place(RULES, key, at), "definition.condition_never")


def tables_decide(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """Rows of a unique table do not overlap, those of an any table agree; every row is reached; nothing is left out."""
    for key, rule in bundle.rules.items():
        if rule.table is None:
            continue
        place = Place(RULES, key, ("table", "rows"))
        found = coverage(rule.table)
        for first, second in found.overlaps:
            yield complaint(
                loaded, place / second, "definition.table_overlap", row=second + 1, other=first + 1, hit=rule.table.hit
            )
        for number in found.unreachable:
            yield caution(loaded, place / number, "definition.table_row_unreachable", row=number + 1)
        if found.gap:
            yield caution(loaded, place, "definition.table_gap", key=True, values=found.gap)


def kinds_are_provided(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """Channels, plugin actions and resolvers a rule uses are installed, and get the parameters they need."""
    for rule, written in consequential(loaded):
        for index, then in enumerate(rule.then):
            place = written / "then" / index
            for number, channel in enumerate(then.message.channels if then.message is not None else ()):
                at = place / "message" / "channels" / number
                known = (*bundle.kinds.channels, *(() if bundle.kinds.channels else KNOWN_CHANNELS))
                yield from unknown(loaded, at, "definition.unknown_channel", channel, known)
            if then.plugin is not None:
                at = place / "plugin"
                yield from plugin_used(loaded, at, bundle.kinds.actions, then.plugin.use, then.plugin.params)
            for name, told in (("task", then.task), ("message", then.message)):
                if told is not None:
                    yield from _resolvers(loaded, bundle, place / name / "to", told.to)
        for index, step in enumerate(rule.escalate):
            yield from _resolvers(loaded, bundle, written / "escalate" / index / "to", step.to)


def _resolvers(loaded: Loaded, bundle: AppBundle, place: Place, whom: Whom) -> Iterator[Problem]:
    for index, way in enumerate(listed(whom)):
        if way.resolver is not None:
            at = (place / index if isinstance(whom, tuple) else place) / "resolver"
            yield from plugin_used(loaded, at, bundle.kinds.resolvers, way.resolver.use, way.resolver.params)


def plugin_used(
    loaded: Loaded, place: Place, kinds: Mapping[str, PluginKind], use: str, params: Mapping[str, str]
) -> Iterator[Problem]:
    """A plugin that is used is there, and gets the parameters it needs."""
    yield from unknown(loaded, place / "use", "definition.rule_plugin", use, kinds)
    kind = kinds.get(use)
    if kind is None:
        return
    for name in params:
        yield from unknown(loaded, place / "params" / name, "definition.rule_param", name, kind.params, key=True)
    for name in kind.required:
        if name not in params:
            yield complaint(loaded, place / "params", "definition.rule_param_missing", key=True, name=name)
