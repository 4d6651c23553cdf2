"""Words about time spent and people asked, for everything that shows a flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from engine.labels import Language
from engine.workflow.state import Seat, SeatKind
from runtime.facade.cells import Names

MINUTE, HOUR, DAY = 60, 3600, 86_400
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
    joint = "、" if language == "zh" else ", "
    return joint.join(names.name("member", one) for one in says if one != user)


def seat_word(seat: Seat, say: Say) -> str:
    """Why somebody beside those of the node is asked: 前加签, 委派 …; empty for the node's own."""
    return "" if seat.kind is SeatKind.MAIN else say(f"flow.seat_{seat.kind}")
