"""What a worker does beside its jobs, at short intervals: the sweep, the take-over. One thread, one chore at a time.

Not schedules of the job engine: they must work when its queue is full, and need no record of each run. A chore that
raises is logged and comes again at its next turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

_log = structlog.get_logger("stockloom.jobs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to do now and then every ``every_s`` seconds."""

    name: str
    every_s: float
    run: Callable[[], object]


class Housekeeping:
    """Runs chores until it is closed; each for the first time at once."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._chores = tuple(chores)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="jobs-housekeeping", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the chore that is running."""
        self._stopping.set()
        self._thread.join(30)

    def _loop(self) -> None:
        due = dict.fromkeys(range(len(self._chores)), time.monotonic())
        while due and not self._stopping.wait(max(0.0, min(due.values()) - time.monotonic())):
            for number, chore in enumerate(self._chores):
                if due[number] <= time.monotonic() and not self._stopping.is_set():
                    _do(chore)
                    due[number] = time.monotonic() + chore.every_s


def _do(chore: Chore) -> None:
    try:
        chore.run()
    except Exception as error:  # the next turn is the remedy
        _log.warning("chore failed", chore=chore.name, reason=f"{type(error).__name__}: {error}")
