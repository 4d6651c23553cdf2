"""规则日志: what each run of a rule saw, decided and brought about. Administrators only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.definitions.compiled import CompiledField
from engine.definitions.compiled_rule import CompiledRule
from engine.effects import CreateTask, Notify, StartDocument, WriteDocuments
from engine.expressions import EvaluationFailed
from engine.expressions.types import Kind
from engine.problems import Refused, problem
from runtime.facade.cells import Names, target_of
from runtime.facade.door import Door
from runtime.facade.endpoints import administrator
from runtime.facade.rule_trace import StepView, trace
from runtime.facade.rule_words import Speaking, trigger_word
from runtime.jobs.attempt import problems_from_json, problems_kept
from runtime.messages.catalogue import shown
from runtime.ruling import again
from runtime.stages.steps import Unit
from runtime.storage import rule_figures, rule_runs
from runtime.storage.rule_figures import Followed
from runtime.storage.rule_runs import VERDICTS, RuleRun

MEMBER = "member"
REFUSED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run in the log.

    Attributes:
        form: of the record it was about; empty where there is no such record. record: as people call it.
        error: the first sentence of it.
    """

    id: int
    at: datetime
    rule: str
    label: str
    trigger: str
    form: str
    form_label: str
    document: int
    record: str
    who: str
    verdict: str
    error: str
    duration_us: int
    rerun_of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """A page of the log, newest first; ``next``: to ask for the following one with."""

    rows: tuple[RunRow, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """A value the rule read: its name in words, its path, the value as text."""

    label: str
    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectView:
    """What a run asked for and what became of it.

    Attributes:
        state: ``done``, ``waiting``, ``dead``; ``none`` when no trace is left; ``refused`` when it never came about.
        documents: made by it, as (form, id, name). deliveries: to the outside, as (id, channel, state).
    """

    kind: str
    title: str
    to: str
    state: str
    error: str
    documents: tuple[tuple[str, int, str], ...]
    deliveries: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run.

    Attributes:
        condition: in words. trace: how it came about on the facts of the run; empty where it cannot be told.
        sets: values it set. brought: what only the trigger knew. errors: sentence and hint each.
        chain: labels of the rules that led here.
        published: whether the rule is still in the app.
    """

    row: RunRow
    condition: str
    facts: tuple[FactView, ...]
    trace: tuple[StepView, ...]
    results: tuple[tuple[tuple[str, str], ...], ...]
    sets: tuple[tuple[str, str], ...]
    brought: tuple[tuple[str, str], ...]
    effects: tuple[EffectView, ...]
    errors: tuple[tuple[str, str], ...]
    chain: tuple[str, ...]
    reruns: tuple[RunRow, ...]
    published: bool


def run_page(
    door: Door,
    *,
    rule: str = "",
    verdict: str = "",
    form: str = "",
    first: date | None = None,
    last: date | None = None,
    after: int | None = None,
    limit: int = 50,
) -> RunPage:
    """A page of the log; from the day ``first`` to the day ``last``. Administrators only."""
    administrator(door)
    with door.reading() as unit:
        rows = rule_runs.latest(
            unit.connection,
            rule=rule,
            verdict=verdict if verdict in VERDICTS else "",
            form=form,
            since=_midnight(first),
            until=_midnight(last + timedelta(days=1)) if last is not None and last < date.max else None,
            after=after,
            limit=limit,
        )
        return RunPage(rows=run_rows(door, unit, rows), next=rows[-1].id if len(rows) == limit else None)


def run_view(door: Door, run: int) -> RunView:
    """One run. Administrators only.

    Raises:
        Refused: ``missing`` when there is none, or none any more.
    """
    administrator(door)
    with door.reading() as unit:
        found = rule_runs.get(unit.connection, run)
        if found is None:
            raise Refused([problem("rule.run_missing")], "missing")
        reruns = rule_figures.reruns_of(unit.connection, run, found.at)
        rule = _rule_then(door, found)
        words = Speaking(door=door, rule=rule) if rule is not None else None
        names = _names(door, unit, found, words)
        rows = run_rows(door, unit, (found, *reruns))
        effects = _effects(door, names, found, rule_figures.followed(unit.connection, found))
    read = dict(found.facts.get("read", {}))
    labels = door.bundle.rules
    return RunView(
        row=rows[0],
        condition=words.condition() if words is not None else "",
        facts=tuple(_fact(door, names, words, path, value) for path, value in read.items()),
        trace=trace(words, read, found.at) if words is not None else (),
        results=tuple(
            tuple((name, _text(door, each)) for name, each in one.items()) for one in found.facts.get("results", ())
        ),
        sets=tuple(_set(door, names, words, one) for one in found.facts.get("sets", ())),
        brought=tuple(_flat(door, found.facts.get("brought", {}))),
        effects=effects,
        errors=tuple(
            (text, hint or "")
            for text, hint in (door.house.catalogue.text(one, door.language) for one in problems_from_json(found.error))
        ),
        chain=tuple(labels[key].definition.label.text(door.language) if key in labels else key for key in found.chain),
        reruns=rows[1:],
        published=found.rule in labels,
    )


def run_again(door: Door, run: int) -> int:
    """Judge the rule of a run again on the record of today; the id of the new run. Administrators only.

    Raises:
        Refused: ``missing`` when run, rule or record are gone.
    """
    administrator(door)
    try:
        return again.run_again(door.house, door.workspace, door.actor, run)
    except EvaluationFailed as unreadable:
        raise Refused([unreadable.problem]) from unreadable


def run_rows(door: Door, unit: Unit, runs: Sequence[RuleRun]) -> tuple[RunRow, ...]:
    """Runs as rows; names of people and records with one query per form."""
    names = Names(door.language)
    for one in runs:
        if one.user:
            names.want_id(MEMBER, one.user)
        if one.document:
            names.want_id(one.form, one.document)
    names.load(unit)
    return tuple(_row(door, names, one) for one in runs)


def failure_words(door: Door, kept: str | None) -> str:
    """Why an effect failed, in the reader's language; empty when it did not."""
    return "".join(door.say(each) for each in problems_kept(kept)) if kept else ""


def verdict_words(door: Door) -> Mapping[str, str]:
    """The verdicts in words, for filters."""
    return {key: door.house.catalogue.ui(f"rules.verdict_{key}", door.language) for key in VERDICTS}


def _row(door: Door, names: Names, run: RuleRun) -> RunRow:
    rule, form = door.bundle.rules.get(run.rule), door.bundle.forms.get(run.form)
    problems = problems_from_json(run.error)
    record = names.name(run.form, run.document) if run.document else ""
    gone = record == f"#{run.document}"  # what `Names` calls a record that is not there
    return RunRow(
        id=run.id,
        at=run.at,
        rule=run.rule,
        label=rule.definition.label.text(door.language) if rule is not None else run.rule,
        trigger=trigger_word(door, run.trigger),
        form=run.form if form is not None and not gone else "",
        form_label=form.label.text(door.language) if form is not None else run.form,
        document=run.document,
        record=door.house.catalogue.ui("rules.record_gone", door.language) if gone else record,
        who=names.name(MEMBER, run.user) if run.user else door.house.catalogue.ui("rules.automation", door.language),
        verdict=run.verdict,
        error=door.say(problems[0]) if problems else "",
        duration_us=run.duration_us,
        rerun_of=run.rerun_of,
    )


def _rule_then(door: Door, run: RuleRun) -> CompiledRule | None:
    """The rule as it was when it ran."""
    if run.snapshot == door.bundle.hash:
        return door.bundle.rules.get(run.rule)
    context = door.house.context(door.workspace, door.published, door.actor)
    try:
        return context.bundle_of(run.snapshot).rules.get(run.rule)
    except Refused:
        return None


def _names(door: Door, unit: Unit, run: RuleRun, words: Speaking | None) -> Names:
    """Names of the records among the facts, and of the people in the effects."""
    names = Names(door.language)
    values = [(path, value) for path, value in run.facts.get("read", {}).items()]
    values += [(str(one["path"]), one["value"]) for one in run.facts.get("sets", ())]
    for path, value in values:
        target = _target(words, path)
        for each in value if isinstance(value, list | tuple) else (value,):
            if target and isinstance(each, int) and not isinstance(each, bool):
                names.want_id(target, each)
    for effect in run.effects:
        for user in _addressees(effect)[0]:
            names.want_id(MEMBER, user)
    return names.load(unit)


def _target(words: Speaking | None, path: str) -> str:
    if words is None:
        return ""
    field = words.field(tuple(path.split(".")))
    if field is not None:
        return target_of(field)
    found = words.rule.scope.names.get(path)
    if found is None:
        return ""
    return found.record if found.kind is Kind.LINK else MEMBER if found.kind is Kind.MEMBER else ""


def _fact(door: Door, names: Names, words: Speaking | None, path: str, value: object) -> FactView:
    parts = tuple(path.split("."))
    return FactView(
        label=words.path(parts) if words is not None else path,
        path=path,
        text=_named(door, names, words, path, value),
    )


def _named(door: Door, names: Names, words: Speaking | None, path: str, value: object) -> str:
    target = _target(words, path)
    field = words.field(tuple(path.split("."))) if words is not None else None
    if isinstance(value, list | tuple):
        texts = tuple(_one(door, names, target, field, each) for each in value)
        return shown(texts, door.language) if texts else "—"
    return _one(door, names, target, field, value)


def _one(door: Door, names: Names, target: str, field: CompiledField | None, value: object) -> str:
    if target and isinstance(value, int) and not isinstance(value, bool):
        return names.name(target, value)
    choices = getattr(field.options, "choices", None) if field is not None else None
    if choices and value in choices:
        return str(choices[value].text(door.language))
    return _text(door, value)


def _set(door: Door, names: Names, words: Speaking | None, one: Mapping[str, Any]) -> tuple[str, str]:
    path, line = str(one["path"]), int(one["line"])
    label = words.path(tuple(path.split("."))) if words is not None else path
    return f"{label} #{line + 1}" if line >= 0 else label, _named(door, names, words, path, one["value"])


def _text(door: Door, value: object) -> str:
    """A value of the log; numbers are kept as exact texts."""
    if isinstance(value, list | tuple):
        return shown(tuple(_text(door, each) for each in value), door.language) if value else "—"
    if isinstance(value, str):
        try:
            number = Decimal(value) if value[:1] in "-0123456789" else None
        except InvalidOperation:
            number = None
        plain = number is not None and number.is_finite() and not (value[:1] == "0" and value[1:2].isdigit())
        return shown(number, door.language) if plain else value or "—"
    return shown(value, door.language)


def _flat(door: Door, value: object, name: str = "") -> Iterable[tuple[str, str]]:
    """A message as rows: ``lines.1.code`` and what stands there."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _flat(door, each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value, start=1):
            yield from _flat(door, each, f"{name}.{number}")
    else:
        yield name, _text(door, value)


def _effects(door: Door, names: Names, run: RuleRun, became: Sequence[Followed | None]) -> tuple[EffectView, ...]:
    return tuple(
        _effect(door, names, effect, one, refused=run.verdict == REFUSED)
        for effect, one in zip(run.effects, became, strict=True)
    )


def _effect(
    door: Door, names: Names, effect: Mapping[str, Any], became: Followed | None, *, refused: bool
) -> EffectView:
    row = became.row if became is not None else None
    state = "refused" if refused else "none"
    if row is not None:
        state = "waiting" if row.done_at is None else "dead" if row.error else "done"
    users, roles = _addressees(effect)
    known = door.bundle.roles
    to = [names.name(MEMBER, one) for one in users]
    to += [known[one].definition.label.text(door.language) if one in known else one for one in roles]
    return EffectView(
        kind=door.house.catalogue.ui(f"rules.effect_{effect['kind']}", door.language),
        title=_title(door, effect),
        to=shown(tuple(to), door.language),
        state=state,
        error=failure_words(door, row.error) if row is not None else "",
        documents=became.documents if became is not None else (),
        deliveries=tuple((one.id, one.channel, one.state) for one in became.deliveries) if became is not None else (),
    )


def _addressees(effect: Mapping[str, Any]) -> tuple[Sequence[int], Sequence[str]]:
    to = effect.get("to") if effect["kind"] in (CreateTask.kind, Notify.kind) else None
    return (to["users"], to["roles"]) if isinstance(to, Mapping) else ((), ())


def _title(door: Door, effect: Mapping[str, Any]) -> str:
    """What an effect is about: its text, the form it makes, or the name it calls."""
    text = effect.get("title") or effect.get("tag")
    if isinstance(text, Mapping):
        return str((text.get("en") if door.language == "en" else "") or text["zh"])
    if effect["kind"] == WriteDocuments.kind:
        forms = dict.fromkeys(str(one["form"]) for one in effect["writes"])
        return shown(tuple(_form(door, one) for one in forms), door.language)
    if effect["kind"] == StartDocument.kind:
        return _form(door, str(effect["form"]))
    return " ".join(str(effect[name]) for name in ("to", "event", "use", "workflow") if effect.get(name))


def _form(door: Door, key: str) -> str:
    form = door.bundle.forms.get(key)
    return form.label.text(door.language) if form is not None else key


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day) if day is not None else None
