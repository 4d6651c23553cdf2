"""Stage 6, judge: every rule the submission wakes, by what was done, what changed, its workflow and its ledgers.

A rejection, or a warning nobody confirmed, undoes the whole transaction; all of them are told at once. The document is
seen as it is stored by now, ``old`` as it was. Rules that set values were judged before (`judge_sets`) and are judged
here on the very same facts, so that what else they ask for agrees with what they have set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from engine.definitions.compiled_rule import CompiledRule
from engine.document import RED, DocStatus
from engine.effects import Effect
from engine.ledger import Entry
from engine.rules.facts import Facts, changed_paths, document_facts, flow_names
from engine.rules.triggers import STOCK_LEDGERS, Acted, LedgerChanged
from engine.rules.world import World
from runtime.stages.judge_facts import facts_before, facts_of_balances, facts_of_stock
from runtime.stages.judge_rules import Decided, alerts_open, decided, settle
from runtime.stages.judge_world import LiveWorld
from runtime.stages.steps import Advanced, Command, Judged, Posted, Preset, Unit

STOCK = STOCK_LEDGERS[0]


def judge(unit: Unit, group: Sequence[Posted]) -> list[Judged]:
    """Run the stage for one document, or for new records stored together: a look-up then is one query for all of them.

    Raises:
        RefusedByRules: ``invalid`` with what the refusing rules say of the first document that is refused.
    """
    world = LiveWorld(unit)
    asked = [list(_about_document(unit, posted.advanced)) for posted in group]
    answers = iter(_decided_together(unit, [each for one in asked for each in one], world))
    judged = []
    for posted, about in zip(group, asked, strict=True):
        advanced = posted.advanced
        command = advanced.written.authorized.validated.begun.command
        verdicts = [
            *islice(answers, len(about)),
            *_on_workflow(unit, advanced, world),
            *_on_ledgers(unit, posted.entries, command.chain, world),
        ]
        effects: tuple[Effect, ...] = ()
        if verdicts:
            effects = settle(unit, verdicts, confirmed=command.confirmed, reason=reason_of(command))
        judged.append(Judged(posted=posted, effects=effects))
    return judged


def reason_of(command: Command) -> str:
    """Why it is done in spite of a warning: what the person says; what a rule does is said by its name."""
    return command.reason.strip() or (command.chain[-1] if command.chain else "")


def acted(unit: Unit, advanced: Advanced) -> Acted:
    """What was done with the document, for rules."""
    begun = advanced.written.authorized.validated.begun
    document, old, form = advanced.document, begun.old, begun.form.key
    actions = set(begun.actions)
    if document.origin == RED:  # what follows an approval does not follow its taking back; rules on ledgers do
        return Acted(form=form, before=str(document.status), after=str(document.status))
    if advanced.posts == "approve":
        actions.add("approve")
    elif document.status is DocStatus.PENDING:
        actions.discard("approve")  # one node agreed; the document is not approved yet
    watched = unit.rules.index.changes.get(form)
    return Acted(
        form=form,
        actions=frozenset(actions),
        before=str(old.status) if old is not None else "",
        after=str(document.status),
        changed=watched & changed_paths(old, document) if watched else frozenset(),
        origin=begun.command.origin,
    )


def document_names(advanced: Advanced) -> dict[str, object]:
    """What rules see of the document as it is stored by now."""
    document = advanced.document
    return {
        **advanced.written.scene.header,
        "id": document.id,
        "doc_status": str(document.status),
        "exec_status": str(document.exec_status),
        "version": document.version,
        "approver": document.approver,
        "approved_at": document.approved_at,
    }


def _about_document(unit: Unit, advanced: Advanced) -> Iterator[tuple[CompiledRule, Facts]]:
    """The rules that what was done wakes, each with what it is judged on."""
    validated = advanced.written.authorized.validated
    begun = validated.begun
    for one in (*validated.preset, *advanced.preset):
        yield one.rule, _completed(one, advanced)
    if begun.form.key not in unit.rules.acting:
        return
    event = acted(unit, advanced)
    done = {one.rule.definition.rule for one in (*validated.preset, *advanced.preset)}
    woken = [rule for rule in unit.rules.index.woken(event) if rule.definition.rule not in done]
    if not woken:
        return
    names = document_names(advanced)
    before = facts_before(unit, begun.form, begun.old, woken, validated.clean.linked)
    for rule in woken:
        facts = document_facts(
            advanced.document, names, before=before, trigger=trigger_word(rule, event), chain=begun.command.chain
        )
        yield rule, facts


def _decided_together(unit: Unit, asked: Sequence[tuple[CompiledRule, Facts]], world: World) -> Iterator[Decided]:
    """Each rule judged once on everything it was asked about; the verdicts in the order of the questions."""
    places: dict[str, list[int]] = {}
    for place, (rule, _) in enumerate(asked):
        places.setdefault(rule.definition.rule, []).append(place)
    found: dict[int, Decided] = {}
    for mine in places.values():
        rule = asked[mine[0]][0]
        found.update(zip(mine, decided(unit, rule, [asked[place][1] for place in mine], world), strict=True))
    return (found[place] for place in range(len(asked)))


def trigger_word(rule: CompiledRule, event: Acted) -> str:
    """What woke the rule, for the log."""
    when = rule.definition.when
    if when.on:
        return next((action for action in when.on if action in event.actions), when.on[0])
    return "fields" if when.fields else event.after


def _completed(preset: Preset, advanced: Advanced) -> Facts:
    """The facts a rule set values on, now that the document has its id and number."""
    document = advanced.document
    known = {"id": document.id, "number": document.number, "created_at": document.created_at}
    return replace(
        preset.facts,
        document=document.id,
        key=f"{document.form}:{document.id}",
        names={**preset.facts.names, **known},
    )


def _on_workflow(unit: Unit, advanced: Advanced, world: World) -> Iterator[Decided]:
    command = advanced.written.authorized.validated.begun.command
    names: dict[str, object] | None = None
    for event, result in advanced.happened:
        for rule in unit.rules.index.woken(event):
            names = names or document_names(advanced)
            facts = document_facts(
                advanced.document,
                names,
                trigger=event.event,
                chain=command.chain,
                more=flow_names(event.event, event.node, result),
            )
            yield from decided(unit, rule, (facts,), world)


def _on_ledgers(unit: Unit, entries: Sequence[Entry], chain: tuple[str, ...], world: World) -> Iterator[Decided]:
    touched = {entry.ledger for entry in entries}
    if STOCK in unit.rules.ledgers and touched & set(STOCK_LEDGERS):
        about = [entry for entry in entries if entry.ledger in STOCK_LEDGERS and entry.product]
        rules = _by_moves(unit.rules.index.woken(LedgerChanged(ledger=STOCK)), about)
        facts = facts_of_stock(unit, {entry.product for entry in about}, rules, chain)
        opened = alerts_open(unit, rules, facts) if facts else frozenset()
        for rule in rules if facts else ():
            yield from decided(unit, rule, facts, world, opened=opened)
    for ledger in sorted(touched & unit.rules.ledgers - {STOCK}):
        about = [entry for entry in entries if entry.ledger == ledger]
        woken = unit.rules.index.woken(LedgerChanged(ledger=ledger))
        rules = _by_moves((rule for rule in woken if rule.definition.when.ledger == ledger), about)
        facts = facts_of_balances(unit, ledger, about, rules, chain)
        for rule in rules if facts else ():
            yield from decided(unit, rule, facts, world)


def _by_moves(rules: Iterable[CompiledRule], entries: Iterable[Entry]) -> tuple[CompiledRule, ...]:
    """The rules among these whose moves, where they name any, are among those of the entries."""
    made = {entry.move for entry in entries}
    return tuple(rule for rule in rules if not rule.definition.when.moves or made & set(rule.definition.when.moves))
