"""Take an import back: the last record first, each through the submission, by the person who undoes it.

What was created is unapproved and deleted; what was updated gets its former values again. A record somebody else has
built upon or changed since stays, with its reason; all others go. Each chunk commits together with its notes, so an
interrupted undo is simply taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.definitions.compiled import CompiledForm
from engine.document import DocStatus, Document
from engine.problems import Problem, Refused, problem
from runtime.sheets.import_matching import ORIGIN, patch_before
from runtime.sheets.import_run import Job
from runtime.storage import documents, imports
from runtime.storage.database import Connection, in_transaction
from runtime.storage.imports import ImportedRow, ImportRun
from runtime.submit import Command, submit_within, unit_of

RECORDS_AT_ONCE = 50
REASON = "撤销导入 Undo import {id}"
MOST_KEPT = 200
UNDOABLE = frozenset({"done", "failed", "running", "undoing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record that could not be taken back, and why."""

    row: int
    document: int
    problem: Problem


def undo(job: Job, import_id: int) -> tuple[Kept, ...]:
    """Undo; returns what had to stay. The import counts as undone once nothing of it is left.

    Raises:
        Refused: unknown, or there is nothing to undo.
    """
    run = in_transaction(job.context.database, lambda connection: _begin(connection, import_id))
    kept: list[Kept] = []
    total = run.created + run.updated
    row: int | None = None
    done = 0
    while True:
        outbox, last, taken, stayed = in_transaction(
            job.context.database,
            lambda connection: _chunk(job, connection, run, row, done),  # noqa: B023
        )
        job.hand_over(outbox)
        kept.extend(stayed)
        if last is None:
            break
        row, done = last, done + taken
        job.progress(min(done, total), total)
    in_transaction(job.context.database, lambda connection: _finish(job, connection, import_id, kept))
    return tuple(kept[:MOST_KEPT])


def _begin(connection: Connection, import_id: int) -> ImportRun:
    run = imports.get(connection, import_id, lock=True)
    if run is None:
        raise Refused([problem("import.missing")], "missing")
    if run.state not in UNDOABLE or not (run.created or run.updated):
        raise Refused([problem("import.nothing_to_undo")], "conflict")
    imports.set_state(connection, import_id, "undoing")
    imports.count(connection, import_id, done=0, total=run.created + run.updated)
    return run


def _chunk(
    job: Job, connection: Connection, run: ImportRun, row: int | None, done: int
) -> tuple[tuple[int, ...], int | None, int, list[Kept]]:
    assert run.id is not None
    form = job.context.bundle.forms[run.form]
    listed = imports.rows_of(connection, run.id, row, RECORDS_AT_ONCE)
    if not listed:
        return (), None, 0, []
    stored = documents.load_many(connection, job.context.tables, form.key, [one.document for one in listed])
    outbox: list[int] = []
    kept: list[Kept] = []
    for one in listed:
        old = stored.get(one.document)
        try:
            if old is not None:
                with connection.begin_nested():
                    outbox.extend(_taken_back(job, connection, form, run, one, old))
        except Refused as refused:
            kept.append(Kept(row=one.row, document=one.document, problem=refused.problems[0]))
            continue
        imports.forget_row(connection, run.id, one.row, one.document)
    imports.count(connection, run.id, done=done + len(listed))
    return tuple(outbox), listed[-1].row, len(listed), kept


def _taken_back(
    job: Job, connection: Connection, form: CompiledForm, run: ImportRun, one: ImportedRow, old: Document
) -> list[int]:
    unit = unit_of(replace(job.context, now=job.now()), connection)
    changed = one.before is not None and old.version != one.before["version"]
    if changed and (one.action == "updated" or form.is_master):
        raise Refused([problem("import.changed_since")], "conflict")
    command = Command(
        form=form.key,
        action="delete",
        document=old.id,
        origin=ORIGIN,
        confirmed=True,
        reason=REASON.format(id=run.id),
    )
    if one.action == "updated":
        if not form.is_master and old.status is DocStatus.APPROVED:
            raise Refused([problem("import.approved_since")], "conflict")
        return list(submit_within(unit, replace(command, action="save", patch=patch_before(one.before))).outbox)
    outbox: list[int] = []
    for status, action in ((DocStatus.APPROVED, "unapprove"), (DocStatus.PENDING, "withdraw")):
        if old.status is status:
            outbox.extend(submit_within(unit, replace(command, action=action)).outbox)
    if old.status is not DocStatus.VOIDED:
        outbox.extend(submit_within(unit, command).outbox)
    return outbox


def _finish(job: Job, connection: Connection, import_id: int, kept: list[Kept]) -> None:
    if kept:
        imports.set_state(connection, import_id, "done", at=job.now())
    else:
        imports.set_state(connection, import_id, "undone", at=job.now())
