"""The clock of a story: it starts in the morning of the story's day and moves only when a step waits."""

from __future__ import annotations

import re
from datetime import date as day
from datetime import datetime, time, timedelta

OPENING = time(9, 0)
WAIT = re.compile(r"(\d{1,4}) (minute|hour|day)s?")


class StoryClock:
    """A clock somebody moves by hand."""

    def __init__(self, date: str) -> None:
        self._now = datetime.combine(day.fromisoformat(date), OPENING)

    def __call__(self) -> datetime:
        """The moment it is in the story."""
        return self._now

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        self._now += span


def waited(text: str) -> timedelta:
    """``3 days``, ``49 hours`` or ``1 minute`` as a span.

    Raises ``ValueError`` for anything else; the check of stories names it.
    """
    found = WAIT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    number = int(found[1])
    return timedelta(**{f"{found[2]}s": number})
