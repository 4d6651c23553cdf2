"""Cross-reference checks of rules."""

from __future__ import annotations

from collections.abc import Iterator

from engine.actor import AUTOMATION_ROLE
from engine.definitions.file_kinds import RULES
from engine.definitions.load import Loaded
from engine.definitions.people import Who, listed
from engine.definitions.process_checks import member_field
from engine.definitions.reading import Place
from engine.definitions.references import (
    DOCUMENT,
    NO_SUCH_ACTION,
    actions_of,
    complaint,
    field_paths,
    unknown,
    unknown_form,
    unknown_role,
)
from engine.definitions.rule import RuleDef, Start
from engine.problems import Problem


def rules_have_one_trigger(loaded: Loaded) -> Iterator[Problem]:
    """A rule wakes either on actions of a form or on a ledger; the actions exist for the form's kind."""
    for key, rule in loaded.rules.items():
        place = Place(RULES, key, ("when",))
        when = rule.when
        if (when.form is None) == (when.ledger is None):
            yield complaint(loaded, place, "definition.one_trigger", key=True)
        if (when.form is None) == bool(when.on):
            yield complaint(loaded, place, "definition.trigger_actions", key=True)
        yield from unknown_form(loaded, place / "form", when.form)
        form = loaded.forms.get(when.form or "")
        for index, action in enumerate(when.on if form is not None else ()):
            if form is not None and action not in actions_of(form.kind):
                at = place / "on" / index
                yield complaint(loaded, at, NO_SUCH_ACTION[form.kind], name=action, form=form.label)
        if when.ledger is not None and loaded.app is not None and loaded.app.dimensions.product is None:
            yield complaint(loaded, place / "ledger", "definition.dimension_form", dimension="product")


def consequences_are_single(loaded: Loaded) -> Iterator[Problem]:
    """Each ``then`` has one consequence, and a rule has at least one."""
    for key, rule in loaded.rules.items():
        place = Place(RULES, key, ("then",))
        if not rule.then:
            yield complaint(loaded, place, "definition.rule_without_consequence", key=True)
        for index, then in enumerate(rule.then):
            given = [each for each in (then.task, then.message, then.start, then.reject) if each is not None]
            if len(given) != 1:
                yield complaint(loaded, place / index, "definition.one_consequence")


def consequences_reach_somebody(loaded: Loaded) -> Iterator[Problem]:
    """Recipients exist; a refusal needs an action to refuse; a follow-up needs a push-down and a role to act in."""
    for key, rule in loaded.rules.items():
        for index, then in enumerate(rule.then):
            place = Place(RULES, key, ("then", index))
            for name, told in (("task", then.task), ("message", then.message)):
                if told is not None:
                    for number, to in enumerate(listed(told.to)):
                        at = place / name / "to" / number if isinstance(told.to, tuple) else place / name / "to"
                        yield from _recipient(loaded, at, rule, to)
            if then.reject is not None and rule.when.form is None:
                yield complaint(loaded, place / "reject", "definition.reject_without_action", key=True)
            form = loaded.forms.get(rule.when.form or "")
            if then.reject is not None and then.reject.at and form is not None:
                at = place / "reject" / "at"
                yield from unknown(loaded, at, "definition.unknown_field", then.reject.at, field_paths(form))
            if then.start is not None:
                yield from _start(loaded, place / "start", rule, then.start)


def _recipient(loaded: Loaded, place: Place, rule: RuleDef, to: Who) -> Iterator[Problem]:
    if len(to.given()) != 1:
        yield complaint(loaded, place, "definition.one_recipient", key=True)
    yield from unknown_role(loaded, place / "role", to.role)
    if to.field is not None:
        product = loaded.app.dimensions.product if loaded.app is not None else None
        form = rule.when.form or product or ""
        name = to.field.removeprefix("product.") if rule.when.ledger else to.field
        yield from member_field(loaded, place / "field", form, name)


def _start(loaded: Loaded, place: Place, rule: RuleDef, start: Start) -> Iterator[Problem]:
    yield from unknown_form(loaded, place / "form", start.form, DOCUMENT)
    target = loaded.forms.get(start.form)
    pairs = {(source.from_, source.variant) for source in target.sources} if target else set()
    if target is not None and (rule.when.form or "", start.variant) not in pairs:
        yield complaint(loaded, place / "form", "definition.start_without_source", name=start.form)
    if AUTOMATION_ROLE not in loaded.roles:
        yield complaint(loaded, place, "definition.automation_role", key=True, role=AUTOMATION_ROLE)
