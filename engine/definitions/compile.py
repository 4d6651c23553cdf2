"""Definitions → ``AppBundle``: names resolved, every expression parsed and type-checked, indexes built.

What comes out needs no further reading: nothing is parsed per request. All problems of all expressions are returned at
once. References between definitions are judged in ``checks``; here a dangling one merely leaves its part out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType
from typing import TypeVar

from engine.definitions.app import AppDef
from engine.definitions.compile_calendar import compile_calendar
from engine.definitions.compile_form import compile_form
from engine.definitions.compile_process import (
    compile_posting,
    compile_role,
    dimension_types,
)
from engine.definitions.compile_rule import compile_rule
from engine.definitions.compile_workflow import compile_workflows
from engine.definitions.compiled import (
    AppBundle,
    CompiledForm,
    CompiledPosting,
    CompiledSource,
    CompiledWorkflow,
)
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.file_kinds import APP
from engine.definitions.form_links import LinkBook, Links, book_form, book_processes, trails
from engine.definitions.load import Loaded
from engine.definitions.reading import Place, Reading
from engine.definitions.scopes import Scopes, scopes_of
from engine.expressions import Checked
from engine.expressions.types import BOOLEAN
from engine.kinds import Kinds
from engine.problems import Problem

Value = TypeVar("Value")


def compile_bundle(loaded: Loaded, kinds: Kinds) -> AppBundle | tuple[Problem, ...]:
    """Compile sound definitions. Returns the bundle, or every problem with an expression.

    Args:
        loaded: must have an app and no errors.
    """
    app = loaded.app
    if app is None:
        return loaded.problems
    reading = Reading(loaded, kinds)
    scopes = scopes_of(app, loaded.forms, kinds)
    forms = {key: compile_form(form, scopes, reading) for key, form in loaded.forms.items()}
    workflows = compile_workflows(loaded.workflows, scopes, reading)
    calendars = {key: compile_calendar(each) for key, each in loaded.calendars.items()}
    dimensions = dimension_types(app.dimensions.model_dump(), scopes)
    postings = _present(
        {key: compile_posting(each, scopes, dimensions, reading) for key, each in loaded.postings.items()}
    )
    rules = _present({key: compile_rule(each, scopes, reading) for key, each in loaded.rules.items()})
    roles = {key: compile_role(each, scopes, reading) for key, each in loaded.roles.items()}
    cards = _cards(app, scopes, reading)
    if reading.problems:
        return tuple(reading.problems)
    book = LinkBook(scopes)
    for form in forms.values():
        book_form(book, form)
    book_processes(book, workflows.values(), postings.values(), rules.values(), roles.values())
    linked = {key: _with_links(form, book.links(key), forms) for key, form in forms.items()}
    return AppBundle(
        hash=content_hash(loaded),
        app=app,
        kinds=kinds,
        files=loaded.files,
        forms=MappingProxyType(linked),
        workflows=_started_by(workflows.values(), "submit"),
        change_workflows=_started_by(workflows.values(), "change"),
        flows=MappingProxyType(workflows),
        calendars=MappingProxyType(calendars),
        calendar=calendars.get(app.calendar or ""),
        postings=_postings(postings.values()),
        rules=MappingProxyType(rules),
        rules_by_form=_rules_by_form(rules.values()),
        ledger_rules=tuple(rule for rule in rules.values() if rule.definition.when.ledger),
        roles=MappingProxyType(roles),
        vouchers=loaded.vouchers,
        stories=loaded.stories,
        cards=cards,
        targets=_targets(linked),
    )


def _with_links(form: CompiledForm, links: Links, forms: Mapping[str, CompiledForm]) -> CompiledForm:
    return replace(form, links=links, trails=trails(form, links, forms))


def content_hash(loaded: Loaded) -> str:
    """sha256 over the canonical JSON of all definitions; comments and layout of the files do not count."""
    trees = {path: node.tree for path, node in sorted(loaded.nodes.items())}
    canonical = json.dumps(trees, ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


def _cards(app: AppDef, scopes: Scopes, reading: Reading) -> tuple[Checked, ...]:
    place = Place(APP, app.app, ("cards",))
    read = (
        reading.expression(card.where, scopes.header(card.form), place / index / "where", BOOLEAN)
        for index, card in enumerate(app.cards)
        if scopes.has_form(card.form)
    )
    return tuple(card for card in read if card is not None)


def _present(read: Mapping[str, Value | None]) -> dict[str, Value]:
    return {key: each for key, each in read.items() if each is not None}


def _started_by(workflows: Iterable[CompiledWorkflow], start: str) -> Mapping[str, CompiledWorkflow]:
    return MappingProxyType({each.definition.form: each for each in workflows if each.definition.start == start})


def _postings(postings: Iterable[CompiledPosting]) -> Mapping[str, tuple[CompiledPosting, ...]]:
    found: dict[str, tuple[CompiledPosting, ...]] = {}
    for posting in postings:
        found[posting.definition.form] = (*found.get(posting.definition.form, ()), posting)
    return MappingProxyType(found)


def _rules_by_form(rules: Iterable[CompiledRule]) -> Mapping[str, tuple[CompiledRule, ...]]:
    found: dict[str, tuple[CompiledRule, ...]] = {}
    for rule in rules:
        form = rule.definition.when.form
        if form is not None:
            found[form] = (*found.get(form, ()), rule)
    return MappingProxyType(found)


def _targets(forms: Mapping[str, CompiledForm]) -> Mapping[str, tuple[CompiledSource, ...]]:
    found: dict[str, tuple[CompiledSource, ...]] = {}
    for form in forms.values():
        for source in form.sources:
            upstream = source.definition.from_
            found[upstream] = (*found.get(upstream, ()), source)
    return MappingProxyType(found)
