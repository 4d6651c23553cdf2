"""Rules in plain words: what wakes them, when they hold, what they do. Names become labels, operators words.

Nothing is invented: what has no word of its own is shown as the author wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.definitions.action_labels import ACTION_LABELS
from engine.definitions.compiled import CompiledField, CompiledForm
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.people import Who, Whom, listed
from engine.definitions.rule import DateTrigger, Lookup, Then, When
from engine.definitions.rule_scopes import STOCK, record_of, trigger_of
from engine.document import DocStatus
from engine.expressions import Checked
from engine.labels import joined
from engine.schedules.read import schedule_of
from engine.schedules.schedule import Schedule
from engine.schedules.tell import told
from engine.workflow.lifecycle import STATUS_LABELS
from runtime.facade.cells import target_of
from runtime.facade.door import Door
from runtime.facade.stock import move_label
from runtime.messages.catalogue import Shown

TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|[^\W\d][\w.]*|[<>=!]=|.", re.S)
HOLE = re.compile(r"\{([^{}]+)\}")
ROW, OLD, LINE = "row", "old", "line"
ALWAYS = "True"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaking:
    """One rule and who reads it. ``line``: a line table whose fields stand first."""

    door: Door
    rule: CompiledRule

    def phrase(self, key: str, **params: Shown) -> str:
        """A text of the interface."""
        return self.door.house.catalogue.ui(f"rules.{key}", self.door.language, **params)

    def named(self, key: str, name: str) -> str:
        """The word under ``key.name``; the name itself where there is none."""
        catalogue = self.door.house.catalogue
        return catalogue.ui(f"{key}{name}", self.door.language) if catalogue.has(f"{key}{name}") else name

    def joined(self, texts: list[str]) -> str:
        """A list in words."""
        return joined(texts, self.door.language)

    def form(self, key: str | None) -> str:
        """The name of a form."""
        form = self.door.bundle.forms.get(key or "")
        return form.label.text(self.door.language) if form is not None else key or ""

    def trigger(self) -> str:
        """What wakes the rule."""
        when = self.rule.definition.when
        form, trigger = self.form(when.form), trigger_of(when)
        match trigger:
            case "on":
                return self.phrase("when_on", form=form, actions=self.joined([self._action(one) for one in when.on]))
            case "fields":
                fields = self.joined([self.path(tuple(one.split("."))) for one in when.fields])
                return self.phrase("when_fields", form=form, fields=fields)
            case "status":
                return self.phrase(
                    "when_status", form=form, status=self.joined([self._status(one) for one in when.status])
                )
            case "flow":
                events = self.joined([self.named("rules.flow_", one) for one in when.flow])
                at = self.phrase("when_node", node=self._node(when.form or "", when.node)) if when.node else ""
                return self.phrase("when_flow", form=form, events=events, at=at)
            case "ledger":
                return self._by_moves(when)
            case "schedule":
                key = "when_schedule_form" if when.form else "when_schedule"
                return self.phrase(key, form=form, schedule=self._clock(when.schedule or ""))
            case "date":
                assert when.date is not None  # the trigger is what is given
                field = self.path((when.date.field,))
                return self.phrase("when_date", form=form, field=field, offsets=self._offsets(when.date))
            case "webhook":
                inbound = self.door.bundle.app.webhooks.inbound.get(when.webhook or "")
                name = inbound.label.text(self.door.language) if inbound is not None else when.webhook or ""
                return self.phrase("when_webhook", name=name)
            case "button":
                return self.phrase("when_button", form=form, button=when.button or "")
            case _:
                return self.phrase("when_imported", form=form)

    def _by_moves(self, when: When) -> str:
        changed = (
            self.phrase("when_stock")
            if when.ledger == STOCK
            else self.phrase("when_ledger", ledger=self._ledger(when.ledger or ""))
        )
        moves = self.joined([move_label(self.door, one) for one in when.moves])
        return self.phrase("when_moves", when=changed, moves=moves) if moves else changed

    def _clock(self, text: str) -> str:
        """A schedule in the reader's language; as it was written where that language has no words for it."""
        found = schedule_of(text)
        return (told(found, self.door.language) if isinstance(found, Schedule) else "") or text

    def condition(self) -> str:
        """When the rule holds; empty when it always does."""
        checked = self.rule.condition
        return "" if checked.text in (ALWAYS, "true") else self.expression(checked)

    def expression(self, checked: Checked) -> str:
        """An expression with labels for names and words for operators."""
        return self.text(checked.text, self._choices(checked))

    def text(self, source: str, choices: Mapping[str, str]) -> str:
        """The same for a piece of its source."""
        parts = TOKEN.findall(source)
        spoken: list[str] = []
        for place, part in enumerate(parts):
            if part[0] in "'\"":
                spoken.append(choices.get(part[1:-1], part))
            elif re.match(r"[^\W\d]", part):
                called = place + 1 < len(parts) and parts[place + 1] == "("
                key = "rules.call_" if called else "rules.word_"
                word = self.named(key, part)
                spoken.append(word if word != part or called else self.path(tuple(part.split("."))))
            else:
                spoken.append({"==": "=", "!=": "≠", ">=": "≥", "<=": "≤", "*": "×"}.get(part, part))
        return "".join(spoken)

    def path(self, path: tuple[str, ...]) -> str:
        """A name or path: 商品.安全库存."""
        head, rest = self._start(path)
        found: list[str] = [head] if head else []
        form: CompiledForm | None = self._own_form()
        fields: Mapping[str, CompiledField] = form.fields if form is not None else {}
        for part in rest:
            if form is not None and part in form.tables:
                found.append(form.tables[part].label.text(self.door.language))
                fields, form = form.tables[part].fields, None
                continue
            field = fields.get(part)
            if field is None:
                found.append(self.named("rules.name_", self.named("system.", part)))
                form, fields = None, {}
                continue
            found.append(field.label.text(self.door.language))
            form = self.door.bundle.forms.get(target_of(field))
            fields = form.fields if form is not None else {}
        return ".".join(found)

    def field(self, path: tuple[str, ...]) -> CompiledField | None:
        """The field a path ends at, if it is one of a form."""
        form: CompiledForm | None = self._own_form()
        fields: Mapping[str, CompiledField] = form.fields if form is not None else {}
        found: CompiledField | None = None
        for part in self._start(path)[1]:
            if form is not None and part in form.tables:
                fields, form, found = form.tables[part].fields, None, None
                continue
            found = fields.get(part)
            form = self.door.bundle.forms.get(target_of(found)) if found is not None else None
            fields = form.fields if form is not None else {}
        return found

    def consequences(self) -> tuple[str, ...]:
        """What the rule does, one sentence each."""
        return tuple(self._consequence(place, then) for place, then in enumerate(self.rule.definition.then))

    def lookups(self) -> tuple[str, ...]:
        """Its declared look-ups, one sentence each."""
        return tuple(self._lookup(name, one) for name, one in self.rule.definition.lookups.items())

    def remembering(self) -> tuple[str, ...]:
        """What it does once only, later, or not so soon again."""
        written = self.rule.definition
        said = [self.phrase("once")] if written.once else []
        if written.cooldown is not None:
            said.append(self.phrase("cooldown", hours=written.cooldown))
        said += [self.phrase("escalate", hours=one.hours, to=self.people(one.to)) for one in written.escalate]
        return tuple(said)

    def people(self, whom: Whom) -> str:
        """Whom a recipient means."""
        return self.joined([self._who(one) for one in listed(whom)])

    def title(self, text: str) -> str:
        """A text with holes, names in them as labels."""
        return HOLE.sub(lambda hole: "{" + self.text(hole.group(1), {}) + "}", text)

    def _consequence(self, place: int, then: Then) -> str:
        language = self.door.language
        key, params = self._done(then)
        said = self.phrase(f"then_{key}", **params)
        condition = self.rule.expressions.get(("then", place, "when"))
        if then.when is None:
            return said
        when = self.expression(condition) if condition is not None else then.when
        return self.phrase("then_when", when=when, then=said if language == "zh" else said[:1].lower() + said[1:])

    def _done(self, then: Then) -> tuple[str, dict[str, Any]]:
        language = self.door.language
        if then.reject is not None:
            return "reject", {"say": self.title(then.reject.say.text(language))}
        if then.warn is not None:
            return "warn_reason" if then.warn.reason else "warn", {"say": self.title(then.warn.say.text(language))}
        if then.set is not None:
            return "set", {"values": self._values(then.set)}
        if then.task is not None:
            title = self.title(then.task.title.text(language))
            to = self.people(then.task.to)
            hours = then.task.hours
            return ("task_hours", {"to": to, "title": title, "hours": hours}) if hours else (
                "task", {"to": to, "title": title}
            )  # fmt: skip
        if then.message is not None:
            return "message", {
                "to": self.people(then.message.to),
                "title": self.title(then.message.title.text(language)),
            }
        if then.start is not None:
            return "start", {"form": self.form(then.start.form), "action": self._action(then.start.action)}
        if then.create is not None:
            return "create", {"form": self.form(then.create.form), "action": self._action(then.create.action)}
        if then.update is not None:
            where = (
                self.path(tuple(then.update.link.split(".")))
                if then.update.link
                else self.form(then.update.form)
                if then.update.form
                else self.phrase("itself")
            )
            other = then.update.form or self._linked(then.update.link)
            return "update", {"what": where, "values": self._values(then.update.set, other) or "—"}
        if then.webhook is not None:
            outbound = self.door.bundle.app.webhooks.outbound.get(then.webhook.to)
            to = outbound.label.text(language) if outbound is not None else then.webhook.to
            return "webhook", {"to": to, "event": then.webhook.event}
        if then.flow is not None and then.flow.start is not None:
            flow = self.door.bundle.flows.get(then.flow.start)
            return "flow", {"flow": flow.definition.label.text(language) if flow is not None else then.flow.start}
        if then.flow is not None:
            return "signal", {"event": then.flow.event or ""}
        if then.tag is not None:
            return "tag", {"tag": then.tag.text(language)}
        if then.untag is not None:
            return "untag", {"tag": then.untag.text(language)}
        return "plugin", {"use": then.plugin.use if then.plugin is not None else ""}

    def _values(self, values: Mapping[str, str], form: str = "") -> str:
        said = []
        for path, text in values.items():
            other = self.door.bundle.forms.get(form)
            field = other.field(path) if other is not None else None
            name = field.label.text(self.door.language) if field is not None else self.path(tuple(path.split(".")))
            said.append(f"{name} = {self.text(text, {})}")
        return ("；" if self.door.language == "zh" else "; ").join(said)

    def _linked(self, link: str | None) -> str:
        field = self.field(tuple(link.split("."))) if link else None
        return target_of(field) if field is not None else ""

    def _lookup(self, name: str, lookup: Lookup) -> str:
        what = self.form(lookup.form) if lookup.form else self._ledger(lookup.ledger or "")
        taken = self.named("rules.take_", lookup.take)
        of = f" {lookup.of}" if lookup.of else ""
        return self.phrase("lookup", name=name, what=what, take=f"{taken}{of}", where=lookup.where)

    def _who(self, who: Who) -> str:
        language = self.door.language
        if who.role is not None:
            role = self.door.bundle.roles.get(who.role)
            return role.definition.label.text(language) if role is not None else who.role
        if who.member is not None:
            return self.joined([who.member] if isinstance(who.member, str) else list(who.member))
        if who.field is not None:
            return self.path(tuple(who.field.split(".")))
        if who.expression is not None:
            return self.text(who.expression, {})
        return self.named("rules.who_", who.given()[0])

    def _action(self, action: str) -> str:
        label = ACTION_LABELS.get(action)
        return label.text(self.door.language) if label is not None else self.named("action.", action)

    def _status(self, status: str) -> str:
        try:
            return STATUS_LABELS[DocStatus(status)].text(self.door.language)
        except (KeyError, ValueError):
            return status

    def _node(self, form: str, node: str) -> str:
        flow = self.door.bundle.workflows.get(form)
        step = flow.nodes.get(node) if flow is not None else None
        return step.label.text(self.door.language) if step is not None else node

    def _ledger(self, key: str) -> str:
        own = next((one for one in self.door.bundle.app.ledgers if one.ledger == key), None)
        return own.label.text(self.door.language) if own is not None else self.named("rules.ledger_", key)

    def _offsets(self, date: DateTrigger) -> str:
        units = (("day", date.days), ("hour", date.hours), ("minute", date.minutes))
        return self.joined([self._offset(unit, each) for unit, offsets in units for each in offsets])

    def _offset(self, unit: str, number: int) -> str:
        if number == 0:
            return self.phrase("offset_same_day" if unit == "day" else "offset_now")
        return self.phrase(f"offset_{unit}_{'before' if number < 0 else 'after'}", number=abs(number))

    def _own_form(self) -> CompiledForm | None:
        return self.door.bundle.forms.get(record_of(self.rule.definition, self.door.bundle.app))

    def _start(self, path: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """The word of a name that is no field, and the path that is left to follow in the rule's form."""
        top, rest = path[0], path[1:]
        if top == "app" and rest:
            option = self.door.bundle.app.options.get(rest[0])
            label = option.label.text(self.door.language) if option is not None else rest[0]
            word = re.split("[：:]", label)[0]  # what follows tells the choices
            return f"{self.phrase('name_app')}.{word}", ()
        if top in (ROW, OLD, LINE):
            return self.phrase(f"name_{top}"), rest
        own = self._own_form()
        if self.rule.definition.when.ledger == STOCK and top == "product" and own is not None:
            return own.label.text(self.door.language), rest
        if self.rule.definition.when.ledger and top != "product":
            return self.named("rules.name_", top), rest
        return "", path

    def _choices(self, checked: Checked) -> Mapping[str, str]:
        """Texts of the choices of every field the expression reads; a key with two meanings stays as it is."""
        found: dict[str, set[str]] = {}
        for path in checked.names:
            field = self.field(path)
            choices = getattr(field.options, "choices", None) if field is not None else None
            for key, label in (choices or {}).items():
                found.setdefault(key, set()).add(label.text(self.door.language))
        return {key: texts.pop() for key, texts in found.items() if len(texts) == 1}


def trigger_word(door: Door, trigger: str) -> str:
    """What woke a run, in a word: the action, the state reached, or the kind of trigger."""
    catalogue = door.house.catalogue
    if trigger in ACTION_LABELS:
        return ACTION_LABELS[trigger].text(door.language)
    key = f"rules.trigger_{trigger}"
    if catalogue.has(key):
        return catalogue.ui(key, door.language)
    try:
        return STATUS_LABELS[DocStatus(trigger)].text(door.language)
    except (KeyError, ValueError):
        return trigger
