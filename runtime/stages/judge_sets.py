"""Values that rules set on their own record (``set``), before they are kept.

A rule woken by saving or submitting sets them while the document is validated: what is checked, stored and found in
history is the document as the rules left it, formulas worked out again. A rule woken by a later step (``approve``, a
status) sets them after stage 4 and before the ledgers are posted, as a change of its own. Either way the rule is judged
once, on the document as it came; several rules are judged in their order, each on what the one before has set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from engine.definitions.compiled import CompiledForm
from engine.definitions.compiled_rule import CompiledRule
from engine.document import Document, Line, Value
from engine.environment import Linked, Scene
from engine.forms.complete import computed, stored_value
from engine.problems import Problem, Refused
from engine.rules.facts import changed_paths, document_facts
from engine.rules.triggers import Acted
from engine.rules.verdict import SetField
from runtime.stages.judge import acted, document_names, trigger_word
from runtime.stages.judge_facts import facts_before
from runtime.stages.judge_rules import decided
from runtime.stages.judge_world import LiveWorld
from runtime.stages.steps import Advanced, Begun, Preset, Unit, load_linked
from runtime.stages.write import changes_between
from runtime.storage import documents, history
from runtime.storage.history import HistoryRow
from runtime.storage.search_text import searchable

SAVING = frozenset({"create", "update", "submit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The document as the rules left it, its names, and the rules that were judged for it."""

    document: Document
    failures: tuple[Problem, ...]
    names: Scene
    linked: Linked
    preset: tuple[Preset, ...] = ()


def set_on_saving(unit: Unit, begun: Begun, settled: Settled) -> Settled:
    """Let the rules that saving wakes set their values. Nothing is asked where no rule of the form sets any."""
    if begun.form.key not in unit.rules.setting or not SAVING & set(begun.actions):
        return settled
    document = settled.document
    watched = unit.rules.index.changes.get(begun.form.key)
    event = Acted(
        form=begun.form.key,
        actions=SAVING & frozenset(begun.actions),
        before=str(document.status),
        after=str(document.status),
        changed=watched & changed_paths(begun.old, document) if watched else frozenset(),
        origin=begun.command.origin,
    )
    rules = _setting(unit, event)
    if not rules or settled.failures:
        return settled
    before = facts_before(unit, begun.form, begun.old, rules, settled.linked)
    world, judged = LiveWorld(unit), []
    for rule in rules:
        facts = document_facts(
            settled.document,
            settled.names.header,
            before=before,
            trigger=trigger_word(rule, event),
            chain=begun.command.chain,
        )
        for one in decided(unit, rule, (facts,), world):
            judged.append(Preset(rule=rule, facts=one.facts))
            if one.verdict.sets:
                settled = _worked_out(unit, begun.form, settled, one.verdict.sets)
    return replace(settled, preset=tuple(judged))


def set_after(unit: Unit, advanced: Advanced) -> Advanced:
    """Let the rules that a later step of its life wakes set their values, as a change by the product.

    Raises:
        Refused: ``invalid`` when the document cannot be worked out with them.
    """
    validated = advanced.written.authorized.validated
    form = validated.begun.form
    if form.key not in unit.rules.setting or "delete" in validated.begun.actions:
        return advanced
    event = acted(unit, advanced)
    done = {one.rule.definition.rule for one in validated.preset}
    rules = [rule for rule in _setting(unit, event) if rule.definition.rule not in done]
    if not rules:
        return advanced
    before = facts_before(unit, form, validated.begun.old, rules, validated.clean.linked)
    settled = Settled(
        document=advanced.document, failures=(), names=advanced.written.scene, linked=validated.clean.linked
    )
    world, judged, labels = LiveWorld(unit), [], []
    names: Mapping[str, object] = document_names(advanced)
    for rule in rules:
        facts = document_facts(
            settled.document,
            names,
            before=before,
            trigger=trigger_word(rule, event),
            chain=validated.begun.command.chain,
        )
        for one in decided(unit, rule, (facts,), world):
            judged.append(Preset(rule=rule, facts=one.facts))
            if one.verdict.sets:
                settled = _worked_out(unit, form, settled, one.verdict.sets)
                names = {**settled.names.header, "doc_status": str(settled.document.status)}
                labels.append(rule.definition.label.zh)
    advanced = replace(advanced, preset=tuple(judged))
    if settled.failures:
        raise Refused(settled.failures)
    return _kept(unit, form, advanced, settled, "、".join(labels)) if labels else advanced


def _setting(unit: Unit, event: Acted) -> list[CompiledRule]:
    return [rule for rule in unit.rules.index.woken(event) if rule.definition.rule in unit.rules.sets]


def _worked_out(unit: Unit, form: CompiledForm, settled: Settled, sets: Sequence[SetField]) -> Settled:
    draft = with_sets(form, settled.document, sets)
    if draft == settled.document:
        return settled
    linked = load_linked(unit, form, (draft,), settled.linked)
    document, failures, names = computed(draft, form, linked, unit.around)
    return replace(settled, document=document, failures=tuple(failures), names=names, linked=linked)


def with_sets(form: CompiledForm, document: Document, sets: Iterable[SetField]) -> Document:
    """The document with these values, as its fields keep them."""
    header: dict[str, Value] = dict(document.values)
    lines: dict[str, list[Line]] = {table: list(rows) for table, rows in document.lines.items()}
    for one in sets:
        table, dot, column = one.path.partition(".")
        if not dot and table in form.fields:
            header[table] = stored_value(form.fields[table], one.value)
        elif dot and 0 <= one.line < len(lines.get(table, ())) and column in form.tables[table].fields:
            line = lines[table][one.line]
            value = stored_value(form.tables[table].fields[column], one.value)
            lines[table][one.line] = replace(line, values={**line.values, column: value})
    kept = {
        table: document.lines[table] if tuple(rows) == tuple(document.lines[table]) else tuple(rows)
        for table, rows in lines.items()
    }
    return replace(document, values=header, lines=MappingProxyType(kept))


def _kept(unit: Unit, form: CompiledForm, advanced: Advanced, settled: Settled, by: str) -> Advanced:
    before, made = advanced.document, settled.document
    if made == before:
        return advanced
    stored = documents.update(
        unit.connection, unit.tables, before, made, searchable(form, made), unit.now, modifier=unit.around.actor.user
    )
    history.append(
        unit.connection,
        [
            HistoryRow(
                form=form.key,
                document=stored.id or 0,
                version=stored.version,
                at=unit.now,
                user=0,
                user_name=by,
                action="update",
                changes=changes_between(form, before, stored),
                reason="",
                origin="auto",
            )
        ],
    )
    names = replace(settled.names, header={**settled.names.header, "version": stored.version})
    written = replace(advanced.written, document=stored, scene=names)
    return replace(advanced, written=written, document=stored)
