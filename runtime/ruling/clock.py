"""Rules the clock wakes: schedules (cron, plain words) and dates that come near or have passed.

Every minute each worker looks which rules of which workspace are due, and hands over one job for each under an id that
names the moment; so any number of workers do it once. What has been looked at is remembered in ``sys_rule_mark`` by
the job itself, so neither a restart nor a corrected clock loses a moment or repeats one. A schedule that came several
times while nobody worked is made up for once, for its latest moment; dates are made up for one by one. Rules on dates
for which no record has come are most of them most minutes: they are noted together, and no job is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import TypeVar

import structlog

from engine.definitions.compiled import CompiledForm
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.system_fields import SYSTEM_TYPES
from engine.expressions import EvaluationFailed
from engine.expressions.types import Kind
from engine.problems import Refused
from engine.rules.dates import DateWindow, date_key, windows
from engine.rules.facts import offset_names, plain_facts
from engine.rules.triggers import DateCame, Scheduled
from runtime.house import House
from runtime.jobs.attempt import reason
from runtime.jobs.contract import Handler, JobContext, Jobs, Payload
from runtime.jobs.housekeeping import Chore
from runtime.published import Published
from runtime.ruling.waking import Rows, done_before, follow, in_unit, note_done
from runtime.stages.judge_facts import facts_of_documents
from runtime.stages.judge_rules import Decided, decided
from runtime.stages.judge_world import LiveWorld
from runtime.stages.steps import Unit
from runtime.storage import documents, lookups, rule_marks, snapshots
from runtime.storage.columns import column
from runtime.storage.database import Connection, in_transaction, read

RULE_DUE = "rule_due"
EVERY_S = 60.0
BATCH = 200
FIRST_LOOK_BACK = timedelta(days=1)
WHOLE = ""  # the key of the mark that says how far the clock has been followed

P = TypeVar("P")

_log = structlog.get_logger("stockloom.rules")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A rule whose moment has come: what stands ``at`` it is judged."""

    rule: str
    at: datetime


def rule_chore(house: House, workspaces: Callable[[], Iterable[str]]) -> Callable[[Jobs], Chore]:
    """What every worker does every minute."""

    def chore(jobs: Jobs) -> Chore:
        def run() -> None:
            for key in workspaces():
                try:
                    hand_over_due(jobs, house, key)
                except Exception as error:  # the next turn is the remedy
                    _log.warning("rules by the clock failed", workspace=key, reason=reason(error))

        return Chore(name="rules", every_s=EVERY_S, run=run)

    return chore


def rule_handlers(house: House) -> Mapping[str, Handler]:
    """The handler of the kind ``rule_due``."""

    def handle(context: JobContext, payload: Payload) -> None:
        perform(house, str(payload["workspace"]), str(payload["rule"]), datetime.fromisoformat(str(payload["at"])))

    return MappingProxyType({RULE_DUE: handle})


def hand_over_due(jobs: Jobs, house: House, workspace: str) -> int:
    """Hand over one job per rule in one workspace that is due and has something to look at. Returns how many."""
    place = house.workspace(workspace)
    try:
        published = house.published(place)
    except Refused:  # nothing is published there yet
        return 0
    index = published.rules.index
    if not index.scheduled and not index.dated:
        return 0
    now = house.now()
    with read(place.database) as connection:
        found = list(due_rules(connection, published, now))
    new = [each.rule for each in found if each.at == datetime.min]
    if new:
        in_transaction(place.database, lambda connection: _begin(connection, published, new, now))
        with read(place.database) as connection:
            found = list(due_rules(connection, published, now))
    due = {each.rule for each in found}
    dated = [rule for rule in index.dated if rule.definition.rule in due]
    if dated:
        quiet = in_transaction(place.database, lambda connection: _pass_quiet(connection, published, dated, now))
        found = [each for each in found if each.rule not in quiet]
    for each in found:
        payload = {"workspace": workspace, "rule": each.rule, "at": each.at.isoformat()}
        jobs.enqueue(RULE_DUE, payload, job_id=f"rule:{workspace}:{each.rule}:{each.at:%Y%m%d%H%M%S}")
    return len(found)


def due_rules(connection: Connection, published: Published, now: datetime) -> Iterator[Due]:
    """The rules that are due at ``now``; one the clock has never looked at comes with the first of all moments."""
    index = published.rules.index
    watched = (*index.scheduled, *index.dated)
    marks = rule_marks.of_rules(connection, [_mark(rule) for rule in watched], WHOLE)
    for rule in watched:
        name = rule.definition.rule
        mark = marks.get(_mark(rule))
        if mark is None:
            yield Due(rule=name, at=datetime.min)
        elif rule.schedule is not None:
            latest = _latest(rule, mark, now)
            if latest is not None:
                yield Due(rule=name, at=latest)
        elif any(_windows(published, rule, mark, now)):
            yield Due(rule=name, at=now)


def _pass_quiet(
    connection: Connection, published: Published, dated: Sequence[CompiledRule], now: datetime
) -> frozenset[str]:
    """Follow the clock up to ``now`` for rules on dates that no record's date calls. Returns which need no job."""
    marks = rule_marks.of_rules(connection, [_mark(rule) for rule in dated], WHOLE)
    behind = [rule for rule in dated if marks.get(_mark(rule), datetime.min) < now]  # else another worker was faster
    quiet = [rule for rule in behind if not _called(connection, published, rule, marks.get(_mark(rule)), now)]
    rule_marks.put_rules(connection, [_mark(rule) for rule in quiet], WHOLE, now)
    called = {rule.definition.rule for rule in behind} - {rule.definition.rule for rule in quiet}
    return frozenset(rule.definition.rule for rule in dated) - called


def _called(
    connection: Connection, published: Published, rule: CompiledRule, mark: datetime | None, now: datetime
) -> bool:
    """Whether the date of a record is due after ``mark``, up to ``now``."""
    form, tables = published.bundle.forms[rule.definition.when.form or ""], published.tables
    due = tuple(_windows(published, rule, mark or now - FIRST_LOOK_BACK, now))
    spans = [_span(form, window) for window in due]
    if not spans:
        return False
    query = published.derived.once(
        lambda: lookups.any_dated(tables, form.key, column(tables, form.key, due[0].field), len(spans)),
        "any_dated", form.key, due[0].field, len(spans),
    )  # fmt: skip
    return lookups.is_any_dated(connection, query, spans)


def perform(house: House, workspace: str, name: str, at: datetime) -> None:
    """Judge a rule whose moment ``at`` has come. Doing it again changes nothing."""
    place = house.workspace(workspace)
    published = house.published(place)
    index = published.rules.index
    rule = next(iter(index.woken(Scheduled(rule=name)) or index.woken(DateCame(rule=name))), None)
    if rule is None:
        return
    with read(place.database) as connection:
        mark = rule_marks.found(connection, _mark(rule), (WHOLE,)).get(WHOLE)
    if mark is not None and mark >= at:
        return
    if rule.definition.when.date is not None:
        windows = tuple(_windows(published, rule, mark or at - FIRST_LOOK_BACK, at))
        _batches((0, 0), lambda place_in: in_unit(house, place, partial(_on_dates, rule, at, windows, place_in)))
    elif rule.definition.when.form is not None:
        _batches(0, lambda after: in_unit(house, place, partial(_on_form, rule, at, after)))
    else:
        in_unit(house, place, partial(_finish, rule, at))


def _batches(first: P, work: Callable[[P], P | None]) -> None:
    """Batch after batch: ``work`` takes the place to go on from and answers the next one, None at the end."""
    place: P | None = first
    while place is not None:
        place = work(place)


def _finish(rule: CompiledRule, at: datetime, unit: Unit, rows: Rows) -> None:
    """The clock has been followed up to ``at``; a schedule about no record is judged here, once."""
    mark = rule_marks.found(unit.connection, _mark(rule), (WHOLE,)).get(WHOLE)
    if mark is not None and mark >= at:
        return
    rule_marks.put(unit.connection, _mark(rule), (WHOLE,), at)
    if rule.definition.when.form is None:
        names = {"me": unit.around.me, "app": unit.around.app}
        facts = plain_facts(names, "schedule", key=rule.definition.rule)
        follow(unit, rows, decided(unit, rule, (facts,), LiveWorld(unit)))


def _on_form(rule: CompiledRule, at: datetime, after: int, unit: Unit, rows: Rows) -> int | None:
    """A schedule about the records of a form: the next batch, which happens once."""
    key = f"rule:{rule.definition.rule}:{at:%Y%m%d%H%M%S}:{after}"
    known = done_before(unit.connection, key)
    if known is not None:
        return None if known["next"] is None else int(known["next"])
    ids = _next_records(unit, rule, after)
    following = ids[-1] if len(ids) == BATCH else None
    note_done(unit, key, {"next": following})
    follow(unit, rows, _on_records(unit, rule, ids, "schedule"))
    if following is None:
        _finish(rule, at, unit, rows)
    return following


def _on_dates(
    rule: CompiledRule,
    at: datetime,
    windows: Sequence[DateWindow],
    place: tuple[int, int],
    unit: Unit,
    rows: Rows,
) -> tuple[int, int] | None:
    """Records whose date is due: the rest of one window behind an id, and the windows after it up to a full batch.

    The batch that ends the last window also ends the turn, so that a quiet day is one transaction.
    """
    first, after = place
    for number in range(first, len(windows)):
        following = _on_window(rule, windows[number], after if number == first else 0, unit, rows)
        if following is not None:
            return number, following
    _finish(rule, at, unit, rows)
    return None


def _on_window(rule: CompiledRule, window: DateWindow, after: int, unit: Unit, rows: Rows) -> int | None:
    """The next batch of one window; each record once per offset and moment. The id to go on behind, None at the end."""
    found = _dated(unit, rule, window, after)
    if not found:
        return None
    trigger = rule.definition.when.date
    assert trigger is not None  # else nothing is due
    form, name = rule.definition.when.form or "", _mark(rule)
    keys = {
        identity: date_key(f"{form}:{identity}", trigger, value, window.offset, window.unit)
        for identity, value in found
    }
    known = rule_marks.found(unit.connection, name, keys.values())
    ids = [identity for identity, _ in found if keys[identity] not in known]
    rule_marks.put(unit.connection, name, [keys[one] for one in ids], unit.now)
    follow(unit, rows, _on_records(unit, rule, ids, "date", offset_names(window.offset)))
    return found[-1][0] if len(found) == BATCH else None


def _next_records(unit: Unit, rule: CompiledRule, after: int) -> tuple[int, ...]:
    """Records the condition may hold for, as far as the database can tell; all of them for alerts, which recover."""
    form = rule.definition.when.form or ""
    where = None
    constants = {"me": unit.around.me, "app": unit.around.app}
    if not rule.definition.once:
        try:
            where = lookups.condition(unit.tables, form, rule.condition, constants, unit.around.clock)
        except (Refused, EvaluationFailed, KeyError):
            where = None
    return lookups.page_of_ids(unit.connection, unit.tables, form, after=after, limit=BATCH, where=where)


def _on_records(
    unit: Unit, rule: CompiledRule, ids: Sequence[int], trigger: str, more: Mapping[str, object] | None = None
) -> tuple[Decided, ...]:
    form = unit.form(rule.definition.when.form or "")
    if not ids:
        return ()
    found = documents.load_many(unit.connection, unit.tables, form.key, ids)
    facts = facts_of_documents(unit, form, [found[one] for one in ids if one in found], trigger, more=more)
    return decided(unit, rule, facts, LiveWorld(unit))


def _dated(unit: Unit, rule: CompiledRule, window: DateWindow, after: int) -> tuple[tuple[int, date | datetime], ...]:
    form = rule.definition.when.form or ""
    first, last = _span(unit.form(form), window)
    found = column(unit.tables, form, window.field)
    return lookups.dated_ids(unit.connection, unit.tables, form, found, first, last, after=after, limit=BATCH)


def _span(form: CompiledForm, window: DateWindow) -> tuple[date | datetime, date | datetime]:
    """First and last value of the field that are due, as the field holds them."""
    if _whole_days(form, window.field):
        return window.first.date(), window.last.date()
    return window.first, window.last


def _windows(published: Published, rule: CompiledRule, after: datetime, until: datetime) -> Iterator[DateWindow]:
    trigger = rule.definition.when.date
    if trigger is None:
        return
    form = published.bundle.forms[rule.definition.when.form or ""]
    yield from windows(trigger, after, until, whole_days=_whole_days(form, trigger.field))


def _whole_days(form: CompiledForm, path: str) -> bool:
    field = form.fields.get(path)
    found = field.value_type if field is not None else SYSTEM_TYPES.get(path)
    return found is None or found.kind is Kind.DATE


def _latest(rule: CompiledRule, mark: datetime, now: datetime) -> datetime | None:
    """The last moment of its schedule after ``mark``, not later than now; None when none has come."""
    assert rule.schedule is not None
    latest = rule.schedule.next_after(mark)
    if latest is None or latest > now:
        return None
    # what came long ago is not counted minute by minute
    recent = rule.schedule.next_after(max(mark, now - FIRST_LOOK_BACK))
    if recent is not None and recent <= now:
        latest = recent
        for moment in rule.schedule.between(latest, now):
            latest = moment
    return latest


def _begin(connection: Connection, published: Published, names: Sequence[str], now: datetime) -> None:
    """The clock begins to look at these rules where they were published, a day ago at most."""
    since = snapshots.current_since(connection, published.bundle.app.app) or now
    begun = max(min(since, now), now - FIRST_LOOK_BACK)
    for rule in (*published.rules.index.scheduled, *published.rules.index.dated):
        if rule.definition.rule in names:
            rule_marks.put(connection, _mark(rule), (WHOLE,), begun)


def _mark(rule: CompiledRule) -> str:
    what = rule_marks.SCHEDULE if rule.schedule is not None else rule_marks.DATE
    return rule_marks.kept_for(rule.definition.rule, what)
