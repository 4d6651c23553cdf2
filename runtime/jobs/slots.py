"""The right to be the living worker, and the one of a SQLite installation.

On SQLite there is one worker; a lock on a file beside the database keeps a second one away. Workers on PostgreSQL:
`runtime.jobs.server_slots`.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Protocol

from engine.problems import Refused, problem

EMBEDDED = "serving"
WATCH_EVERY_S = 2.0


class Slot(Protocol):
    """The right to run jobs under ``executor``, until it is released or lost."""

    @property
    def executor(self) -> str:
        """The name jobs being run are marked with."""
        ...

    def release(self) -> None:
        """Give the right back."""
        ...


class FileSlot:
    """The one slot of a SQLite installation."""

    executor = EMBEDDED

    def __init__(self, database: Path) -> None:
        """Raises ``Refused`` (code ``job.worker_elsewhere``) when another process holds it."""
        path = database.with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Refused([problem("job.worker_elsewhere", path=str(path))], kind="conflict") from None

    def release(self) -> None:
        """Let another process run the jobs."""
        self._file.close()
