"""Files made for one download: written beside, sent under a name, gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

MEDIA: Mapping[str, str] = MappingProxyType(
    {
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "csv": "text/csv; charset=utf-8",
    }
)


def download(name: str, write: Callable[[Path], object]) -> Response:
    """What ``write`` puts into the file it is given, as an attachment called ``name``; the ending, one of ``MEDIA``,
    says what it is."""
    ending = name.rpartition(".")[2]
    with tempfile.NamedTemporaryFile(suffix=f".{ending}", delete=False) as kept:
        path = Path(kept.name)
    try:
        write(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    gone = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type=MEDIA[ending], filename=name, background=gone)
