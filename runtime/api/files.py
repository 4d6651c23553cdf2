"""Files over the API: uploaded one by one, named by their ids in fields and in moves of a run, handed out again."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from runtime.api.callers import PREFIX, Calling, answered
from runtime.facade import files
from runtime.facade.door import Door
from runtime.web.dependencies import Natural
from runtime.web.routes.files import file_of, handed_out, parts_of


def file_api() -> APIRouter:
    """The routes of files, below an app."""
    router = APIRouter(prefix=PREFIX)
    router.post("/-/files", status_code=201)(upload)
    router.get("/-/files/{file}", response_model=None)(answered(download))
    router.get("/{form}/{document}/flow/files/{file}", response_model=None)(answered(attached))
    return router


async def upload(request: Request, door: Calling) -> Response:
    """Keep a file (form field ``file``); answers its id."""
    sent = await request.form(max_files=1, max_fields=10)
    file = file_of(sent)
    kept = await run_in_threadpool(
        files.upload, door, file.filename or "", file.content_type or "", parts_of(file.file)
    )
    return JSONResponse({"id": kept.id, "name": kept.name, "size": kept.size}, status_code=201)


def download(door: Door, file: str) -> Response:
    """A file, for whoever uploaded it or may read a record with it."""
    return handed_out(files.download(door, file))


def attached(door: Door, form: str, document: Natural, file: str) -> Response:
    """A file attached to a decision, for whoever may read the document."""
    return handed_out(files.attached(door, form, document, file))
