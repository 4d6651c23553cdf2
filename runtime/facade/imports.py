"""Imports: upload, map, try, run, undo. Everything is written by submission, as the person who imports.

The right ``import`` on the form opens this door; which fields and rows are within reach is decided by the person's
other rights, at the moment of the run. An import is seen by who made it and by administrators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from engine.definitions.action_labels import ACTION_LABELS
from engine.definitions.compiled import CompiledForm
from engine.permissions import is_administrator
from engine.problems import Problem, Refused, problem
from engine.sheets import Target
from runtime.facade.door import Door
from runtime.facade.import_pages import error_cells, import_view, progress_view
from runtime.facade.import_views import ImportView, ProgressView, RowProblemView
from runtime.jobs.contract import LONG
from runtime.sheets import open_sheets
from runtime.sheets.import_notes import problems_of_note
from runtime.sheets.import_plan import ACTIONS, MODES, ImportPlan, plan_of, targets_of
from runtime.sheets.import_run import Job, run, trial
from runtime.sheets.import_table import confirmed_mapping, drafted, mapping_problems, mapping_with
from runtime.sheets.import_undo import Kept, undo
from runtime.storage import audit, files, imports
from runtime.storage.database import Connection, in_transaction, read
from runtime.storage.imports import ImportRun, State

RUN = "import.run"
TRIAL = "import.trial"
UNDO = "import.undo"
AT_ONCE_ROWS = 2_000
UNDONE_AT_ONCE = 100
ELSEWHERE = ("import.elsewhere", "import.finished")
LATEST = 50

Tell: TypeAlias = Callable[[int, int], None]


def upload(door: Door, form: str, name: str, content: Iterable[bytes]) -> int:
    """Keep a file and propose how to import it; returns the id of the import.

    Raises:
        Refused: no right to import, or the file cannot be read; nothing is kept then.
    """
    compiled = _importable(door, form)
    place, limit = door.workspace, door.house.settings.upload_limit_bytes
    whole = b"".join(content)
    if len(whole) > limit:
        raise Refused([problem("storage.file_too_large", limit=limit >> 20)], "too_large")
    plan = _drafted(door, compiled, whole, name)

    def work(connection: Connection) -> int:
        stored = files.save(
            connection,
            place.files_dir,
            name=name,
            media_type="application/octet-stream",
            content=(whole,),
            creator=door.actor.user,
            at=door.house.now(),
        )
        made = replace(plan, file=stored.id)
        draft = ImportRun(
            form=compiled.key,
            file_name=stored.name,
            file_hash=stored.sha256,
            mode=made.mode,
            created_by=door.actor.user,
            created_at=door.house.now(),
            state="draft",
            total=made.rows,
            mapping=made.mapping_json(),
            options=made.options(),
        )
        return imports.start(connection, draft)

    return in_transaction(place.database, work)


def configure(
    door: Door,
    import_id: int,
    *,
    mapping: Mapping[int, str] | None = None,
    mode: str = "",
    action: str = "",
    sheet: str = "",
    header_row: int = 0,
    scale: Mapping[int, int] | None = None,
) -> None:
    """Change what an import that has not begun is going to do. Another sheet or heading proposes the columns anew.

    Raises:
        Refused: every unknown column, field, mode or action at once.
    """
    found = own(door, import_id)
    compiled = _importable(door, found.form)
    if found.state != "draft":
        raise Refused([problem("import.has_begun")], "conflict")
    plan = plan_of(found)
    problems: list[Problem] = []
    if mode and mode not in MODES:
        problems.append(problem("import.unknown_mode", "mode", mode=mode, known=", ".join(MODES)))
    if action and action not in ACTIONS:
        problems.append(problem("import.unknown_action", "action", action=action, known=", ".join(ACTIONS)))
    if problems:
        raise Refused(problems)
    again = (sheet and sheet != plan.sheet) or (header_row and header_row != plan.header_rows[0])
    made = plan
    if again:
        path = files.path_of(door.workspace.files_dir, plan.file)
        fresh = _drafted(door, compiled, path, found.file_name, sheet or plan.sheet, header_row)
        made = replace(fresh, file=plan.file, action=plan.action)
    elif mapping is not None:
        made = replace(made, mapping={column: path for column, path in mapping.items() if path})
    made = replace(
        made,
        mode=next((one for one in MODES if one == mode), plan.mode),
        action=action or made.action,
        scale=dict(scale) if scale is not None and not again else made.scale,
        summary={},
    )
    targets = _targets(door, compiled)
    wrong = [one for one in mapping_problems(compiled, made, targets) if one.where.startswith("mapping.")]
    if wrong:
        raise Refused(wrong)

    def work(connection: Connection) -> None:
        imports.change(
            connection,
            import_id,
            mode=made.mode,
            mapping=made.mapping_json(),
            options=made.options(),
            total=made.rows,
        )
        imports.forget_rows(connection, import_id)

    in_transaction(door.workspace.database, work)


def view(door: Door, import_id: int) -> ImportView:
    """The page of an import."""
    found = own(door, import_id)
    compiled = door.form(found.form)
    with read(door.workspace.database) as connection:
        notes = imports.problem_rows(connection, import_id, limit=500)
        earlier = [one for one in imports.of_file(connection, found.form, found.file_hash) if one.id != import_id]
    return import_view(door, compiled, found, _targets(door, compiled), notes, earlier)


def progress(door: Door, import_id: int) -> ProgressView:
    """How far it is."""
    found = own(door, import_id)
    return progress_view(door, door.form(found.form), found)


def latest(door: Door, form: str = "") -> tuple[ProgressView, ...]:
    """The person's imports, newest first; everybody's for administrators."""
    everybody = is_administrator(door.actor)
    with read(door.workspace.database) as connection:
        rows = imports.latest(connection, form or None, LATEST, None if everybody else door.actor.user)
    readable = door.bundle.forms
    return tuple(
        progress_view(door, readable[one.form], one)
        for one in rows
        if one.form in readable and door.may(readable[one.form], "import")
    )


def importable_forms(door: Door) -> tuple[tuple[str, str], ...]:
    """Key and label of every form the person may import into."""
    return tuple(
        (form.key, form.label.text(door.language)) for form in door.bundle.forms.values() if door.may(form, "import")
    )


def problems_of(
    door: Door, import_id: int, after_row: int = 0, limit: int = 200
) -> tuple[tuple[RowProblemView, ...], int | None]:
    """Problems by row and column, and the row to go on after; None at the end."""
    found = own(door, import_id)
    with read(door.workspace.database) as connection:
        notes = imports.problem_rows(connection, import_id, after_row, limit)
    views = tuple(one for note in notes for one in error_cells(door, plan_of(found), note))
    return views, notes[-1].row if len(notes) == limit else None


def check(door: Door, import_id: int) -> bool:
    """Try the whole file without writing anything: at once when it is small, else as a job. Whether it is done.

    Raises:
        Refused: the mapping does not fit the form.
    """
    found = own(door, import_id)
    _confirm(door, found)
    if plan_of(found).rows <= AT_ONCE_ROWS:
        trial(_job(door, None), import_id)
        return True
    _queue(door, import_id, "checking", ("draft",))
    door.house.jobs.enqueue(TRIAL, _payload(door, import_id), queue=LONG)
    return False


def start(door: Door, import_id: int) -> None:
    """Run it as a job; one may leave the page.

    Raises:
        Refused: the mapping does not fit the form, or it has run already.
    """
    found = own(door, import_id)
    _confirm(door, found)
    _queue(door, import_id, "waiting", ("draft", "failed"))
    _note(door, "import_started", found)
    door.house.jobs.enqueue(RUN, _payload(door, import_id), queue=LONG)


def perform(door: Door, import_id: int, tell: Tell | None = None) -> ProgressView:
    """Run it here and now, from where it stopped; ``tell(done, total)`` is called after every chunk."""
    found = own(door, import_id)
    _confirm(door, found)
    try:
        run(_job(door, tell), import_id)
    except Refused as refused:
        if not any(one.code in ELSEWHERE for one in refused.problems):
            _move(door, import_id, "failed", door.say(refused.problems[0]))
        raise
    except Exception:  # the job is repeated and continues; until then the page says that it has stopped
        _move(door, import_id, "failed")
        raise
    return progress(door, import_id)


def try_out(door: Door, import_id: int, tell: Tell | None = None) -> ImportView:
    """Try the whole file here and now."""
    _confirm(door, own(door, import_id))
    trial(_job(door, tell), import_id)
    return view(door, import_id)


def start_undo(door: Door, import_id: int) -> bool:
    """Take it back: at once when it is small, else as a job. Whether it is done."""
    found = own(door, import_id)
    if found.created + found.updated <= UNDONE_AT_ONCE:
        take_back(door, import_id)
        return True
    door.house.jobs.enqueue(UNDO, _payload(door, import_id), queue=LONG)
    return False


def take_back(door: Door, import_id: int, tell: Tell | None = None) -> tuple[Kept, ...]:
    """Undo here and now; returns what had to stay, with the reason."""
    found = own(door, import_id)
    kept = undo(_job(door, tell), import_id)
    _note(door, "import_undone", found)
    if kept:
        sentence = door.say(problem("import.kept", count=len(kept), reason=door.say(kept[0].problem), row=kept[0].row))
        in_transaction(
            door.workspace.database, lambda connection: imports.set_state(connection, import_id, "done", error=sentence)
        )
    return kept


def drop(door: Door, import_id: int) -> None:
    """Throw away a draft."""
    found = own(door, import_id)
    if found.state != "draft":
        raise Refused([problem("import.has_begun")], "conflict")
    in_transaction(
        door.workspace.database,
        lambda connection: imports.set_state(connection, import_id, "undone", at=door.house.now()),
    )


def _importable(door: Door, form: str) -> CompiledForm:
    """The form, if the person may import into it."""
    compiled = door.form(form)
    if not door.may(compiled, "import"):
        label = ACTION_LABELS["import"]
        raise Refused([problem("permission.action_denied", action=label, form=compiled.label)], "forbidden")
    return compiled


def _targets(door: Door, form: CompiledForm) -> tuple[Target, ...]:
    return targets_of(form, door.access(form))


def _drafted(
    door: Door, form: CompiledForm, source: Path | bytes, name: str, sheet: str = "", header_row: int = 0
) -> ImportPlan:
    def saved(signature: str) -> Mapping[str, str] | None:
        with read(door.workspace.database) as connection:
            return imports.saved_mapping(connection, form.key, signature)

    with closing(open_sheets(source, name)) as book:
        return drafted(book, form, "", _targets(door, form), saved, sheet, header_row)


def own(door: Door, import_id: int) -> ImportRun:
    """An import the person made, or any for an administrator.

    Raises:
        Refused: ``missing`` otherwise, and when its form is out of reach by now.
    """
    with read(door.workspace.database) as connection:
        found = imports.get(connection, import_id)
    if found is None or not (found.created_by == door.actor.user or is_administrator(door.actor)):
        raise Refused([problem("import.missing")], "missing")
    _importable(door, found.form)
    return found


def _confirm(door: Door, found: ImportRun) -> None:
    """Refuse what cannot work, and remember the mapping for the next file of the same make."""
    compiled, plan = _importable(door, found.form), plan_of(found)
    wrong = tuple(mapping_problems(compiled, plan, _targets(door, compiled)))
    if wrong:
        raise Refused(wrong)
    in_transaction(
        door.workspace.database,
        lambda connection: imports.save_mapping(connection, found.form, plan.signature, confirmed_mapping(plan)),
    )


def _job(door: Door, tell: Tell | None) -> Job:
    return Job(
        context=door.house.context(door.workspace, door.published, door.actor),
        files_dir=door.workspace.files_dir,
        hand_over=lambda outbox: door.house.hand_over(door.workspace, outbox),
        progress=tell or _untold,
        now=door.house.now,
    )


def _untold(done: int, total: int) -> None:
    """Nobody watches."""


def _move(door: Door, import_id: int, state: State, error: str | None = None) -> None:
    in_transaction(
        door.workspace.database, lambda connection: imports.set_state(connection, import_id, state, error=error)
    )


def _queue(door: Door, import_id: int, state: State, before: tuple[State, ...]) -> None:
    """Hand it to the jobs, once."""

    def work(connection: Connection) -> None:
        found = imports.get(connection, import_id, lock=True)
        if found is None or found.state not in before:
            raise Refused([problem("import.has_begun")], "conflict")
        imports.set_state(connection, import_id, state)

    in_transaction(door.workspace.database, work)


def _note(door: Door, event: str, found: ImportRun) -> None:
    detail = {"import": found.id, "form": found.form, "file": found.file_name, "sha256": found.file_hash}
    now, user = door.house.now(), door.actor.user
    in_transaction(door.workspace.database, lambda connection: audit.note(connection, now, user, event, detail))


def _payload(door: Door, import_id: int) -> Mapping[str, Any]:
    return {"workspace": door.workspace.key, "import": import_id, "user": door.actor.user}


def mapping_by_header(door: Door, import_id: int, wanted: Mapping[str, str]) -> Mapping[int, str]:
    """The proposed mapping with some columns, named by heading or letter, sent elsewhere (empty: not imported).

    Raises:
        Refused: every heading that is not in the file.
    """
    return mapping_with(plan_of(own(door, import_id)), wanted)


def row_problems(door: Door, import_id: int, limit: int = 1000) -> tuple[Problem, ...]:
    """The problems of refused rows, addressed ``row.heading``."""
    plan = plan_of(own(door, import_id))
    with read(door.workspace.database) as connection:
        notes = imports.problem_rows(connection, import_id, limit=limit)
    return tuple(
        replace(one.problem, where=f"{one.row}.{plan.columns.get(one.column, '')}".rstrip("."))
        for note in notes
        for one in problems_of_note(note)
    )
