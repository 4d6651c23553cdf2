"""Uploaded files: taken in one by one, handed out by id, never in a way a browser would run.

Pictures of harmless kinds may be shown inside a page; everything else is a download. Both are sandboxed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.responses import FileResponse, JSONResponse, Response

from engine.problems import Refused, problem
from runtime.facade import files
from runtime.facade.files import FileView
from runtime.web.dependencies import Posted, Visiting

SANDBOX = "default-src 'none'; sandbox"
CHUNK = 1 << 20


def file_routes() -> APIRouter:
    """The routes of uploaded files."""
    router = APIRouter(prefix="/w/{workspace}/files")

    @router.post("")
    def upload(found: Visiting, sent: Posted) -> Response:
        file = file_of(sent)
        kept = files.upload(found.door, file.filename or "", file.content_type or "", parts_of(file.file))
        return JSONResponse({"id": kept.id, "name": kept.name, "size": kept.size}, status_code=201)

    @router.get("/{file}")
    def download(found: Visiting, file: str) -> Response:
        return handed_out(files.download(found.door, file))

    return router


def handed_out(kept: FileView) -> Response:
    """The bytes of a file: a harmless picture to be shown, anything else to be kept."""
    return FileResponse(
        kept.path,
        media_type=kept.media_type,
        filename=kept.name,
        content_disposition_type="inline" if kept.picture else "attachment",
        headers={
            "Content-Security-Policy": SANDBOX,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )


def file_of(sent: FormData, name: str = "file") -> UploadFile:
    """The file of a form. Raises ``Refused`` when there is none."""
    file = sent.get(name)
    if not isinstance(file, UploadFile) or not file.filename:
        raise Refused([problem("web.choose_file", name)])
    return file


def parts_of(content: BinaryIO) -> Iterator[bytes]:
    """The bytes in pieces."""
    content.seek(0)
    while part := content.read(CHUNK):
        yield part
