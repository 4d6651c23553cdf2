"""Which names the expressions of a rule see, by what wakes it. The table of docs/rules.md as code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.definitions.app import AppDef
from engine.definitions.options import PAYLOAD, payload_record
from engine.definitions.rule import Lookup, RuleDef, When
from engine.definitions.scopes import COMPANY, Scopes, table_record
from engine.expressions import Kind, Scope, ValueType
from engine.expressions.types import BOOLEAN, DATE, NUMBER, TEXT

TRIGGERS = ("on", "fields", "status", "flow", "ledger", "schedule", "date", "webhook", "button", "imported")
ACTED = ("on", "fields", "status")  # somebody acts on a document: there is something to refuse, and to change
INSIDE = (*ACTED, "button")
FORM_NEEDED = (*INSIDE, "flow", "date", "imported")
FORM_ALLOWED = (*FORM_NEEDED, "schedule")
STOCK = "stock"
FLOW, IMPORTED, OLD, ROW, LINE, OFFSET = "flow", "imported", "old", "row", "line", "offset"
RECORDS: Mapping[str, Mapping[str, ValueType]] = MappingProxyType(
    {
        FLOW: MappingProxyType({"event": TEXT, "node": TEXT, "result": TEXT}),
        IMPORTED: MappingProxyType(dict.fromkeys(("rows", "created", "updated", "failed"), NUMBER)),
    }
)
CONSTANT = frozenset({ROW, LINE, OLD, PAYLOAD, FLOW, IMPORTED, OFFSET, "me", "app"})
ENTRY_TEXTS = ("lot", "serial", "status", "element", "move", "form")


def triggers_of(when: When) -> tuple[str, ...]:
    """The triggers that are given; a sound rule has one."""
    return tuple(name for name in TRIGGERS if getattr(when, name) not in (None, (), False))


def trigger_of(when: When) -> str:
    """The one trigger; empty when there is none, or more than one."""
    given = triggers_of(when)
    return given[0] if len(given) == 1 else ""


def record_of(rule: RuleDef, app: AppDef) -> str:
    """The form of the record the rule is about; empty when it is about none."""
    if rule.when.ledger == STOCK:
        return app.dimensions.product or ""
    return rule.when.form or ""


def rule_scope(rule: RuleDef, scopes: Scopes, app: AppDef) -> Scope | None:
    """What the condition sees, look-ups aside; None when the trigger means nothing."""
    when, trigger = rule.when, trigger_of(rule.when)
    form = when.form or ""
    if not trigger or (trigger in FORM_NEEDED and not form) or (form and trigger not in FORM_ALLOWED):
        return None
    if form and not scopes.has_form(form):
        return None
    if trigger == "ledger":
        if when.ledger != STOCK:
            return _extended(scopes, {**COMPANY, **dimensions(app, scopes), "quantity": NUMBER, "value": NUMBER})
        if not scopes.has_form(scopes.product):
            return None
        own = scopes.ledger_rule()
        return Scope(MappingProxyType({**COMPANY, **own.names}), own.records, own.labels)
    if not form:
        return _extended(scopes, {**COMPANY, **_brought(rule, trigger)})
    own = scopes.header(form)
    return _extended(scopes, {**own.names, **_brought(rule, trigger)}, own.labels)


def dimensions(app: AppDef, scopes: Scopes) -> Mapping[str, ValueType]:
    """The dimensions of a ledger that are links, by name."""
    named = app.dimensions.model_dump()
    return {name: ValueType(Kind.LINK, form) for name, form in named.items() if form and scopes.has_form(form)}


def with_lookups(scope: Scope, rule: RuleDef, types: Mapping[str, ValueType]) -> Scope:
    """``scope`` with the figures of the look-ups; those made per line are fields of the line."""
    names, records = dict(scope.names), dict(scope.records)
    for name, type_ in types.items():
        each = rule.lookups[name].each
        if each is None:
            names[name] = type_
        else:
            record = line_record(scope, each)
            records[record] = MappingProxyType({**records.get(record, {}), name: type_})
    return Scope(MappingProxyType(names), MappingProxyType(records), scope.labels)


def with_names(scope: Scope, more: Mapping[str, ValueType]) -> Scope:
    """``scope`` with further names, which win."""
    return Scope(MappingProxyType({**scope.names, **more}), scope.records, scope.labels)


def line_record(scope: Scope, each: str) -> str:
    """Name of the record of the list ``each`` (``lines``, ``payload.lines``); empty when there is no such list."""
    top, _, below = each.partition(".")
    found = scope.names.get(top)
    if found is not None and below:
        found = scope.records.get(found.record, {}).get(below)
    return found.record if found is not None and found.kind is Kind.LINES else ""


def line_scope(scope: Scope, each: str) -> Scope | None:
    """What an expression made per line of ``each`` sees: the line first; None when there is no such list."""
    record = line_record(scope, each)
    if not record:
        return None
    own = scope.labels.get(record, {})
    labels = MappingProxyType({**scope.labels, "": MappingProxyType({**scope.labels.get("", {}), **own})})
    names = {**scope.names, **scope.records.get(record, {}), "line_no": NUMBER}
    return Scope(MappingProxyType(names), scope.records, labels)


def lookup_scope(
    lookup: Lookup, rule: RuleDef, scope: Scope, scopes: Scopes, app: AppDef, moves: tuple[str, ...]
) -> Scope | None:
    """What ``where`` of a look-up sees: the other record, and what is known beforehand. ``moves``: those there are."""
    names: dict[str, ValueType]
    labels: Mapping[str, str] = {}
    if lookup.ledger is not None:
        names = {**dimensions(app, scopes), **dict.fromkeys(ENTRY_TEXTS, TEXT)}
        names["move"] = ValueType(Kind.TEXT, choices=moves)
        names |= {"quantity": NUMBER, "value": NUMBER, "biz_date": DATE, "due": DATE, "cancelled": BOOLEAN}
    elif lookup.form is None or not scopes.has_form(lookup.form):
        return None
    else:
        own = scopes.line(lookup.form, lookup.table) if lookup.table else scopes.header(lookup.form)
        names, labels = dict(own.names), own.labels.get("", {})
    names |= {name: type_ for name, type_ in scope.names.items() if name in CONSTANT}
    record = record_of(rule, app)
    if record:
        names[ROW] = ValueType(Kind.LINK, record)
    if lookup.each is not None:
        names[LINE] = ValueType(Kind.LINK, line_record(scope, lookup.each))
    return Scope(
        MappingProxyType(names),
        scope.records,
        MappingProxyType({**scope.labels, "": labels}),
    )


def other_scope(form: str, scope: Scope, scopes: Scopes, rule: RuleDef, app: AppDef) -> Scope:
    """What ``update`` sees of the records of ``form`` it changes: their fields, and this record as ``row``."""
    own = scopes.header(form)
    mine = scopes.records.get(rule.when.form or "", {})
    names = {**{name: type_ for name, type_ in scope.names.items() if name not in mine}, **own.names}
    record = record_of(rule, app)
    if record:
        names[ROW] = ValueType(Kind.LINK, record)
    return Scope(MappingProxyType(names), scope.records, own.labels)


def target_types(scopes: Scopes, form: str, table: str = "") -> Mapping[str, ValueType]:
    """Types of the fields of a form, or of one of its line tables."""
    return scopes.records.get(table_record(form, table) if table else form, {})


def _brought(rule: RuleDef, trigger: str) -> Mapping[str, ValueType]:
    """The names the trigger brings along."""
    when = rule.when
    match trigger:
        case "on" | "fields" | "status":
            return {OLD: ValueType(Kind.LINK, when.form or "")}
        case "flow":
            return {FLOW: ValueType(Kind.LINK, FLOW)}
        case "date":
            return {OFFSET: NUMBER}
        case "imported":
            return {IMPORTED: ValueType(Kind.LINK, IMPORTED)}
        case "webhook":
            return {PAYLOAD: ValueType(Kind.LINK, payload_record(when.webhook or ""))}
    return {}


def _extended(
    scopes: Scopes, names: Mapping[str, ValueType], labels: Mapping[str, Mapping[str, str]] | None = None
) -> Scope:
    records = MappingProxyType({**scopes.records, **RECORDS})
    return Scope(MappingProxyType(dict(names)), records, labels or MappingProxyType({**scopes.labels, "": {}}))
