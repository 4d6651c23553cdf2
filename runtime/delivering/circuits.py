"""Receivers that do not answer are left alone for a while, so that they occupy nobody.

After ``AFTER`` failures in a row a line rests: first half a minute, then twice as long each time, ten minutes at most.
Then one message is tried; an answer ends the rest. Kept per process, which is enough: each worker finds out by itself.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from runtime.storage.deliveries import Line

AFTER = 5
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)


@dataclass(slots=True)
class _Line:
    failures: int = 0
    rests: int = 0
    until: datetime | None = None
    probing: bool = False


class Circuits:
    """What is known about every line (channel, address). Thread-safe."""

    def __init__(self) -> None:
        self._lines: dict[Line, _Line] = {}
        self._lock = threading.Lock()

    def resting(self, now: datetime) -> tuple[Line, ...]:
        """Lines that are left alone just now."""
        with self._lock:
            return tuple(line for line, known in self._lines.items() if known.until is not None and now < known.until)

    def enter(self, line: Line, now: datetime) -> bool:
        """Whether a message may be tried now; after a rest only one at a time may."""
        with self._lock:
            known = self._lines.get(line)
            if known is None or known.until is None:
                return True
            if now < known.until or known.probing:
                return False
            known.probing = True
            return True

    def failed(self, line: Line, now: datetime) -> None:
        """A message met no answer, or a refusal that may end."""
        with self._lock:
            known = self._lines.setdefault(line, _Line())
            known.failures += 1
            known.probing = False
            if known.failures >= AFTER and (known.until is None or now >= known.until):
                known.until = now + min(FIRST_REST * 2 ** min(known.rests, 10), LONGEST_REST)
                known.rests += 1

    def answered(self, line: Line) -> bool:
        """A message arrived, or was refused for good. True when the line had been failing."""
        with self._lock:
            return self._lines.pop(line, None) is not None
