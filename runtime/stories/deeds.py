"""What a step does: the people of the story act through the facade, exactly as pages and the API do.

A refusal is not an exception here but an outcome to compare; anything else that goes wrong is a fault of the product
and is let through.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from engine.definitions.compiled import CompiledForm
from engine.definitions.story import StoryClose, StoryStep
from engine.forms.draft import Patch
from engine.problems import Problem, Refused, Severity, problem
from runtime.facade import closings, documents, lists, workplaces
from runtime.facade.door import Door
from runtime.stages.steps import Command, Outcome
from runtime.stories.clock import waited
from runtime.stories.imports import run_import
from runtime.stories.theatre import Performance

HOUR, HALF_DAY, LONG = timedelta(hours=1), timedelta(hours=12), timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What came of a step: nothing wrong, or why it was refused; and what the product said besides."""

    problems: tuple[Problem, ...] = ()
    said: tuple[Problem, ...] = ()


def do(performance: Performance, step: StoryStep) -> Deed:
    """Carry out a single step (not ``at_once``)."""
    try:
        if step.wait:
            _wait(performance, waited(step.wait))
            return Deed()
        if step.close is not None:
            _close(performance, step, step.close)
            return Deed()
        if step.import_ is not None:
            return _imported(run_import(performance, performance.door(step.as_), step.import_))
        outcome = _act(performance, step)
    except Refused as refused:
        return Deed(problems=refused.problems)
    if outcome is None:
        return Deed()
    if step.name:
        performance.made[step.name] = (outcome.form, outcome.document)
    return Deed(said=(*outcome.warnings, *outcome.did))


def do_at_once(performance: Performance, steps: tuple[StoryStep, ...]) -> tuple[Deed, ...]:
    """Carry out steps in as many threads, all starting at the same moment; deeds in the order written.

    Raises whatever a thread raised that was not a refusal.
    """
    start = threading.Barrier(len(steps))
    deeds: dict[int, Deed] = {}
    faults: list[BaseException] = []

    def run(index: int, step: StoryStep) -> None:
        try:
            start.wait(30)
            deeds[index] = do(performance, step)
        except BaseException as fault:  # handed to the thread that waits
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(index, step)) for index, step in enumerate(steps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return tuple(deeds[index] for index in range(len(steps)))


def give(performance: Performance) -> None:
    """Create the records the story is given: masters as they are, documents approved in one go.

    Raises:
        Refused: the record cannot be created.
    """
    door = performance.director
    for form_key, records in performance.story.given.items():
        form = door.form(form_key)
        auto = form.definition.auto_approve
        action = "save" if form.is_master else "submit" if auto else "approve"
        for record in records:
            patch = documents.patch_from_json(form, record)
            documents.submit(door, Command(form=form_key, action=action, patch=patch, confirmed=True))
    for name, user in performance.story.users.items():
        if user.warehouse is not None:
            workplaces.assign(door, performance.people[name], user.warehouse)
    performance.jobs.drain()


def _close(performance: Performance, step: StoryStep, wanted: StoryClose) -> None:
    """Close a period, or reopen the latest one that is closed through that day."""
    door, warehouse = performance.door(step.as_), 0
    if wanted.warehouse is not None:
        form = door.bundle.app.dimensions.warehouse or ""
        found = lists.look_up(performance.director, form, wanted.warehouse)
        warehouse = found[0].id if found else -1
    if not wanted.reopen:
        closings.close(door, wanted.through, warehouse)
        return
    rows = closings.overview(performance.director).rows
    mine = [one for one in rows if f"{one.through}".startswith(wanted.through) and one.warehouse == warehouse]
    closings.reopen(door, next((one.id for one in mine if one.reopened_at is None), 0), step.reason)


def _imported(found: tuple[Problem, ...]) -> Deed:
    """Rows that were refused are what went wrong; warnings are only said."""
    return Deed(
        problems=tuple(one for one in found if one.severity is Severity.ERROR),
        said=tuple(one for one in found if one.severity is Severity.WARNING),
    )


def _act(performance: Performance, step: StoryStep) -> Outcome | None:
    action = "delete" if step.delete else step.do or "save"
    door = performance.door(step.as_)
    if step.create is not None:
        form = _form(door, step.create)
        patch = documents.patch_from_json(form, step.with_)
        return _submit(door, step, Command(form=form.key, action=action, patch=patch))
    if step.push is not None:
        form = _form(door, step.push.form)
        source_form, source = _known(performance, step.push.source)
        return documents.push(
            door,
            source_form,
            source,
            form.key,
            step.push.variant,
            overrides=documents.patch_from_json(form, step.with_),
            action=action,
            reason=step.reason,
            confirmed=True,
        )
    if step.on is not None:
        form_key, document = _known(performance, step.on)
        changed: Patch | None = None
        if step.edit or step.with_:
            changed = _edited(performance, form_key, document, step.with_)
        return _submit(door, step, Command(form=form_key, action=action, document=document, patch=changed))
    return None


def _submit(door: Door, step: StoryStep, command: Command) -> Outcome:
    return documents.submit(door, replace(command, reason=step.reason, confirmed=True))


def _form(door: Door, key: str) -> CompiledForm:
    """The form, whoever asks: what a person may not do with it is for the submission to say."""
    form = door.bundle.forms.get(key)
    return door.form(key) if form is None else form


def _known(performance: Performance, name: str) -> tuple[str, int]:
    made = performance.made.get(name)
    if made is None:
        raise Refused([problem("story.not_made", name, document=name)], "missing")
    return made


def _edited(performance: Performance, form_key: str, document: int, written: Mapping[str, Any]) -> Patch:
    """The patch of an edit: the n-th row of a table changes the n-th line; rows beyond the last line are new."""
    director = performance.director
    form = director.form(form_key)
    patch = documents.patch_from_json(form, written)
    if not patch.lines:
        return patch
    view = documents.read(director, form_key, document)
    return replace(
        patch,
        lines={
            table: tuple(
                replace(row, id=stored[index].id) if index < len(stored) else row for index, row in enumerate(rows)
            )
            for table, rows in patch.lines.items()
            for stored in (view.lines.get(table, ()),)
        },
    )


def _wait(performance: Performance, span: timedelta) -> None:
    """Let time pass hour by hour, so that what is due in between happens in its time; long waits by half days."""
    left, longest = span, HOUR if span <= LONG else HALF_DAY
    performance.wake()
    while left:
        step = min(left, longest)
        performance.clock.advance(step)
        left -= step
        performance.wake()
