"""Text → ``Schedule``, whichever way it is written, or what is wrong with it."""

from __future__ import annotations

from datetime import datetime

from engine.problems import Problem, problem
from engine.schedules.cron import cron, looks_like_cron
from engine.schedules.schedule import Schedule
from engine.schedules.words import in_words

ANY_DAY = datetime(2024, 1, 1)


def schedule_of(text: str) -> Schedule | Problem:
    """The schedule a cron line or plain words mean; a problem when they mean nothing, or a time that never comes."""
    found = cron(text) if looks_like_cron(text) else in_words(text)
    if isinstance(found, Schedule) and found.next_after(ANY_DAY) is None:
        return problem("definition.schedule_never", "", value=text[:60])
    return found
