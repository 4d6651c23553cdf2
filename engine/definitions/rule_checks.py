"""Cross-reference checks of what wakes rules and of what they look up. Consequences: ``consequence_checks``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.definitions.file_kinds import APP, RULES
from engine.definitions.form import FieldDef
from engine.definitions.load import Loaded
from engine.definitions.options import PAYLOAD
from engine.definitions.process_checks import ledger_names, moves_of
from engine.definitions.reading import Place
from engine.definitions.references import (
    NO_SUCH_ACTION,
    actions_of,
    complaint,
    field_paths,
    header_names,
    tables_of,
    unknown,
    unknown_form,
)
from engine.definitions.rule import DateTrigger, Lookup, RuleDef, When
from engine.definitions.rule_scopes import FORM_ALLOWED, FORM_NEEDED, STOCK, trigger_of, triggers_of
from engine.definitions.system_fields import SYSTEM_TYPES, system_fields
from engine.definitions.workflow import step_kind
from engine.definitions.workflow_tree import laid_out, nodes_in
from engine.expressions.types import Kind
from engine.problems import Problem
from engine.schedules.read import schedule_of


def rules_have_one_trigger(loaded: Loaded) -> Iterator[Problem]:
    """A rule has one trigger, with a form exactly where one is meant, and nothing beside it that says nothing."""
    for key, rule in loaded.rules.items():
        place = Place(RULES, key, ("when",))
        trigger = trigger_of(rule.when)
        if not trigger:
            given = "、".join(triggers_of(rule.when)) or "-"
            yield complaint(loaded, place, "definition.one_trigger", key=True, given=given)
        elif trigger in FORM_NEEDED and rule.when.form is None:
            yield complaint(loaded, place, "definition.trigger_form", key=True, trigger=trigger)
        elif trigger not in FORM_ALLOWED and rule.when.form is not None:
            yield complaint(loaded, place / "form", "definition.trigger_without_form", key=True, trigger=trigger)
        if rule.when.node is not None and not rule.when.flow:
            yield complaint(loaded, place / "node", "definition.node_without_flow", key=True)
        if rule.when.moves and rule.when.ledger is None:
            yield complaint(loaded, place / "moves", "definition.moves_without_ledger", key=True)


def triggers_can_happen(loaded: Loaded) -> Iterator[Problem]:
    """What a rule waits for exists: form, actions, fields, states, nodes, ledger, schedule, dates, inbound webhook."""
    for key, rule in loaded.rules.items():
        place = Place(RULES, key, ("when",))
        when = rule.when
        yield from unknown_form(loaded, place / "form", when.form)
        yield from _of_the_form(loaded, place, when)
        if when.flow and when.form in loaded.forms:
            yield from _flow(loaded, place, when)
        if when.ledger is not None:
            yield from unknown(loaded, place / "ledger", "definition.unknown_ledger", when.ledger, ledger_names(loaded))
            for index, move in enumerate(when.moves):
                yield from unknown(loaded, place / "moves" / index, "definition.unknown_move", move, moves_of(loaded))
            if when.ledger == STOCK and loaded.app is not None and loaded.app.dimensions.product is None:
                yield complaint(loaded, place / "ledger", "definition.dimension_form", dimension="product")
        if when.schedule is not None:
            found = schedule_of(when.schedule)
            if isinstance(found, Problem):
                at = place / "schedule"
                yield replace(found, where=loaded.where(at.kind, at.name, *at.path))
        if when.webhook is not None:
            inbound = loaded.app.webhooks.inbound if loaded.app is not None else ()
            yield from unknown(loaded, place / "webhook", "definition.unknown_webhook", when.webhook, inbound)


def _of_the_form(loaded: Loaded, place: Place, when: When) -> Iterator[Problem]:
    form = loaded.forms.get(when.form or "")
    if form is None:
        return
    for index, action in enumerate(when.on):
        if action not in actions_of(form.kind):
            yield complaint(loaded, place / "on" / index, NO_SUCH_ACTION[form.kind], name=action, form=form.label)
    for index, path in enumerate(when.fields):
        yield from unknown(loaded, place / "fields" / index, "definition.unknown_field", path, field_paths(form))
    states = system_fields(form)["doc_status"].choices
    for index, status in enumerate(when.status):
        yield from unknown(loaded, place / "status" / index, "definition.rule_status", status, states)
    if when.date is not None:
        yield from _date(loaded, place / "date", when.date, form.fields)


def _date(loaded: Loaded, place: Place, trigger: DateTrigger, fields: dict[str, FieldDef]) -> Iterator[Problem]:
    kinds = {key: str(field.type) for key, field in fields.items() if field.type in ("date", "datetime")}
    kinds |= {key: str(type_.kind) for key, type_ in SYSTEM_TYPES.items() if type_.kind in (Kind.DATE, Kind.DATETIME)}
    yield from unknown(loaded, place / "field", "definition.not_a_date", trigger.field, kinds)
    if not (trigger.days or trigger.hours or trigger.minutes):
        yield complaint(loaded, place, "definition.date_offsets", key=True)
    for unit in ("hours", "minutes"):
        if getattr(trigger, unit) and kinds.get(trigger.field) == "date":
            yield complaint(loaded, place / unit, "definition.date_hours", key=True, name=trigger.field)


def _flow(loaded: Loaded, place: Place, when: When) -> Iterator[Problem]:
    flows = [flow for flow in loaded.workflows.values() if flow.form == when.form]
    if not flows:
        yield complaint(loaded, place / "flow", "definition.rule_without_flow", key=True, form=when.form or "")
    elif when.node is not None:
        walked = [node for flow in flows for node in nodes_in(laid_out(flow, loaded.workflows))]
        nodes = [str(getattr(node, step_kind(node))) for _, node, _ in walked]
        yield from unknown(loaded, place / "node", "definition.rule_node", when.node, nodes)


def look_ups_find_something(loaded: Loaded) -> Iterator[Problem]:
    """A look-up looks at one thing that exists, and per line only of a table the record has."""
    for key, rule in loaded.rules.items():
        for name, lookup in rule.lookups.items():
            yield from _look_up(loaded, Place(RULES, key, ("lookups", name)), rule, lookup)


def _look_up(loaded: Loaded, place: Place, rule: RuleDef, lookup: Lookup) -> Iterator[Problem]:
    if (lookup.form is None) == (lookup.ledger is None):
        yield complaint(loaded, place, "definition.lookup_source", key=True)
    yield from unknown_form(loaded, place / "form", lookup.form)
    form = loaded.forms.get(lookup.form or "")
    if lookup.table is not None and form is not None:
        yield from unknown(loaded, place / "table", "definition.unknown_list", lookup.table, tables_of(form))
    if lookup.ledger is not None:
        yield from unknown(loaded, place / "ledger", "definition.unknown_ledger", lookup.ledger, ledger_names(loaded))
    if lookup.each is not None:
        yield from unknown_list(loaded, place / "each", rule, lookup.each)


def unknown_list(loaded: Loaded, place: Place, rule: RuleDef, each: str) -> Iterator[Problem]:
    """A problem when the record of the rule has no list ``each``: a line table, or ``payload.<list>``."""
    known: list[str] = []
    form = loaded.forms.get(rule.when.form or "")
    if form is not None:
        known += tables_of(form)
    inbound = loaded.app.webhooks.inbound.get(rule.when.webhook or "") if loaded.app is not None else None
    if inbound is not None:
        known += [f"{PAYLOAD}.{name}" for name, field in inbound.fields.items() if field.type == "lines"]
    yield from unknown(loaded, place, "definition.unknown_list", each, known)


def names_are_new(loaded: Loaded) -> Iterator[Problem]:
    """Look-ups and results of a table hide no field of the record, and each other not either."""
    for key, rule in loaded.rules.items():
        form = loaded.forms.get(rule.when.form or "")
        header = set(header_names(form)) | set(tables_of(form)) if form is not None else set()
        taken = {"": header | {"me", "app", "old", "row", "line", "flow", "payload", "imported", "offset"}}
        places = [(name, lookup.each, ("lookups", name)) for name, lookup in rule.lookups.items()]
        outputs = rule.table.outputs if rule.table is not None else ()
        for name, each, path in (*places, *((name, None, ("table", "outputs")) for name in outputs)):
            if each is not None and each not in taken and form is not None and each in form.fields:
                taken[each] = set(form.fields[each].fields)
            seen = taken.setdefault(each or "", set())
            if name in seen:
                at = Place(RULES, key, path)
                yield complaint(loaded, at, "definition.rule_name_taken", key=True, name=name)
            seen.add(name)


def tables_are_complete(loaded: Loaded) -> Iterator[Problem]:
    """A row of a decision table speaks of inputs and outputs the table has."""
    for key, rule in loaded.rules.items():
        table = rule.table
        if table is None:
            continue
        place = Place(RULES, key, ("table",))
        for index, row in enumerate(table.rows):
            at = place / "rows" / index
            for name in row.when:
                yield from unknown(loaded, at / "when" / name, "definition.unknown_input", name, table.inputs, key=True)
            for name in row.then:
                yield from unknown(
                    loaded, at / "then" / name, "definition.unknown_output", name, table.outputs, key=True
                )
        for name in table.otherwise:
            at = place / "otherwise" / name
            yield from unknown(loaded, at, "definition.unknown_output", name, table.outputs, key=True)


def options_are_their_own(loaded: Loaded) -> Iterator[Problem]:
    """An option of the app has no name that a company switch has."""
    app = loaded.app
    if app is None:
        return
    from_product = type(app.settings).model_fields
    for name in app.options:
        if name in from_product:
            at = Place(APP, app.app, ("options", name))
            yield complaint(loaded, at, "definition.option_name", key=True, name=name)
