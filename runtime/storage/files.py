"""Files people attach: bytes in the workspace's folder under an id nobody chose, everything else in a row.

The name a person gave is only ever shown, never used as a path. A file is on disk, complete, before its row exists;
what a crash leaves behind has no row and is swept away (`orphans`).
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from engine.problems import Refused, problem
from runtime.storage.product_tables import file
from runtime.storage.row_writing import Writer

ID = re.compile(r"[0-9a-f]{32}")
LONGEST_NAME = 200
PARTIAL = ".partial"
FILE_TYPES = ("attachment", "image")
WRITER = Writer(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A kept file; ``size`` in bytes, ``creator`` a user id."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    creator: int
    created_at: datetime


def save(
    connection: sa.Connection,
    folder: Path,
    *,
    name: str,
    media_type: str,
    content: Iterable[bytes],
    creator: int,
    at: datetime,
    limit: int | None = None,
) -> StoredFile:
    """Keep the bytes of ``content`` under a new id.

    Raises ``Refused`` (``storage.file_too_large``) beyond ``limit`` bytes; nothing is left behind then.
    """
    file_id = secrets.token_hex(16)
    path = path_of(folder, file_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(PARTIAL)
    digest, size = hashlib.sha256(), 0
    try:
        with partial.open("xb") as out:
            for part in content:
                size += len(part)
                if limit is not None and size > limit:
                    raise Refused([problem("storage.file_too_large", limit=limit // (1024 * 1024))])
                digest.update(part)
                out.write(part)
            out.flush()
            os.fsync(out.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    stored = StoredFile(
        id=file_id,
        name=shown_name(name),
        media_type=media_type,
        size=size,
        sha256=digest.hexdigest(),
        creator=creator,
        created_at=at,
    )
    WRITER.insert(connection, [tuple(getattr(stored, column) for column in WRITER.columns)])
    return stored


def get(connection: sa.Connection, file_id: str) -> StoredFile | None:
    """What is known of the file, or None."""
    row = connection.execute(sa.select(file).where(file.c.id == file_id)).mappings().one_or_none()
    return None if row is None else StoredFile(**row)


def get_many(connection: sa.Connection, ids: Iterable[str]) -> dict[str, StoredFile]:
    """The files by id; unknown ids are absent."""
    query = sa.select(file).where(file.c.id.in_(sorted(set(ids))))
    return {row["id"]: StoredFile(**row) for row in connection.execute(query).mappings()}


def every(connection: sa.Connection) -> Iterator[StoredFile]:
    """All files, in the order of ids."""
    for row in connection.execute(sa.select(file).order_by(file.c.id)).mappings():
        yield StoredFile(**row)


def open_bytes(folder: Path, file_id: str) -> BinaryIO:
    """The bytes, for reading. Raises ``Refused`` (``storage.file_missing``, kind ``missing``)."""
    try:
        return path_of(folder, file_id).open("rb")
    except FileNotFoundError as error:
        raise Refused([problem("storage.file_missing")], kind="missing") from error


def path_of(folder: Path, file_id: str) -> Path:
    """Where the bytes lie. Raises ``Refused`` (``storage.file_missing``) for what cannot be an id."""
    if not ID.fullmatch(file_id):
        raise Refused([problem("storage.file_missing")], kind="missing")
    return folder / file_id[:2] / file_id


def shown_name(name: str) -> str:
    """A name fit to be shown and offered for download: no path, no control characters, not endless."""
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip(" .")
    stem, dot, suffix = clean.rpartition(".")
    if len(clean) > LONGEST_NAME and dot and len(suffix) < 10:
        return f"{stem[: LONGEST_NAME - len(suffix) - 1]}.{suffix}"
    return clean[:LONGEST_NAME] or "file"
