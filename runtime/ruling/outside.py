"""Rules woken from outside a document: a message that arrived, an import that ended, a to-do that stays undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.options import Inbound, PayloadColumn, PayloadField
from engine.definitions.rule_scopes import STOCK
from engine.effects import Tag
from engine.expressions import EvaluationFailed
from engine.problems import problem
from engine.rules.evaluate import escalated
from engine.rules.facts import Facts, import_names, payload_names, plain_facts
from engine.rules.marks import once_key
from engine.rules.triggers import Imported, Received
from engine.rules.verdict import Verdict
from runtime.house import House
from runtime.jobs.contract import Workspace
from runtime.jobs.deliver import Performer, Writer, effect_of
from runtime.ruling.waking import Rows, done_before, follow, in_unit, kept, note_done
from runtime.stages.judge_facts import facts_of_documents, facts_of_stock
from runtime.stages.judge_rules import Decided, decided
from runtime.stages.judge_world import LiveWorld
from runtime.stages.steps import Unit
from runtime.storage import documents, tags, timers, workflow_runs
from runtime.storage.database import Connection
from runtime.storage.outbox import OutboxRow

RECEIVED = "webhook_received"


def rule_performers(house: House) -> Mapping[str, Performer]:
    """Who performs what concerns rules, by kind of outbox row."""

    def receive(workspace: Workspace, row: OutboxRow) -> None:
        in_unit(house, house.workspace(workspace.key), partial(_received, row))

    return {RECEIVED: receive}


def rule_writers(house: House) -> Mapping[str, Writer]:
    """Who writes what rules ask for in the transaction that marks it done."""

    def tag(connection: Connection, workspace: Workspace, row: OutboxRow) -> None:
        effect = effect_of(row)
        assert isinstance(effect, Tag)
        if effect.remove:
            tags.take_off(connection, effect.form, effect.document, effect.tag)
        else:
            tags.put(connection, effect.form, effect.document, effect.tag, effect.rule, house.now())

    return {Tag.kind: tag}


def imported(unit: Unit, form: str, *, created: int, updated: int, failed: int) -> Rows:
    """Rules on the end of an import; ids of the outbox rows that follow."""
    rows: Rows = []
    woken = unit.rules.index.woken(Imported(form=form))
    if woken:
        counted = import_names(rows=created + updated + failed, created=created, updated=updated, failed=failed)
        names = {**_around(unit), **counted}
        facts = plain_facts(names, "imported", key=form)
        world = LiveWorld(unit)
        follow(unit, rows, [one for rule in woken for one in decided(unit, rule, (facts,), world)])
    return rows


def escalate(house: House, workspace: str, number: int) -> None:
    """The time of an escalation has come: when the to-do is still open, further people get it, and are told."""
    in_unit(house, house.workspace(workspace), partial(_escalated, number))


def received_facts(unit: Unit, name: str, payload: Mapping[str, Any]) -> Facts:
    """Facts of rules on a message, read as the app declares it; anything else is left out.

    Raises:
        EvaluationFailed: a value is not of its type.
    """
    declared = unit.bundle.app.webhooks.inbound.get(name)
    values = dict(_read(declared, payload)) if declared is not None else {}
    return plain_facts({**_around(unit), **payload_names(values)}, "webhook", key=name)


def _received(row: OutboxRow, unit: Unit, rows: Rows) -> None:
    key = f"outbox:{row.id}"
    if done_before(unit.connection, key) is not None:
        return
    note_done(unit, key)
    name = str(row.payload["name"])
    woken = unit.rules.index.woken(Received(webhook=name))
    if not woken:
        return
    try:
        facts = received_facts(unit, name, row.payload["payload"])
    except EvaluationFailed as unreadable:
        follow(unit, rows, [_unreadable(rule, name, row.payload["payload"], unreadable) for rule in woken])
        return
    world = LiveWorld(unit)
    follow(unit, rows, [one for rule in woken for one in decided(unit, rule, (facts,), world)])


def _unreadable(rule: CompiledRule, name: str, payload: Mapping[str, Any], failed: EvaluationFailed) -> Decided:
    facts = plain_facts(payload_names(payload), "webhook", key=name)
    verdict = Verdict(rule=rule.definition.rule, key=name, outcome="failed", error=failed.problem, trigger="webhook")
    return Decided(rule=rule, facts=facts, verdict=verdict)


def _read(declared: Inbound, payload: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for key, field in declared.fields.items():
        given = payload.get(key)
        if field.type != "lines":
            yield key, _value(field, given, key)
            continue
        lines = given if isinstance(given, list | tuple) else ()
        yield (
            key,
            tuple(
                {each: _value(column, line.get(each), f"{key}.{place}.{each}") for each, column in field.fields.items()}
                for place, line in enumerate(lines, start=1)
                if isinstance(line, Mapping)
            ),
        )


def _value(field: PayloadField | PayloadColumn, given: object, where: str) -> object:
    if given is None or given == "":
        return None
    try:
        match field.type:
            case "number" if not isinstance(given, bool):
                number = Decimal(str(given))
                return number if number.is_finite() else _wrong(where)
            case "boolean" if isinstance(given, bool):
                return given
            case "date":
                return date.fromisoformat(str(given)[:10])
            case "datetime":
                return datetime.fromisoformat(str(given)).replace(tzinfo=None)
            case "text" if isinstance(given, str | int):
                return str(given)
    except (ValueError, InvalidOperation):
        pass
    return _wrong(where)


def _wrong(where: str) -> object:
    raise EvaluationFailed(problem("rule.payload", "", field=where))


def _escalated(number: int, unit: Unit, rows: Rows) -> None:
    row = timers.by_id(unit.connection, number)
    if row is None or row.done_at is not None or row.kind != timers.ESCALATION:
        return
    rule = unit.bundle.rules.get(row.rule)
    key = once_key(rule.definition, row.key) if rule is not None else ""
    open_ones = workflow_runs.open_todos_of_rule(unit.connection, row.rule, row.form, row.document, key)
    if rule is None or not open_ones or row.number >= len(rule.definition.escalate):
        timers.end(unit.connection, number, unit.now, timers.VOID)
        return
    timers.end(unit.connection, number, unit.now, timers.FIRED)
    facts = facts_again(unit, rule, row.form, row.document, "escalation")
    title = open_ones[0].title
    rows += kept(unit, escalated(rule, row.number, facts, title, row.key, unit.around.clock, LiveWorld(unit)))


def facts_again(unit: Unit, rule: CompiledRule, form: str, document: int, trigger: str) -> Facts:
    """Facts of the record a rule has spoken of, as it is today; of none, where it is gone or there was none."""
    if rule.definition.when.ledger == STOCK and document:
        found = facts_of_stock(unit, (document,), (rule,))
        return found[0] if found else plain_facts(_around(unit), trigger)
    if form in unit.bundle.forms and document:
        stored = documents.load(unit.connection, unit.tables, form, document)
        if stored is not None:
            return facts_of_documents(unit, unit.form(form), (stored,), trigger)[0]
    return plain_facts(_around(unit), trigger, key=rule.definition.rule)


def _around(unit: Unit) -> Mapping[str, object]:
    return {"me": unit.around.me, "app": unit.around.app}
