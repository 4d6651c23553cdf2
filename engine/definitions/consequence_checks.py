"""Cross-reference checks of what follows from rules: one consequence each, and everything they name exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.actor import AUTOMATION_ROLE
from engine.definitions.action_rules import consequential
from engine.definitions.file_kinds import RULES
from engine.definitions.form import FieldDef, FormDef
from engine.definitions.load import Loaded
from engine.definitions.people import Who, Whom, listed
from engine.definitions.reading import Place
from engine.definitions.references import (
    DOCUMENT,
    NO_SUCH_ACTION,
    actions_of,
    complaint,
    field_paths,
    tables_of,
    unknown,
    unknown_form,
    unknown_role,
)
from engine.definitions.rule import Create, RuleDef, Start, Then, Update
from engine.definitions.rule_checks import unknown_list
from engine.definitions.rule_scopes import INSIDE, STOCK, trigger_of
from engine.definitions.system_fields import SYSTEM_TYPES
from engine.expressions.types import Kind
from engine.fieldtypes.link import LinkOptions
from engine.problems import Problem

CONSEQUENCES = tuple(name for name in Then.model_fields if name != "when")
IN_ACTION = ("reject", "warn", "set")
OF_A_RECORD = ("start", "flow", "tag", "untag")


def consequences_are_single(loaded: Loaded) -> Iterator[Problem]:
    """Each ``then`` has one consequence, and a rule has at least one."""
    for key, rule in loaded.rules.items():
        place = Place(RULES, key, ("then",))
        if not rule.then:
            yield complaint(loaded, place, "definition.rule_without_consequence", key=True)
        for index, then in enumerate(rule.then):
            if len(_given(then)) != 1:
                yield complaint(loaded, place / index, "definition.one_consequence")


def consequences_have_their_place(loaded: Loaded) -> Iterator[Problem]:
    """Only an action can be refused or changed; only a record can be tagged, followed up or walk a workflow."""
    for key, rule in loaded.rules.items():
        trigger = trigger_of(rule.when)
        about = rule.when.form is not None or rule.when.ledger == STOCK
        for index, then in enumerate(rule.then):
            place = Place(RULES, key, ("then", index))
            for name in _given(then):
                if name in IN_ACTION and trigger not in INSIDE:
                    yield complaint(loaded, place / name, "definition.reject_without_action", key=True, name=name)
                needs_document = name in ("start", "flow") and rule.when.form is None
                if needs_document or (name in OF_A_RECORD and not about):
                    yield complaint(loaded, place / name, "definition.no_record", key=True, name=name)


def consequences_reach_somebody(loaded: Loaded) -> Iterator[Problem]:
    """Recipients exist and can be found."""
    for rule, at in consequential(loaded):
        for index, then in enumerate(rule.then):
            place = at / "then" / index
            for name, told in (("task", then.task), ("message", then.message)):
                if told is not None:
                    yield from _recipients(loaded, place / name / "to", rule, told.to)
        for number, step in enumerate(rule.escalate):
            place = at / "escalate" / number
            yield from _recipients(loaded, place / "to", rule, step.to)
        if rule.escalate and not any(then.task for then in rule.then):
            yield complaint(loaded, at / "escalate", "definition.escalate_without_task", key=True)


def consequences_name_what_exists(loaded: Loaded) -> Iterator[Problem]:
    """Forms, fields, workflows and outbound addresses a consequence names exist; whoever writes needs a role."""
    for rule, written in consequential(loaded):
        form = loaded.forms.get(rule.when.form or "")
        for index, then in enumerate(rule.then):
            place = written / "then" / index
            for name, said in (("reject", then.reject), ("warn", then.warn)):
                if said is not None and said.at and form is not None:
                    at = place / name / "at"
                    yield from unknown(loaded, at, "definition.unknown_field", said.at, field_paths(form))
            if then.set is not None and form is not None:
                yield from _fields(loaded, place / "set", then.set, dict(_paths(form)))
            if then.start is not None:
                yield from _start(loaded, place / "start", rule, then.start)
            if then.create is not None:
                yield from _create(loaded, place / "create", rule, then.create)
            if then.update is not None:
                yield from _update(loaded, place / "update", rule, then.update)
            if {"start", "create", "update"} & set(_given(then)) and AUTOMATION_ROLE not in loaded.roles:
                name = _given(then)[0]
                yield complaint(loaded, place / name, "definition.automation_role", key=True, role=AUTOMATION_ROLE)
            yield from _sent(loaded, place, rule, then)


def _given(then: Then) -> tuple[str, ...]:
    return tuple(name for name in CONSEQUENCES if getattr(then, name) is not None)


def _recipients(loaded: Loaded, place: Place, rule: RuleDef, whom: Whom) -> Iterator[Problem]:
    for number, to in enumerate(listed(whom)):
        yield from _recipient(loaded, place / number if isinstance(whom, tuple) else place, rule, to)


def _recipient(loaded: Loaded, place: Place, rule: RuleDef, to: Who) -> Iterator[Problem]:
    if len(to.given()) != 1:
        yield complaint(loaded, place, "definition.one_recipient", key=True)
    if to.chosen is not None:
        yield complaint(loaded, place / "chosen", "definition.chosen_by_nobody", key=True)
    yield from unknown_role(loaded, place / "role", to.role)
    yield from unknown_role(loaded, place / "supervisors_up_to", to.supervisors_up_to)
    if to.field is not None:
        product = loaded.app.dimensions.product if loaded.app is not None else None
        form = loaded.forms.get((product if rule.when.ledger else rule.when.form) or "")
        name = to.field.removeprefix("product.") if rule.when.ledger else to.field
        yield from _member(loaded, place / "field", form, name)


def _member(loaded: Loaded, place: Place, form: FormDef | None, path: str) -> Iterator[Problem]:
    """A problem when ``path`` does not lead to a member, through links if need be."""
    step, _, below = path.partition(".")
    if form is None:
        return
    if below:
        links = {key: field.options.to for key, field in form.fields.items() if isinstance(field.options, LinkOptions)}
        yield from unknown(loaded, place, "definition.unknown_field", step, links)
        yield from _member(loaded, place, loaded.forms.get(links.get(step, "")), below)
        return
    members = [key for key, field in form.fields.items() if field.type == "member"]
    members += [key for key, kind in SYSTEM_TYPES.items() if kind.kind is Kind.MEMBER]
    if step not in members:
        code = "definition.not_a_member" if step in form.fields else "definition.unknown_field"
        yield from unknown(loaded, place, code, step, members)


def _start(loaded: Loaded, place: Place, rule: RuleDef, start: Start) -> Iterator[Problem]:
    yield from unknown_form(loaded, place / "form", start.form, DOCUMENT)
    target = loaded.forms.get(start.form)
    pairs = {(source.from_, source.variant) for source in target.sources} if target else set()
    if target is not None and (rule.when.form or "", start.variant) not in pairs:
        yield complaint(loaded, place / "form", "definition.start_without_source", name=start.form)


def _create(loaded: Loaded, place: Place, rule: RuleDef, create: Create) -> Iterator[Problem]:
    yield from unknown_form(loaded, place / "form", create.form)
    form = loaded.forms.get(create.form)
    if create.each is not None:
        yield from unknown_list(loaded, place / "each", rule, create.each)
    if form is None:
        return
    yield from _fields(loaded, place / "set", create.set, _header(form))
    tables = tables_of(form)
    for table, written in create.lines.items():
        at = place / "lines" / table
        yield from unknown(loaded, at, "definition.unknown_list", table, tables, key=True)
        if table in tables:
            yield from _fields(loaded, at, written, tables[table].fields)
    if create.action != "save" and form.kind != DOCUMENT:
        at = place / "action"
        yield complaint(loaded, at, NO_SUCH_ACTION[form.kind], name=create.action, form=form.label)


def _update(loaded: Loaded, place: Place, rule: RuleDef, update: Update) -> Iterator[Problem]:
    product = loaded.app.dimensions.product if loaded.app is not None else None
    own = loaded.forms.get((product if rule.when.ledger == STOCK else rule.when.form) or "")
    form = own
    if update.form is not None:
        yield from unknown_form(loaded, place / "form", update.form)
        form = loaded.forms.get(update.form)
    elif update.link is not None and own is not None:
        links = {key: field.options.to for key, field in own.fields.items() if isinstance(field.options, LinkOptions)}
        yield from unknown(loaded, place / "link", "definition.unknown_field", update.link, links)
        form = loaded.forms.get(links.get(update.link, ""))
    elif own is None:
        yield complaint(loaded, place, "definition.no_record", key=True, name="update")
    if (update.form is not None and update.link is not None) or ((update.form is None) != (update.where is None)):
        yield complaint(loaded, place, "definition.update_target", key=True)
    if form is None:
        return
    yield from _fields(loaded, place / "set", update.set, _header(form))
    if update.action != "save" and update.action not in actions_of(form.kind):
        at = place / "action"
        yield complaint(loaded, at, NO_SUCH_ACTION[form.kind], name=update.action, form=form.label)


def _sent(loaded: Loaded, place: Place, rule: RuleDef, then: Then) -> Iterator[Problem]:
    if then.webhook is not None and loaded.app is not None:
        outbound = loaded.app.webhooks.outbound
        at = place / "webhook"
        yield from unknown(loaded, at / "to", "definition.unknown_webhook", then.webhook.to, outbound)
        if then.webhook.to in outbound:
            events = outbound[then.webhook.to].events
            yield from unknown(loaded, at / "event", "definition.unknown_event", then.webhook.event, events)
    if then.flow is not None:
        if (then.flow.start is None) == (then.flow.event is None):
            yield complaint(loaded, place / "flow", "definition.flow_signal", key=True)
        if then.flow.start is not None:
            known = [key for key, flow in loaded.workflows.items() if flow.form == rule.when.form]
            yield from unknown(loaded, place / "flow" / "start", "definition.rule_workflow", then.flow.start, known)


def _fields(
    loaded: Loaded, place: Place, written: Mapping[str, str], fields: Mapping[str, FieldDef]
) -> Iterator[Problem]:
    """Fields a rule writes exist and are not computed."""
    for name in written:
        yield from unknown(loaded, place / name, "definition.unknown_field", name, fields, key=True)
        if name in fields and fields[name].formula is not None:
            yield complaint(loaded, place / name, "definition.set_computed", key=True, name=name)


def _header(form: FormDef) -> dict[str, FieldDef]:
    return {key: field for key, field in form.fields.items() if key not in tables_of(form)}


def _paths(form: FormDef) -> Iterator[tuple[str, FieldDef]]:
    yield from _header(form).items()
    for table, field in tables_of(form).items():
        yield from ((f"{table}.{column}", each) for column, each in field.fields.items())
