"""Buttons that rules put on documents: for whoever may read and change the document."""

from __future__ import annotations

from dataclasses import replace

from engine.actor import automation
from engine.definitions.compiled import CompiledForm
from engine.document import Document
from engine.environment import surroundings
from engine.forms.draft import LinePatch, Patch
from engine.permissions import admits
from engine.problems import Refused, problem
from runtime.facade.door import Door
from runtime.ruling.waking import Rows, in_unit, kept
from runtime.stages.judge_facts import facts_of_documents
from runtime.stages.judge_rules import decided, settle
from runtime.stages.judge_sets import with_sets
from runtime.stages.judge_world import LiveWorld
from runtime.stages.steps import Command, Outcome, Unit, as_it_stands
from runtime.storage import documents, idempotency
from runtime.storage.document_locks import lock_documents
from runtime.submit import submit_within

BUTTON = "rule:"


def press(door: Door, command: Command) -> Outcome:
    """Press the button of a rule on a document; ``command.action`` is ``rule:<name>``.

    Raises:
        Refused: ``missing`` for an unknown button or document; ``forbidden`` for whoever may not change it;
            ``conflict`` when somebody was faster or its condition does not hold; what the rule itself refuses.
    """
    form = door.form(command.form)
    name = command.action.removeprefix(BUTTON)
    rule = next((one for one in door.published.rules.index.buttons(form.key) if one.definition.rule == name), None)
    if rule is None or command.document is None:
        raise Refused([problem("rule.no_button")], "missing")

    def work(unit: Unit, rows: Rows) -> Outcome:
        user = unit.around.actor.user
        found = _pressed_on(unit, form, command)
        if command.idempotency_key:
            if idempotency.find(unit.connection, command.idempotency_key, user) is not None:
                return as_it_stands(found, repeated=True)
            mark = f"{command.action}:{found.id}"
            idempotency.save(unit.connection, command.idempotency_key, user, mark, {}, unit.now)
        facts = facts_of_documents(unit, form, (found,), "button")
        group = decided(unit, rule, facts, LiveWorld(unit))
        effects = settle(unit, group, confirmed=command.confirmed, reason=command.reason, strict=True)
        if not any(one.verdict.fired for one in group):
            raise Refused([problem("rule.does_not_hold", rule=rule.definition.label)], "conflict")
        rows += kept(unit, effects)
        made = with_sets(form, found, [one for each in group for one in each.verdict.sets])
        if made == found:
            return as_it_stands(found)
        done = _saved(unit, form, found, made, command, name)
        rows += done.outbox
        return done

    return in_unit(door.house, door.workspace, work, door.actor)


def buttons(door: Door, form: CompiledForm) -> tuple[tuple[str, str], ...]:
    """Key and label of the buttons rules put on documents of a form."""
    if not door.may(form, "update"):
        return ()
    return tuple(
        (f"{BUTTON}{rule.definition.rule}", rule.definition.when.button.text(door.language))
        for rule in door.published.rules.index.buttons(form.key)
        if rule.definition.when.button is not None
    )


def _pressed_on(unit: Unit, form: CompiledForm, command: Command) -> Document:
    """The document, if the person may read and change it."""
    lock_documents(unit.connection, unit.tables, form.key, [command.document or 0])
    found = documents.load(unit.connection, unit.tables, form.key, command.document or 0)
    access, around = unit.access(form), unit.around
    missing = Refused([problem("document.missing", form=form.label)], "missing")
    if found is None:
        raise missing
    names = facts_of_documents(unit, form, (found,), "button")[0].names
    for action, refused in (
        ("read", missing),
        ("update", Refused([problem("rule.no_button")], "forbidden")),
    ):
        rows = access.rows.get(action)
        if action not in access.actions or (
            rows is not None and not admits(rows, found, names, around.actor, around.clock)
        ):
            raise refused
    if command.version is not None and command.version != found.version:
        raise Refused([problem("document.stale")], "conflict")
    return found


def _saved(unit: Unit, form: CompiledForm, found: Document, made: Document, command: Command, rule: str) -> Outcome:
    """Store what the button set, as a change by the automation."""
    values = {
        key: field.type.to_json(made.values.get(key), field.options)
        for key, field in form.fields.items()
        if made.values.get(key) != found.values.get(key)
    }
    lines = {
        table: tuple(
            LinePatch(
                id=line.id,
                values={
                    key: field.type.to_json(line.values.get(key), field.options)
                    for key, field in form.tables[table].fields.items()
                    if line.values.get(key) != before.values.get(key)
                },
                source=line.source,
            )
            for line, before in zip(rows, found.lines[table], strict=True)
        )
        for table, rows in made.lines.items()
        if rows != found.lines[table]
    }
    theirs = replace(unit, around=surroundings(unit.bundle, automation(), unit.around.clock), seen={})
    return submit_within(
        theirs,
        Command(
            form=form.key,
            action="save",
            document=found.id,
            patch=Patch(values=values, lines=lines),
            reason=command.reason,
            origin="auto",
            confirmed=True,
            chain=(*command.chain, rule),
        ),
    )
