"""``/-/imports``: upload a file, map its columns, try, run, undo; and the refused rows as Excel.

The same steps as the page. A file is sent as the field ``file`` of a form; everything else is JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from engine.problems import Refused, problem
from runtime.api.callers import PREFIX, Body, Calling
from runtime.facade import import_errors, imports
from runtime.facade.door import Door
from runtime.facade.import_views import ProgressView
from runtime.web.dependencies import Natural, number_in
from runtime.web.downloads import download
from runtime.web.routes.files import file_of, parts_of

KNOWN = frozenset({"mapping", "mode", "action", "sheet", "header_row", "scale"})


def import_api() -> APIRouter:
    """The routes of imports, below an app."""
    router = APIRouter(prefix=PREFIX)
    router.get("/-/imports")(listed)
    router.post("/-/imports", status_code=201)(upload)
    router.get("/-/imports/{number}")(read)
    router.patch("/-/imports/{number}")(configure)
    router.post("/-/imports/{number}/check")(check)
    router.post("/-/imports/{number}/run", status_code=202)(run)
    router.post("/-/imports/{number}/undo")(undo)
    router.get("/-/imports/{number}/problems")(problems)
    router.get("/-/imports/{number}/errors")(errors)
    return router


def listed(door: Calling, form: str = "") -> Mapping[str, Any]:
    """The caller's imports, newest first."""
    return {"rows": [progress_json(one) for one in imports.latest(door, form)]}


async def upload(request: Request, door: Calling, form: str) -> Response:
    """Keep a file (form field ``file``) and propose how to import it into ``form``."""
    sent = await request.form(max_files=1, max_fields=10)
    file = file_of(sent)
    number = await run_in_threadpool(imports.upload, door, form, file.filename or "", parts_of(file.file))
    return JSONResponse(await run_in_threadpool(read, door, number), status_code=201)


def read(door: Calling, number: Natural) -> Mapping[str, Any]:
    """How far an import is; before it has begun also its columns, targets and what a trial found."""
    run_now = imports.progress(door, number)
    shown: dict[str, Any] = progress_json(run_now)
    if run_now.state != "draft":
        return shown
    view = imports.view(door, number)
    return shown | {
        "sheet": view.sheet,
        "sheets": view.sheets,
        "header_row": view.header_row,
        "rows": view.rows,
        "columns": [asdict(column) for column in view.columns],
        "targets": [asdict(target) for target in view.targets],
        "modes": view.modes,
        "actions": view.actions,
        "problems": view.problems,
        "summary": asdict(view.summary) if view.summary is not None else None,
    }


def configure(door: Calling, number: Natural, sent: Body) -> Mapping[str, Any]:
    """Change mapping (column index or heading → field), mode, action, sheet, header_row or scale."""
    unknown = [
        problem("api.unknown_key", key, name=key, known=", ".join(sorted(KNOWN))) for key in sent if key not in KNOWN
    ]
    if unknown:
        raise Refused(unknown)
    imports.configure(
        door,
        number,
        mapping=_mapping(door, number, sent),
        mode=str(sent.get("mode", "")),
        action=str(sent.get("action", "")),
        sheet=str(sent.get("sheet", "")),
        header_row=_whole(sent.get("header_row", 0), "header_row"),
        scale={_whole(key, "scale"): _whole(value, "scale") for key, value in sent["scale"].items()}
        if isinstance(sent.get("scale"), Mapping)
        else None,
    )
    return read(door, number)


def check(door: Calling, number: Natural) -> Mapping[str, Any]:
    """Try the whole file without writing anything; a large one is tried in the background."""
    imports.check(door, number)
    return read(door, number)


def run(door: Calling, number: Natural) -> Mapping[str, Any]:
    """Import in the background."""
    imports.start(door, number)
    return progress_json(imports.progress(door, number))


def undo(door: Calling, number: Natural) -> Mapping[str, Any]:
    """Take the import back; a large one in the background."""
    imports.start_undo(door, number)
    return progress_json(imports.progress(door, number))


def problems(
    door: Calling, number: Natural, after: Natural = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> Mapping[str, Any]:
    """Problems by row and column."""
    rows, more = imports.problems_of(door, number, after, limit)
    return {"rows": [asdict(row) for row in rows], "next": more}


def errors(door: Calling, number: Natural) -> Response:
    """The refused rows as Excel."""
    return download("errors.xlsx", lambda path: import_errors.error_rows(door, number, path))


def progress_json(one: ProgressView) -> dict[str, Any]:
    """An import as JSON."""
    return {
        "id": one.id,
        "form": one.form,
        "file": one.file_name,
        "mode": one.mode,
        "action": one.action,
        "state": one.state,
        "done": one.done,
        "total": one.total,
        "created": one.created,
        "updated": one.updated,
        "skipped": one.skipped,
        "failed": one.failed,
        "created_at": one.created_at.isoformat(),
        "finished_at": one.finished_at.isoformat() if one.finished_at else None,
        "error": one.error or None,
    }


def _mapping(door: Door, number: int, sent: Mapping[str, Any]) -> Mapping[int, str] | None:
    given = sent.get("mapping")
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise Refused([problem("api.not_an_object")])
    columns = {number_in(str(key)): str(path or "") for key, path in given.items()}
    if None not in columns:
        return {key: path for key, path in columns.items() if key is not None}
    return imports.mapping_by_header(door, number, {str(key): str(path or "") for key, path in given.items()})


def _whole(value: object, where: str) -> int:
    number = None if isinstance(value, bool) else number_in(str(value))
    if number is None:
        raise Refused([problem("import.no_number", where, text=str(value)[:40])])
    return number
