"""Cross-reference checks of stories: people, forms, documents and fields a step speaks of exist by then."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from engine.actor import ADMIN_ROLE
from engine.definitions.app import AppSettings
from engine.definitions.file_kinds import STORIES
from engine.definitions.load import Loaded
from engine.definitions.process_checks import ledger_names
from engine.definitions.reading import Place
from engine.definitions.references import (
    complaint,
    header_names,
    is_table,
    tables_of,
    unknown,
    unknown_form,
    unknown_role,
)
from engine.definitions.story import Expect, StoryDef, StoryStep
from engine.definitions.system_fields import SETTLE_STATUS
from engine.problems import Problem

WAIT = re.compile(r"\d{1,4} (minutes?|hours?|days?)")
FILE = re.compile(r"[\w\-一-鿿][\w\-. 一-鿿]*")  # a file beside the story, no path
FIELD = "definition.unknown_field"
LINE_KEYS = ("id", "line_no", "source")


def stories_start_on_a_day(loaded: Loaded) -> Iterator[Problem]:
    """The date is a day of the calendar, and every person holds roles there are."""
    for key, story in loaded.stories.items():
        try:
            date.fromisoformat(story.date)
        except ValueError:
            yield complaint(loaded, _place(key, "date"), "definition.expected_date", value=story.date)
        for name, user in story.users.items():
            for index, role in enumerate(user.roles):
                yield from unknown_role(loaded, _place(key, "users", name, "roles", index), role)
        for form, records in story.given.items():
            place = _place(key, "given", form)
            if form not in loaded.forms:
                yield from unknown(loaded, place, "definition.unknown_form", form, loaded.forms, key=True)
                continue
            for index, record in enumerate(records):
                yield from _fields(loaded, place / index, form, record)


def story_steps_do_one_thing(loaded: Loaded) -> Iterator[Problem]:
    """A step creates, pushes, acts on a document, imports, waits, runs steps at once, or only expects."""
    for key, story in loaded.stories.items():
        for step, place in _steps(story.steps, _place(key, "steps")):
            verbs = [
                name
                for name, written in (
                    ("create", step.create),
                    ("push", step.push),
                    ("on", step.on),
                    ("import", step.import_),
                    ("close", step.close),
                    ("wait", step.wait),
                    ("at_once", step.at_once),
                )
                if written
            ]
            if len(verbs) > 1:
                yield complaint(loaded, place, "definition.one_verb", verbs="、".join(verbs))
            if not verbs and step.expect is None:
                yield complaint(loaded, place, "definition.no_verb")
            if step.wait and not WAIT.fullmatch(step.wait):
                yield complaint(loaded, place / "wait", "definition.bad_wait", value=step.wait)
            if (step.edit or step.delete) and step.on is None:
                at = place / ("edit" if step.edit else "delete")
                yield complaint(loaded, at, "definition.edit_without_document", key=True)


def story_people_are_known(loaded: Loaded) -> Iterator[Problem]:
    """Whoever does a step, or is expected to have tasks, is a person of the story or holds a role by that name."""
    for key, story in loaded.stories.items():
        people = (*story.users, *loaded.roles, ADMIN_ROLE)
        for step, place in _steps(story.steps, _place(key, "steps")):
            if step.as_:
                yield from unknown(loaded, place / "as", "definition.unknown_person", step.as_, people)
            expect = step.expect
            if expect is None:
                continue
            for part, told in (("tasks", expect.tasks), ("messages", expect.messages)):
                for index, each in enumerate(told):
                    at = place / "expect" / part / index / "user"
                    yield from unknown(loaded, at, "definition.unknown_person", each.user, people)


def story_settings_exist(loaded: Loaded) -> Iterator[Problem]:
    """A story changes company switches and options of the app there are."""
    options = loaded.app.options if loaded.app is not None else {}
    for key, story in loaded.stories.items():
        for name in story.settings:
            known = (*AppSettings.model_fields, *options)
            yield from unknown(loaded, _place(key, "settings"), "definition.unknown_setting", name, known)


def story_documents_exist(loaded: Loaded) -> Iterator[Problem]:
    """Steps speak of forms there are, and of documents an earlier step named."""
    for key, story in loaded.stories.items():
        yield from _documents(loaded, story, _place(key, "steps"))


def _documents(loaded: Loaded, story: StoryDef, place: Place) -> Iterator[Problem]:
    made: dict[str, str | None] = {}
    for step, at in _steps(story.steps, place):
        yield from unknown_form(loaded, at / "create", step.create)
        if step.push is not None:
            yield from unknown_form(loaded, at / "push" / "form", step.push.form)
            yield from _document(loaded, at / "push" / "source", step.push.source, made)
        if step.import_ is not None:
            yield from unknown_form(loaded, at / "import" / "form", step.import_.form)
            if not FILE.fullmatch(step.import_.file):
                yield complaint(loaded, at / "import" / "file", "definition.story_file", name=step.import_.file[:60])
        if step.on is not None:
            yield from _document(loaded, at / "on", step.on, made)
        form = step.create or (step.push.form if step.push else None) or (made.get(step.on) if step.on else None)
        provokes = step.expect is not None and bool(step.expect.errors)
        if form in loaded.forms and not provokes:  # a story may hand in nonsense to see it refused
            yield from _fields(loaded, at / "with", str(form), step.with_)
        if step.name:
            made[step.name] = form
        if step.expect is not None:
            yield from _expected(loaded, at / "expect", step.expect, made)


def _expected(loaded: Loaded, place: Place, expect: Expect, made: Mapping[str, str | None]) -> Iterator[Problem]:
    for index, expected in enumerate(expect.documents):
        at = place / "documents" / index
        yield from _document(loaded, at / "doc", expected.doc, made)
        form = loaded.forms.get(made.get(expected.doc) or "")
        if form is None:
            continue
        names = (*header_names(form), SETTLE_STATUS, *tables_of(form))
        for name in expected.fields:
            yield from unknown(loaded, at / "fields" / name, FIELD, name, names, key=True)
        yield from _rows(loaded, at / "lines", form.form, "", expected.lines)
    for index, entries in enumerate(expect.entries):
        at = place / "entries" / index
        yield from _document(loaded, at / "doc", entries.doc, made)
        yield from unknown(loaded, at / "ledger", "definition.unknown_ledger", entries.ledger, ledger_names(loaded))
    for index, balance in enumerate(expect.balances):
        at = place / "balances" / index / "ledger"
        yield from unknown(loaded, at, "definition.unknown_ledger", balance.ledger, ledger_names(loaded))
    for index, tagged in enumerate(expect.tags):
        at = place / "tags" / index / "form"
        yield from unknown(loaded, at, "definition.unknown_form", tagged.form, loaded.forms)
    for name in expect.count:
        yield from unknown(loaded, place / "count" / name, "definition.unknown_form", name, loaded.forms, key=True)


def _document(loaded: Loaded, place: Place, name: str, made: Collection[str]) -> Iterator[Problem]:
    if name:
        yield from unknown(loaded, place, "definition.unknown_document", name, made)


def _fields(loaded: Loaded, place: Place, form_key: str, written: Mapping[str, Any]) -> Iterator[Problem]:
    """Keys of field values: fields of the form and, for documents, the date."""
    form = loaded.forms[form_key]
    names = (*form.fields, "biz_date") if form.kind == "document" else tuple(form.fields)
    for name, value in written.items():
        yield from unknown(loaded, place / name, FIELD, name, names, key=True)
        field = form.fields.get(name)
        if field is not None and is_table(field) and isinstance(value, list):
            yield from _rows(loaded, place / name, form_key, name, value)


def _rows(loaded: Loaded, place: Place, form_key: str, table: str, rows: Iterable[Any]) -> Iterator[Problem]:
    """Keys of the rows of a table; of any table when none is named."""
    tables = tables_of(loaded.forms[form_key])
    known = {key for name, field in tables.items() if table in ("", name) for key in field.fields}
    for index, row in enumerate(rows):
        for name in row if isinstance(row, dict) else ():
            yield from unknown(loaded, place / index / name, FIELD, name, (*sorted(known), *LINE_KEYS), key=True)


def _steps(steps: tuple[StoryStep, ...], place: Place) -> Iterator[tuple[StoryStep, Place]]:
    """Steps in the order they are walked; those done at once follow their parent."""
    for index, step in enumerate(steps):
        yield step, place / index
        yield from _steps(step.at_once, place / index / "at_once")


def _place(story: str, *path: str | int) -> Place:
    return Place(STORIES, story, path)
