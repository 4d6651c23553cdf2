"""``Schedule`` → plain words, Chinese or English. What is told means the very same schedule when it is read again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from engine.labels import Language, joined
from engine.schedules.schedule import MINUTES, Schedule
from engine.schedules.words import QUARTERS, WEEKEND, WORKDAYS, in_words

EVERY_MONTH = frozenset(range(1, 13))
HOUR = 60
MOST_TIMES = 6
CHINESE = "日一二三四五六"
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
ENDINGS: Mapping[int, str] = MappingProxyType({1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"})


def told(schedule: Schedule, language: Language) -> str:
    """The schedule in words; empty when these words know no way to say it, as for many cron lines."""
    text = _interval(schedule, language) or _moments(schedule, language)
    return text if text and in_words(text) == schedule else ""


def _interval(schedule: Schedule, language: Language) -> str:
    if len(schedule.times) < 2 or schedule != Schedule(times=schedule.times):
        return ""
    step = schedule.times[1] - schedule.times[0]
    if schedule.times != tuple(range(0, MINUTES, step)):
        return ""
    number, chinese, english = (step // HOUR, "小时", "hour") if step % HOUR == 0 else (step, "分钟", "minute")
    if language == "zh":
        return f"每{number}{chinese}" if number > 1 else f"每{chinese}"
    return f"every {number} {english}s" if number > 1 else f"every {english}"


def _moments(schedule: Schedule, language: Language) -> str:
    if len(schedule.times) > MOST_TIMES:
        return ""
    days = (_chinese if language == "zh" else _english)(schedule)
    times = joined((f"{time // HOUR:02}:{time % HOUR:02}" for time in schedule.times), language)
    return f"{days} {times}" if language == "zh" else f"{days} at {times}"


def _chinese(schedule: Schedule) -> str:
    dates = [f"{day}日" for day in sorted(schedule.days or ())]
    if schedule.weekdays is not None:
        return _week(
            schedule.weekdays, "每个工作日", "每周末", lambda days: "每周" + "、".join(CHINESE[day] for day in days)
        )
    if schedule.months == QUARTERS:
        return "每季度第一天"
    if len(schedule.months) == 1:
        return f"每年{min(schedule.months)}月{''.join(dates)}"
    if dates or schedule.last_day:
        return "每月" + "、".join([*dates, *(["最后一天"] if schedule.last_day else [])])
    return "每天"


def _english(schedule: Schedule) -> str:
    dates = [f"{day}{ENDINGS.get(day, 'th')}" for day in sorted(schedule.days or ())]
    if schedule.weekdays is not None:
        return _week(
            schedule.weekdays,
            "every weekday",
            "every weekend",
            lambda days: "every " + ", ".join(DAYS[day] for day in days),
        )
    if schedule.months == QUARTERS:
        return "first day of every quarter"
    if len(schedule.months) == 1:
        return f"every year on {MONTHS[min(schedule.months) - 1]} {', '.join(dates)}"
    if not dates and schedule.last_day:
        return "last day of every month"
    if dates:
        return "every month on the " + ", ".join([*dates, *(["last day"] if schedule.last_day else [])])
    return "every day"


def _week(days: Collection[int], work: str, end: str, named: Callable[[list[int]], str]) -> str:
    if days in (WORKDAYS, WEEKEND):
        return work if days == WORKDAYS else end
    return named(sorted(days, key=lambda day: day or 7))
