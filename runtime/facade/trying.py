"""试一下: a draft workflow or rule tried on a document, or over a past period, as an administrator sees it.

Nothing is written. Only administrators may try, and only on forms they may read: values of fields hidden from them are
not told, and a replay needs all rows of the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from engine.definitions.compiled import CompiledForm
from engine.labels import Label
from engine.permissions import is_administrator
from engine.problems import Problem, Refused, problem
from runtime.facade import documents
from runtime.facade.door import Door
from runtime.facade.trying_words import StepView, Words
from runtime.stages.steps import Unit
from runtime.storage import documents as document_rows
from runtime.storage import past_documents
from runtime.trying.drafts import Draft, unit_with
from runtime.trying.flow_trial import try_workflow
from runtime.trying.replay import PORTION, Differing, Period, Tally, portion
from runtime.trying.rule_trial import subject_of, try_rule

__all__ = ("Period", "Replayed", "StepView", "Tried", "choices", "replay", "replaying", "source", "try_draft")

MOST_DIGITS = 16
MOST_DOCUMENTS = 20_000
FOLDERS = ("workflows/", "rules/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The outcome of a try.

    Attributes:
        kind: ``workflow`` or ``rule``. number: of the document. red, warnings: what its author should know.
        outcome: of a rule, or how the run would end (``running`` where the try could not go on).
        steps: of a workflow; a rule has one. facts: values a rule has read, by path.
    """

    kind: str
    key: str
    label: str
    form: str
    document: int
    number: str
    outcome: str
    steps: tuple[StepView, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    red: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A document that would have gone another way."""

    document: int
    number: str
    day: date
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Approvals of one asker, or one outcome of a rule, before and after."""

    label: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The outcome of a replay, or how far it has come.

    Attributes:
        kind, key, label, form: of the definition. looked, differing, failed: documents.
        rows: the differences found in this part, at most as many as were asked for; ``more`` were left out.
        next: the id to go on behind; None when the period is done. sentences: the summary in words.
    """

    kind: str
    key: str
    label: str
    form: str
    looked: int
    differing: int
    failed: int
    counts: tuple[Count, ...]
    sentences: tuple[str, ...]
    rows: tuple[Changed, ...]
    more: int
    next: int | None
    red: tuple[Problem, ...] = ()


def choices(door: Door) -> tuple[tuple[str, str, str], ...]:
    """What can be taken as the start of a draft: (file, label, kind) of every published workflow and rule.

    Raises:
        Refused: ``forbidden`` for whoever is no administrator.
    """
    administrators_only(door)
    language = door.language
    flows = [(f"workflows/{key}.yaml", one.definition.label.text(language)) for key, one in door.bundle.flows.items()]
    rules = [(f"rules/{key}.yaml", one.definition.label.text(language)) for key, one in door.bundle.rules.items()]
    return (*((*one, "workflow") for one in flows), *((*one, "rule") for one in rules))


def source(door: Door, file: str) -> str:
    """The published text of a workflow or rule; empty for a file there is not.

    Raises:
        Refused: ``forbidden`` for whoever is no administrator.
    """
    administrators_only(door)
    return door.bundle.files.get(file, "") if file.startswith(FOLDERS) else ""


def try_draft(door: Door, text: str, document: str | int) -> Tried:
    """Try the draft on a document, by its id or number (records: by what they are looked up by).

    Raises:
        Refused: ``forbidden``, ``invalid`` with every mistake in the draft, ``missing`` for the document.
    """
    administrators_only(door)
    draft = door.house.drafts.of(door.bundle, text)
    with door.reading() as unit:
        inner = unit_with(unit, draft.bundle)
        subject = draft.form if draft.flow is not None or draft.rule is None else subject_of(inner, draft.rule)
        form = door.form(subject)
        identity = _found(unit, form, document)
        stored = documents.readable(door, unit, form, identity)
        words = Words(door, unit, draft)
        number = stored.number or f"#{identity}"
        if draft.rule is not None:
            trial = try_rule(inner, draft.rule, form.key, identity)
            step = words.rule_step(trial, draft.rule.definition.label)
            return _tried(draft, draft.rule.definition.label, words, form, identity, number, trial.outcome, (step,),
                          words.facts(trial.facts))  # fmt: skip
        assert draft.flow is not None
        steps = try_workflow(inner, draft, draft.flow, stored)
        words.load(steps)
        end = next((step.note for step in steps if step.kind == "end"), "running")
        views = tuple(words.step(step) for step in steps)
        return _tried(draft, draft.flow.definition.label, words, form, identity, number, end, views, {})


def replay(door: Door, text: str, period: Period, *, after: int = 0, limit: int = 2_000, rows: int = 200) -> Replayed:
    """Replay the draft over at most ``limit`` documents of the period, behind the id ``after``.

    Raises:
        Refused: ``forbidden``, ``invalid`` with every mistake in the draft.
    """
    *_, last = replaying(door, text, period, after=after, limit=limit, rows=rows)  # there is always a first portion
    return last


def replaying(
    door: Door, text: str, period: Period, *, after: int = 0, limit: int = MOST_DOCUMENTS, rows: int = 200
) -> Iterator[Replayed]:
    """As `replay`, told after every portion: the totals so far and all rows kept so far.

    Raises:
        Refused: as `replay`.
    """
    administrators_only(door)
    if period.last < period.first:
        raise Refused([problem("trying.period", "until")])
    draft = door.house.drafts.of(door.bundle, text)
    if not draft.form:
        raise Refused([problem("trying.no_past")])
    form = door.form(draft.form)
    rights = door.access(form).rows.get("read")
    if rights is None or not rights.everything:
        raise Refused([problem("trying.all_rows", form=form.label)], "forbidden")
    tally = Tally()
    kept: list[Differing] = []
    left = min(max(limit, 1), MOST_DOCUMENTS)
    place: int | None = after
    while place is not None:
        with door.reading() as unit:
            part = portion(unit, door.bundle, draft, period, tally, place, min(left, PORTION))
        kept += part.rows[: max(rows - len(kept), 0)]
        left -= min(left, PORTION)
        place = part.last
        yield _replayed(door, draft, tally, kept, place)
        if left <= 0:
            return


def administrators_only(door: Door) -> None:
    """Raises ``Refused`` (``forbidden``) for whoever is no administrator."""
    if not is_administrator(door.actor):
        raise Refused([problem("trying.administrators_only")], "forbidden")


def _tried(
    draft: Draft,
    label: Label,
    words: Words,
    form: CompiledForm,
    document: int,
    number: str,
    outcome: str,
    steps: tuple[StepView, ...],
    facts: Mapping[str, str],
) -> Tried:
    return Tried(
        kind="workflow" if draft.flow is not None else "rule",
        key=draft.key,
        label=label.text(words.language),
        form=form.key,
        document=document,
        number=number,
        outcome=outcome,
        steps=steps,
        facts=facts,
        red=draft.red,
        warnings=draft.warnings,
    )


def _found(unit: Unit, form: CompiledForm, document: str | int) -> int:
    """The id of a document named by its number, its id (``7``, ``#7``) or, if only one fits, what it is looked up by.

    What is not there is 0; whether the person may read it is asked by the caller.
    """
    text = str(document).strip()
    named = past_documents.numbered(unit.connection, unit.tables, form.key, text) if text else None
    if named is not None:
        return named
    plain = text.removeprefix("#")
    if plain.isascii() and plain.isdigit() and len(plain) < MOST_DIGITS:
        return int(plain)
    matches = document_rows.look_up(unit.connection, unit.tables, form.key, text, limit=2) if text else []
    return matches[0].id if len(matches) == 1 else 0


def _replayed(door: Door, draft: Draft, tally: Tally, kept: list[Differing], place: int | None) -> Replayed:
    definition = draft.flow.definition if draft.flow is not None else draft.rule.definition if draft.rule else None
    assert definition is not None
    language = door.language
    keys = [key for key in tally.labels if tally.before[key] or tally.after[key]]
    counts = tuple(
        Count(label=tally.labels[key].text(language), before=tally.before[key], after=tally.after[key]) for key in keys
    )
    kind = "workflow" if draft.flow is not None else "rule"
    return Replayed(
        kind=kind,
        key=draft.key,
        label=definition.label.text(language),
        form=draft.form,
        looked=tally.looked,
        differing=tally.differing,
        failed=tally.failed,
        counts=counts,
        sentences=tuple(_sentence(door, kind, one) for one in counts),
        rows=tuple(
            Changed(
                document=one.document,
                number=one.number,
                day=one.day,
                before=_way(door, kind, one.before),
                after=_way(door, kind, one.after),
            )
            for one in kept
        ),
        more=tally.differing - len(kept),
        next=place,
        red=draft.red,
    )


def _sentence(door: Door, kind: str, one: Count) -> str:
    word = "spared" if one.after < one.before else "more" if one.after > one.before else "same"
    return door.house.catalogue.ui(
        f"trying.{kind}_{word}",
        door.language,
        who=one.label,
        less=abs(one.before - one.after),
        before=one.before,
        after=one.after,
    )


def _way(door: Door, kind: str, labels: Iterable[Label]) -> str:
    told = " → ".join(label.text(door.language) for label in labels)
    return told or door.house.catalogue.ui(f"trying.{kind}_nothing", door.language)
