"""Words about time spent and people asked, for everything that shows a flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from engine.actor import automation
from engine.labels import Language, joined
from engine.workflow.state import Seat, SeatKind
from runtime.facade.cells import Names
from runtime.facade.door import Door

MINUTE, HOUR, DAY = 60, 3600, 86_400
KEPT_JOINT = "、"  # between names the history and the approval log keep in one text
Say = Callable[..., str]


def lasting(since: datetime, until: datetime, say: Say) -> str:
    """停留时长 in its two largest units: ``3 天 4 小时``, ``2 小时 15 分``, ``8 分``."""
    seconds = max(int((until - since).total_seconds()), 0)
    if seconds < MINUTE:
        return say("flow.lasting_moment")
    if seconds < HOUR:
        return say("flow.lasting_minutes", minutes=seconds // MINUTE)
    if seconds < DAY:
        hours, minutes = seconds // HOUR, seconds % HOUR // MINUTE
        if not minutes:
            return say("flow.lasting_hours", hours=hours)
        return say("flow.lasting_hours_minutes", hours=hours, minutes=minutes)
    days, hours = seconds // DAY, seconds % DAY // HOUR
    if not hours:
        return say("flow.lasting_days", days=days)
    return say("flow.lasting_days_hours", days=days, hours=hours)


def absent(user: int | None, says: Iterable[int], names: Names, language: Language) -> str:
    """The absent people ``user`` speaks for, by name."""
    return joined((names.name("member", one) for one in says if one != user), language)


def performer(door: Door, user: int, name: str) -> str:
    """Who did something, as the log has kept it; what rules, flows and the product itself did in the reader's words.

    Names of rules and flows were kept in Chinese; one that is not published any more stays as it was kept.
    """
    if user or door.language == "zh":
        return name
    if name == automation().name:
        return door.house.catalogue.ui("origin.auto", door.language)
    labels = [one.definition.label for one in door.bundle.rules.values()]
    labels += [one.definition.label for one in door.bundle.flows.values()]
    words = {one.zh: one.text(door.language) for one in labels}
    return joined((words.get(one, one) for one in name.split(KEPT_JOINT)), door.language)


def people_in(door: Door, kept: str) -> str:
    """Several names, as the log has kept them in one text."""
    return joined(kept.split(KEPT_JOINT), door.language)


def seat_word(seat: Seat, say: Say) -> str:
    """Why somebody beside those of the node is asked: 前加签, 委派 …; empty for the node's own."""
    return "" if seat.kind is SeatKind.MAIN else say(f"flow.seat_{seat.kind}")
