"""Carry out an import, or only find out what it would do: chunk after chunk, each in one transaction.

A chunk's records, the notes on its rows and the counts commit together, so whoever takes up an interrupted run
continues where it stopped: nothing is lost and nothing comes twice. A trial passes through the very same submission
and is rolled back. Every record is submitted as the person who imports; there is no other way to write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from engine.definitions.compiled import CompiledForm
from engine.problems import Problem, Refused, Severity, problem
from engine.sheets import text_of
from runtime.jobs.attempt import problems_json
from runtime.ruling.outside import imported
from runtime.sheets.import_matching import before_json, commands_of, matched
from runtime.sheets.import_notes import noted, of_parcel
from runtime.sheets.import_parcels import Parcel, RowProblem, Seen, parcels
from runtime.sheets.import_plan import ImportPlan, plan_of
from runtime.sheets.import_table import shown
from runtime.sheets.read import Workbook, open_sheets
from runtime.storage import documents, files, imports
from runtime.storage.database import Connection, in_transaction
from runtime.storage.imports import Act, ImportedRow, ImportRun
from runtime.submit import Context, submit_many_within, unit_of

MASTERS_AT_ONCE = 200
DOCUMENTS_AT_ONCE = 20
ROWS_AT_ONCE = 2_000
KEPT_ROWS = 500
BEGUN = ("draft", "waiting", "running", "failed")

Progress = Callable[[int, int], None]
HandOver = Callable[[Sequence[int]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run needs beside the import itself: where and by whom, the folder of files, and what follows a commit."""

    context: Context
    files_dir: Path
    hand_over: HandOver
    progress: Progress
    now: Callable[[], datetime]


class _TrialOver(Exception):
    """Ends the transaction of a trial, so that nothing of it stays."""


def run(job: Job, import_id: int) -> ImportRun:
    """Import, from the beginning or from where it stopped. Returns the finished import.

    Raises:
        Refused: the import is unknown, finished, or continued by another process at this moment.
    """
    started = in_transaction(job.context.database, lambda connection: _begin(connection, import_id))
    plan, form = plan_of(started), job.context.bundle.forms[started.form]
    seen = Seen()
    with closing(opened(job.files_dir, plan, started.file_name)) as book:
        every = parcels(book, form, plan, seen)
        position = _position(started)
        before = sum(len(one.rows) for one in islice(every, position))
        done = before
        for chunk in chunks(form, every):
            done += sum(len(one.rows) for one in chunk)
            position = _commit(job, import_id, plan, form, chunk, position, done)
            job.progress(done, max(plan.rows, done))
    finished, outbox = in_transaction(
        job.context.database, lambda connection: _finish(job, connection, import_id, done)
    )
    job.hand_over(outbox)
    return finished


def trial(job: Job, import_id: int) -> ImportPlan:
    """Find out what a run would do; keeps the problems of every row and a summary. Nothing of it is written.

    Raises:
        Refused: the import is unknown or has begun.
    """
    known = in_transaction(job.context.database, lambda connection: _draft(connection, import_id))
    plan, form = plan_of(known), job.context.bundle.forms[known.form]
    seen, told = Seen(), _Told()
    done = 0
    with closing(opened(job.files_dir, plan, known.file_name)) as book:
        for chunk in chunks(form, parcels(book, form, plan, seen)):
            done += sum(len(one.rows) for one in chunk)
            results = _tried(job, import_id, plan, form, chunk)
            _keep_notes(job, import_id, told.take(chunk, results), done)
            job.progress(done, max(plan.rows, done))
        cut = book.problems
    checked = replace(plan, summary=told.summary(seen, cut), rows=done)

    def keep(connection: Connection) -> None:
        imports.change(connection, import_id, options=checked.options())
        imports.count(connection, import_id, total=done, done=0)
        imports.set_state(connection, import_id, "draft")

    in_transaction(job.context.database, keep)
    return checked


def _keep_notes(job: Job, import_id: int, notes: list[ImportedRow], done: int) -> None:
    def work(connection: Connection) -> None:
        imports.note_rows(connection, import_id, notes)
        imports.count(connection, import_id, done=done)

    in_transaction(job.context.database, work)


def opened(files_dir: Path, plan: ImportPlan, name: str) -> Workbook:
    """The file of an import."""
    return open_sheets(files.path_of(files_dir, plan.file), name)


def chunks(form: CompiledForm, every: Iterable[Parcel]) -> Iterator[list[Parcel]]:
    """Parcels that go into one transaction: few enough that nobody waits long for it."""
    most = MASTERS_AT_ONCE if form.is_master else DOCUMENTS_AT_ONCE
    chunk: list[Parcel] = []
    rows = 0
    for parcel in every:
        if chunk and (len(chunk) == most or rows + len(parcel.rows) > ROWS_AT_ONCE):
            yield chunk
            chunk, rows = [], 0
        chunk.append(parcel)
        rows += len(parcel.rows)
    if chunk:
        yield chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a parcel: written (``document``), skipped, or refused with its problems."""

    act: Act | None
    document: int = 0
    problems: tuple[RowProblem, ...] = ()
    before: Any = None
    outbox: Sequence[int] = ()


def _commit(
    job: Job, import_id: int, plan: ImportPlan, form: CompiledForm, chunk: list[Parcel], position: int, done: int
) -> int:
    def work(connection: Connection) -> Sequence[int]:
        run = imports.get(connection, import_id, lock=True)
        if run is None or run.state != "running" or _position(run) != position:
            raise Refused([problem("import.elsewhere")], "conflict")
        results = _submitted(job, connection, import_id, plan, form, chunk)
        notes = [note for parcel, one in zip(chunk, results, strict=True) if (note := _note(parcel, one)) is not None]
        imports.note_rows(connection, import_id, notes)
        acts = Counter(one.act for one in results)
        imports.count(
            connection,
            import_id,
            done=done,
            created=run.created + acts["created"],
            updated=run.updated + acts["updated"],
            skipped=run.skipped + acts[None],
            failed=run.failed + acts["refused"],
        )
        return tuple(chain.from_iterable(one.outbox for one in results))

    job.hand_over(in_transaction(job.context.database, work))
    return position + len(chunk)


def _tried(job: Job, import_id: int, plan: ImportPlan, form: CompiledForm, chunk: list[Parcel]) -> list[Result]:
    results: list[Result] = []

    def work(connection: Connection) -> None:
        results[:] = _submitted(job, connection, import_id, plan, form, chunk)
        raise _TrialOver

    with suppress(_TrialOver):
        in_transaction(job.context.database, work)
    return results


def _submitted(
    job: Job, connection: Connection, import_id: int, plan: ImportPlan, form: CompiledForm, chunk: list[Parcel]
) -> list[Result]:
    """The parcels as submissions, in the order of the sheet."""
    unit = unit_of(replace(job.context, now=job.now()), connection)
    good = [parcel for parcel in chunk if not parcel.refused and not parcel.repeats]
    known = matched(unit, form, plan, good)
    made = commands_of(form, plan, good, known, import_id)
    sent = [one for one in made if not isinstance(one, Problem)]
    changed = [one.document for one in sent if one.document is not None]
    before = documents.load_many(unit.connection, unit.tables, form.key, changed) if changed else {}
    answers = iter(submit_many_within(unit, sent))
    by_row: dict[int, Result] = {}
    for parcel, one in zip(good, made, strict=True):
        if isinstance(one, Problem):
            by_row[parcel.first] = Result(act="refused", problems=(*parcel.problems, parcel.placed(plan, one)))
            continue
        answer = next(answers)
        if isinstance(answer, Refused):
            found = tuple(parcel.placed(plan, each) for each in answer.problems)
            by_row[parcel.first] = Result(act="refused", problems=(*parcel.problems, *found))
            continue
        old = before.get(one.document) if one.document is not None else None
        by_row[parcel.first] = Result(
            act="updated" if old is not None else "created",
            document=answer.document,
            problems=(*parcel.problems, *(parcel.placed(plan, each) for each in answer.warnings)),
            before=before_json(form, old, one.patch, answer.version),
            outbox=answer.outbox,
        )
    return [by_row.get(parcel.first) or _kept_back(parcel) for parcel in chunk]


def _kept_back(parcel: Parcel) -> Result:
    if parcel.repeats and not parcel.refused:
        return Result(act=None, problems=parcel.problems)
    return Result(act="refused", problems=parcel.problems)


def _note(parcel: Parcel, result: Result) -> ImportedRow | None:
    if result.act is None:
        return None
    if result.act == "refused":
        return ImportedRow(row=parcel.first, document=0, action="refused", before=of_parcel(parcel, result.problems))
    return ImportedRow(row=parcel.first, document=result.document, action=result.act, before=result.before)


class _Told:
    """What a trial has found so far."""

    def __init__(self) -> None:
        self._acts: Counter[str] = Counter()
        self._problems: Counter[str] = Counter()
        self._repeats: list[list[int]] = []

    def take(self, chunk: list[Parcel], results: list[Result]) -> list[ImportedRow]:
        """Count one chunk; the notes to keep."""
        notes = []
        for parcel, result in zip(chunk, results, strict=True):
            self._acts[result.act or "skipped"] += 1
            if parcel.repeats and len(self._repeats) < KEPT_ROWS:
                self._repeats.append([parcel.first, parcel.repeats])
            for one in result.problems:
                self._problems["errors" if one.problem.severity is Severity.ERROR else "warnings"] += 1
            if result.problems:
                act: Act = "refused" if result.act == "refused" else "noted"
                notes.append(noted(parcel, result.problems, act))
        return notes

    def summary(self, seen: Seen, cut: Sequence[Problem]) -> Mapping[str, Any]:
        """As JSON, kept with the import."""
        return {
            **{act: self._acts[act] for act in ("created", "updated", "skipped", "refused")},
            "errors": self._problems["errors"],
            "warnings": self._problems["warnings"],
            "rows": seen.rows,
            "repeats": self._repeats,
            "dropped": [
                [one.number, str(one.reason), " ".join(shown(cell) for cell in one.cells if cell is not None)[:200]]
                for one in seen.dropped[:KEPT_ROWS]
                if str(one.reason) != "blank"
            ],
            "dropped_count": seen.dropped_count,
            "has_total": seen.has_total,
            "sums": {header: text_of(value) for header, value in seen.sums.items()},
            "totals": problems_json(seen.totals),
            "cut": problems_json(cut),
        }


def _position(run: ImportRun) -> int:
    """How many parcels have been dealt with; each counts in exactly one way."""
    return run.created + run.updated + run.skipped + run.failed


def _begin(connection: Connection, import_id: int) -> ImportRun:
    run = _known(connection, import_id)
    if run.state not in BEGUN:
        raise Refused([problem("import.finished")], "conflict")
    if _position(run) == 0:
        imports.forget_rows(connection, import_id)
    imports.set_state(connection, import_id, "running")
    imports.count(connection, import_id, total=plan_of(run).rows)
    return run


def _draft(connection: Connection, import_id: int) -> ImportRun:
    run = _known(connection, import_id)
    if run.state not in ("draft", "checking"):
        raise Refused([problem("import.has_begun")], "conflict")
    imports.forget_rows(connection, import_id)
    imports.set_state(connection, import_id, "checking")
    return run


def _finish(job: Job, connection: Connection, import_id: int, done: int) -> tuple[ImportRun, Sequence[int]]:
    """Done; rules that wait for the end of an import are woken."""
    at = job.now()
    imports.count(connection, import_id, total=done)
    imports.set_state(connection, import_id, "done", at=at)
    run = _known(connection, import_id)
    unit = unit_of(replace(job.context, now=at), connection)
    return run, imported(unit, run.form, created=run.created, updated=run.updated, failed=run.failed)


def _known(connection: Connection, import_id: int) -> ImportRun:
    run = imports.get(connection, import_id, lock=True)
    if run is None:
        raise Refused([problem("import.missing")], "missing")
    return run
