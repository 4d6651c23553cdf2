"""What judging a rule has to ask of the world beyond its facts: people, other records, working hours.

Only a rule that fires asks. Where nothing may be asked (a trial, a test) ``Nobody`` answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from engine.definitions.people import Who
from engine.expressions import Checked
from engine.expressions.types import Row
from engine.rules.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchNeed:
    """Records of ``form`` an ``update`` means: those for which ``where`` holds.

    Attributes:
        known: the names in ``where`` that are no columns (``row``, ``me``, ``app``, results of a table).
        fields: what to load of each of them.
        most: more than these are a mistake, and none is changed.
    """

    form: str
    where: Checked | None
    known: Mapping[str, object]
    fields: frozenset[str]
    most: int = 1000


class World(Protocol):
    """The questions."""

    def people(self, way: Who, facts: Facts, params: Mapping[str, object]) -> tuple[int, ...]:
        """Users a way means that needs a directory: members by login, heads, supervisors, a plugin's resolver."""
        ...

    def matching(self, need: MatchNeed) -> tuple[Row, ...]:
        """The records an update means, each with its id and the fields asked for. Raises ``EvaluationFailed``."""
        ...

    def after_working_hours(self, moment: datetime, hours: int) -> datetime:
        """The moment so many working hours after ``moment``, by the app's calendar."""
        ...


class Nobody:
    """A world without people, records and calendars."""

    def people(self, way: Who, facts: Facts, params: Mapping[str, object]) -> tuple[int, ...]:
        """No one."""
        return ()

    def matching(self, need: MatchNeed) -> tuple[Row, ...]:
        """None."""
        return ()

    def after_working_hours(self, moment: datetime, hours: int) -> datetime:
        """By the clock on the wall."""
        return moment + timedelta(hours=hours)


NOBODY = Nobody()
