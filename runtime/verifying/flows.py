"""Workflows: open tasks belong to live runs, every running run has a way forward, and its log tells its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.definitions.compiled import CompiledWorkflow
from engine.document import DocStatus
from engine.problems import Problem, Refused
from engine.workflow.move import MoveKind
from engine.workflow.replay import replayed
from engine.workflow.state import Run, RunStatus, SeatState, TokenState
from engine.workflow.stored import entry_from_json
from runtime.stages.flow_begin import opened
from runtime.stages.steps import Standing, Unit
from runtime.storage import integrity, run_log, runs, timers, workflow_runs
from runtime.storage.run_log import EntryRow
from runtime.storage.runs import StoredRun
from runtime.storage.timers import TimerRow
from runtime.storage.workflow_runs import Task
from runtime.verifying.address import at

PAGE = 200


def flows(unit: Unit) -> Iterator[Problem]:
    """Every proof about workflows."""
    yield from _open_runs(unit)
    yield from _tasks_without_run(unit)
    for row in timers.open_without_run(unit.connection):
        yield at(unit, "verify.timer_of_ended", row.form, row.document, timer=row.id or 0, run=row.run)


def _open_runs(unit: Unit) -> Iterator[Problem]:
    after = 0
    while page := runs.open_runs(unit.connection, after, PAGE):
        ids = [stored.id for stored in page]
        tasks: dict[int, list[Task]] = {}
        for task in workflow_runs.open_tasks_of_runs(unit.connection, ids):
            tasks.setdefault(task.run or 0, []).append(task)
        due: dict[int, list[TimerRow]] = {}
        for timer in timers.open_of_runs(unit.connection, ids):
            due.setdefault(timer.run, []).append(timer)
        entries = run_log.entries_of(unit.connection, ids)
        statuses = _statuses(unit, page)
        for stored in page:
            yield from _one(
                unit, stored, tasks.get(stored.id, []), due.get(stored.id, []), entries[stored.id], statuses
            )
        after = page[-1].id


def _one(
    unit: Unit,
    stored: StoredRun,
    tasks: Sequence[Task],
    due: Sequence[TimerRow],
    entries: Sequence[EntryRow],
    statuses: Mapping[tuple[str, int], DocStatus],
) -> Iterator[Problem]:
    try:
        standing = opened(unit, stored)
    except (Refused, KeyError):
        yield at(unit, "verify.run_unreadable", stored.form, stored.document, run=stored.id)
        return
    run = standing.run
    if run.status is not RunStatus.RUNNING:
        yield at(unit, "verify.run_over", stored.form, stored.document, run=stored.id)
        return
    status = statuses.get((stored.form, stored.document))
    if status is None or (standing.flow.definition.start == "submit" and status is not DocStatus.PENDING):
        yield at(unit, "verify.run_of_nothing", stored.form, stored.document, run=stored.id)
    yield from _seats(unit, stored, run, tasks)
    if not _goes_on(standing, due):
        yield at(unit, "verify.no_way", stored.form, stored.document, run=stored.id)
    if "format" in stored.state and entries and not _told(standing.flow, stored, run, entries):
        yield at(unit, "verify.run_log", stored.form, stored.document, run=stored.id)


def _seats(unit: Unit, stored: StoredRun, run: Run, tasks: Sequence[Task]) -> Iterator[Problem]:
    """One open task per open seat; those of an older version are known by the people they ask."""
    seats = {seat.id: (seat.user, seat.role if seat.user is None else None) for seat in run.open_seats()}
    kept = [(task.seat, (task.user, task.role)) for task in tasks]
    if "format" not in stored.state:
        return
    for number, asked in kept:
        if seats.get(number) != asked:
            yield at(unit, "verify.task_without_seat", stored.form, stored.document, run=stored.id, seat=number)
    for number in seats.keys() - {number for number, _ in kept}:
        yield at(unit, "verify.seat_without_task", stored.form, stored.document, run=stored.id, seat=number)


def _goes_on(standing: Standing, due: Sequence[TimerRow]) -> bool:
    """Whether every place of the run can still come to something."""
    run = standing.run
    asked = {seat.token for seat in run.seats if seat.state in (SeatState.OPEN, SeatState.QUEUED)}
    timed = {row.token for row in due}
    return bool(run.tokens) and all(
        token.id in asked
        or token.id in timed
        or token.state in (TokenState.EVENT, TokenState.NAMES)
        or (token.state is TokenState.CHILDREN and (not token.made or any(not one.result for one in token.children)))
        or (token.state is TokenState.STUCK and standing.stored.stuck != "")
        for token in run.tokens
    )


def _told(flow: CompiledWorkflow, stored: StoredRun, run: Run, entries: Sequence[EntryRow]) -> bool:
    """Whether the log leads to the state. A log that began before there was one tells nothing of what was before."""
    if entries[0].number != 1 or entries[0].kind != MoveKind.START:
        return True
    made = [entry_from_json({"number": row.number, "move": row.move, "found": row.found}) for row in entries]
    try:
        return replayed(flow, stored.snapshot, stored.started_by, made) == run
    except (KeyError, LookupError, ValueError):
        return False


def _tasks_without_run(unit: Unit) -> Iterator[Problem]:
    for task in workflow_runs.open_of_ended_runs(unit.connection):
        yield at(unit, "verify.task_of_ended", task.form, task.document or 0, task=task.id or 0, run=task.run or 0)


def _statuses(unit: Unit, page: Sequence[StoredRun]) -> Mapping[tuple[str, int], DocStatus]:
    wanted: dict[str, set[int]] = {}
    for stored in page:
        wanted.setdefault(stored.form, set()).add(stored.document)
    found: dict[tuple[str, int], DocStatus] = {}
    for form, ids in wanted.items():
        if form not in unit.bundle.forms:
            continue
        for number, status in integrity.statuses(unit.connection, unit.tables, form, sorted(ids)).items():
            found[form, number] = status
    return found
