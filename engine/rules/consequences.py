"""What follows when a rule fires: every ``then`` → effects for the outbox, or results inside the transaction.

All documents one firing writes are one ``WriteDocuments``: all of them come into being, or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from engine.definitions.compiled_rule import ROW, At, CompiledRule
from engine.definitions.people import Whom
from engine.definitions.rule import Create, Message, Start, Then, Update
from engine.effects import (
    Audience,
    CallPlugin,
    CallWebhook,
    CreateTask,
    Effect,
    Notify,
    SignalFlow,
    StartDocument,
    StartFlow,
    Tag,
    Write,
    WriteDocuments,
)
from engine.expressions import Clock, EvaluationFailed, evaluate
from engine.expressions.types import Row
from engine.labels import Label
from engine.problems import Problem, Severity, problem
from engine.rules.audience import audience, followed
from engine.rules.facts import Facts, plain
from engine.rules.lookups import lines_of
from engine.rules.loops import longer
from engine.rules.verdict import SetField, Warned
from engine.rules.world import MatchNeed, World
from engine.texts import rendered


@dataclass(slots=True, kw_only=True)
class Followed:
    """What followed so far; of several results of a table (``rule_order``) each adds to it in turn."""

    effects: list[Effect] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    sets: list[SetField] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One rule firing on one record, with the results of its table among ``names``."""

    rule: CompiledRule
    facts: Facts
    names: Mapping[str, object]
    once_key: str
    world: World
    clock: Clock

    @property
    def name(self) -> str:
        """The rule's key."""
        return self.rule.definition.rule

    @property
    def chain(self) -> tuple[str, ...]:
        """The chain its effects carry on."""
        return longer(self.facts.chain, self.name)

    def value(self, at: At, names: Mapping[str, object] | None = None) -> object:
        """The value of the expression at ``at``."""
        return evaluate(self.rule.expressions[at], names or self.names, self.clock)

    def said(self, label: Label) -> Label:
        """A text with its holes filled; a hole without a value shows a dash."""
        values: dict[str, object] = {}
        for text, checked in self.rule.placeholders.items():
            if f"{{{text}}}" in label.zh or f"{{{text}}}" in label.en:
                try:
                    values[text] = evaluate(checked, self.names, self.clock)
                except EvaluationFailed:
                    values[text] = None
        return rendered(label, values)


def follow(firing: Firing, followed_so_far: Followed) -> None:
    """Everything that follows from one firing.

    Raises:
        EvaluationFailed: a value has none.
    """
    for index, then in enumerate(firing.rule.definition.then):
        at: At = ("then", index)
        if then.when is None or firing.value((*at, "when")) is True:
            _inside(firing, then, at, followed_so_far)
            _outside(firing, then, at, followed_so_far)


def effects_of(firing: Firing, made: Followed) -> tuple[Effect, ...]:
    """The effects, with all documents to write in one of them."""
    if not made.writes:
        return tuple(made.effects)
    together = WriteDocuments(writes=tuple(made.writes), rule=firing.name, chain=firing.chain)
    return (*made.effects, together)


def _inside(firing: Firing, then: Then, at: At, made: Followed) -> None:
    """What happens in the transaction."""
    label = firing.rule.definition.label
    if then.reject is not None:
        message = firing.said(then.reject.say)
        made.problems.append(problem("rule.rejected", then.reject.at, message=message, rule=label))
    if then.warn is not None:
        message = firing.said(then.warn.say)
        code = "rule.warned_reason" if then.warn.reason else "rule.warned"
        found = replace(problem(code, then.warn.at, message=message, rule=label), severity=Severity.WARNING)
        made.warnings.append(Warned(problem=found, reason=then.warn.reason))
    for name in then.set or ():
        table, dot, _ = name.partition(".")
        if not dot:
            made.sets.append(SetField(path=name, value=firing.value((*at, "set", name))))
            continue
        for place, line in enumerate(lines_of(firing.names, table)):
            names = line_names(firing.names, line, place)
            made.sets.append(SetField(path=name, value=firing.value((*at, "set", name), names), line=place))


def _outside(firing: Firing, then: Then, at: At, made: Followed) -> None:
    """What follows the commit."""
    form, document = firing.facts.form, firing.facts.document
    if then.task is not None:
        hours = then.task.hours
        made.effects.append(
            CreateTask(
                to=_to(firing, then.task.to, (*at, "task", "to")),
                title=firing.said(then.task.title),
                form=form,
                document=document,
                once_key=firing.once_key,
                due_at=firing.clock.now + timedelta(hours=hours) if hours is not None else None,
                rule=firing.name,
            )
        )
    if then.message is not None:
        made.effects.append(_message(firing, then.message, at))
    if then.start is not None and document is not None:
        made.effects.append(_start(firing, then.start, document))
    if then.create is not None:
        made.writes += _created(firing, then.create, (*at, "create"))
    if then.update is not None:
        made.writes += _updated(firing, then.update, (*at, "update"))
    if then.webhook is not None:
        data = {name: plain(firing.value((*at, "webhook", "send", name))) for name in then.webhook.send}
        made.effects.append(CallWebhook(to=then.webhook.to, event=then.webhook.event, data=data))
    if then.flow is not None and document is not None:
        made.effects.append(
            StartFlow(workflow=then.flow.start, form=form, document=document, chain=firing.chain)
            if then.flow.start is not None
            else SignalFlow(form=form, document=document, event=then.flow.event or "", chain=firing.chain)
        )
    tagged, identity = firing.facts.record
    for tag in (then.tag, then.untag):
        if tag is not None and identity is not None:
            made.effects.append(
                Tag(form=tagged, document=identity, tag=tag, rule=firing.name, remove=tag is then.untag)
            )
    if then.plugin is not None:
        params = {name: plain(firing.value((*at, "plugin", "params", name))) for name in then.plugin.params}
        made.effects.append(CallPlugin(use=then.plugin.use, params=params, form=form, document=document))


def _message(firing: Firing, message: Message, at: At) -> Notify:
    return Notify(
        to=_to(firing, message.to, (*at, "message", "to")),
        title=firing.said(message.title),
        body=firing.said(message.body) if message.body is not None else None,
        form=firing.facts.form,
        document=firing.facts.document,
        channels=message.channels,
    )


def _start(firing: Firing, start: Start, document: int) -> StartDocument:
    return StartDocument(
        form=start.form,
        source_form=firing.facts.form,
        source_document=document,
        variant=start.variant,
        action=start.action,
        chain=firing.chain,
    )


def _to(firing: Firing, whom: Whom, at: At) -> Audience:
    return audience(firing.rule, whom, at, firing.names, firing.facts, firing.world, firing.clock)


def _created(firing: Firing, create: Create, at: At) -> list[Write]:
    values = {name: plain(firing.value((*at, "set", name))) for name in create.set}
    rows = lines_of(firing.names, create.each) if create.each is not None else (None,)
    lines: dict[str, list[Mapping[str, object]]] = {table: [] for table in create.lines}
    for place, row in enumerate(rows):
        names = firing.names if row is None else line_names(firing.names, row, place)
        if create.when is not None and firing.value((*at, "when"), names) is not True:
            continue
        for table, written in create.lines.items():
            lines[table].append({name: plain(firing.value((*at, "lines", table, name), names)) for name in written})
    if create.each is not None and create.lines and not any(lines.values()):
        return []
    return [Write(form=create.form, values=values, lines=lines, action=create.action)]


def _updated(firing: Firing, update: Update, at: At) -> list[Write]:
    reason = firing.said(update.reason).zh if update.reason is not None else ""
    if update.form is not None:
        return _others(firing, update, at, reason)
    form, document = firing.facts.record
    if update.link is not None:
        linked = followed(firing.names, update.link)
        document = linked.id if isinstance(linked, Row) else linked if isinstance(linked, int) else None
        form = firing.rule.seen.names[update.link].record
    if document is None:
        return []
    values = {name: plain(firing.value((*at, "set", name))) for name in update.set}
    return [Write(form=form, document=document, values=values, action=update.action, reason=reason)]


def _others(firing: Firing, update: Update, at: At, reason: str) -> list[Write]:
    known = {**firing.names, ROW: firing.facts.row}
    read = [checked for place, checked in firing.rule.expressions.items() if place[: len(at)] == at]
    fields = {path[0] for checked in read for path in checked.names if path[0] not in (ROW, "me", "app")}
    where = firing.rule.expressions.get((*at, "where"))
    rows = firing.world.matching(MatchNeed(form=update.form or "", where=where, known=known, fields=frozenset(fields)))
    return [
        Write(
            form=update.form or "",
            document=row.id,
            values={name: plain(firing.value((*at, "set", name), {**known, **row.values})) for name in update.set},
            action=update.action,
            reason=reason,
        )
        for row in rows
    ]


def line_names(names: Mapping[str, object], line: Row, place: int) -> Mapping[str, object]:
    """What an expression sees on a line: the line first."""
    return {**names, **line.values, "line_no": place + 1}
