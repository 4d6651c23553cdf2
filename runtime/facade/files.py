"""Files people attach: kept under an id nobody chose, handed out to who uploaded them or may read a record with them.

The name and the kind a person gave are only ever shown; no file is ever handed out in a way a browser would run it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.environment import scene
from engine.permissions import admits
from engine.problems import Refused, problem
from runtime.facade.documents import readable
from runtime.facade.door import Door
from runtime.stages.steps import Unit, load_linked
from runtime.storage import documents, files, workflow_runs
from runtime.storage.database import in_transaction
from runtime.storage.file_references import referring
from runtime.storage.signatures import file_of, number_of

PLAIN = "application/octet-stream"
SIGNATURE = "signature.png"
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A kept file; ``path`` is where its bytes lie. ``picture``: a kind a browser may show inside a page."""

    id: str
    name: str
    media_type: str
    size: int
    created_at: datetime
    path: Path

    @property
    def picture(self) -> bool:
        """Whether a page may show it as a picture."""
        return self.media_type in PICTURES


def upload(door: Door, name: str, media_type: str, content: Iterable[bytes]) -> FileView:
    """Keep a file.

    Raises:
        Refused: ``storage.file_too_large`` beyond the installation's limit; nothing is kept then.
    """
    place = door.workspace
    parts = tuple(content) if not isinstance(content, (list, tuple)) else content
    stored = in_transaction(
        place.database,
        lambda connection: files.save(
            connection,
            place.files_dir,
            name=name,
            media_type=media_type if media_type in PICTURES else PLAIN,
            content=parts,
            creator=door.actor.user,
            at=door.house.now(),
            limit=door.house.settings.upload_limit_bytes,
        ),
    )
    return _view(door, stored)


def download(door: Door, file_id: str) -> FileView:
    """A file the person may have.

    Raises:
        Refused: ``missing`` when there is none, and alike when no readable record refers to it.
    """
    with door.reading() as unit:
        stored = files.get(unit.connection, file_id) if files.ID.fullmatch(file_id) else None
        if stored is None or not (stored.creator == door.actor.user or _shown_somewhere(door, unit, file_id)):
            raise Refused([problem("storage.file_missing")], "missing")
    view = _view(door, stored)
    if not view.path.exists():
        raise Refused([problem("storage.file_missing")], "missing")
    return view


def keep_signature(door: Door, picture: bytes) -> int:
    """Keep a signature by hand; returns the number the approval log names it by."""
    return number_of(upload(door, SIGNATURE, "image/png", (picture,)).id)


def signature(door: Door, number: int) -> FileView:
    """A signature by its number; whether the person may see it is known by whoever asks.

    Raises:
        Refused: ``missing`` when there is none.
    """
    with door.reading() as unit:
        file_id = file_of(unit.connection, number)
        stored = files.get(unit.connection, file_id) if file_id is not None else None
    if stored is None or not _view(door, stored).path.exists():
        raise Refused([problem("storage.file_missing")], "missing")
    return _view(door, stored)


def attached(door: Door, form: str, document: int, file_id: str) -> FileView:
    """A file somebody attached to a decision on a document the person may read.

    Raises:
        Refused: ``missing`` when the log of the document names no such file, or the person may not read the document.
    """
    compiled = door.form(form)
    with door.reading() as unit:
        readable(door, unit, compiled, document)
        named = {one for row in workflow_runs.log_of(unit.connection, form, document) for one in row.files}
        stored = files.get(unit.connection, file_id) if file_id in named else None
    if stored is None or not _view(door, stored).path.exists():
        raise Refused([problem("storage.file_missing")], "missing")
    return _view(door, stored)


def names(door: Door, ids: Iterable[str]) -> dict[str, str]:
    """What the files are called; unknown ids are absent."""
    with door.reading() as unit:
        return {key: one.name for key, one in files.get_many(unit.connection, ids).items()}


def _shown_somewhere(door: Door, unit: Unit, file_id: str) -> bool:
    """Whether some record with the file is among the rows, and its field among the fields, the person may read."""
    for form_key, path, record in referring(unit.connection, unit.tables, file_id):
        form = door.bundle.forms[form_key]
        access = door.access(form)
        rows = access.rows.get("read")
        if rows is None or not access.readable(path) or not access.readable(path.partition(".")[0]):
            continue
        found = documents.load(unit.connection, unit.tables, form_key, record)
        if found is None:
            continue
        header = scene(form, found, load_linked(unit, form, (found,)), unit.around).header
        if admits(rows, found, header, door.actor, unit.around.clock):
            return True
    return False


def _view(door: Door, stored: files.StoredFile) -> FileView:
    return FileView(
        id=stored.id,
        name=stored.name,
        media_type=stored.media_type,
        size=stored.size,
        created_at=stored.created_at,
        path=files.path_of(door.workspace.files_dir, stored.id),
    )
