"""Schedules in plain words, Chinese and English: ``每天 17:30``, ``every monday and friday at 9:00``, ``每月最后一天``.

A text is a list of days and a list of times. What names no time is due at 08:00; what is not understood is a problem,
never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from engine.problems import Problem, problem
from engine.schedules.cron import MONTHS, WEEKDAYS
from engine.schedules.schedule import MINUTES, Schedule

MORNING = 8 * 60
QUARTERS = frozenset({1, 4, 7, 10})
WORKDAYS = frozenset(range(1, 6))
WEEKEND = frozenset({0, 6})
CHINESE_DAYS: Mapping[str, int] = MappingProxyType(
    {word: number for number, word in enumerate("日一二三四五六")} | {"天": 0}
)
ENGLISH_DAY = "(?:sun|mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?)(?:days?)?"
ENGLISH_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
AND = r"(?:\s*(?:,|、|，|和|及|与|and|&)\s*)+"
TO = r"\s*(?:-|~|至|到|to|through)\s*"
CHINESE_TIME = (
    r"(?:凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|晚)?\s*\d{1,2}\s*(?::\s*\d{2}|[点时]\s*(?:半|\d{1,2}\s*分?)?)"
)
ENGLISH_TIME = r"(?:\d{1,2}(?::\d{2})?\s*(?:am|pm)|\d{1,2}:\d{2}|noon|midnight)"
TIMES = re.compile(rf"(?:\s|at|在|的)*((?:{CHINESE_TIME}|{ENGLISH_TIME})(?:{AND}(?:{CHINESE_TIME}|{ENGLISH_TIME}))*)$")
AFTERNOON = ("下午", "傍晚", "晚上", "晚")


def in_words(text: str) -> Schedule | Problem:
    """The schedule plain words mean."""
    plain = text.strip().lower().replace("：", ":").replace("號", "号").replace("　", " ")
    if (interval := _interval(plain)) is not None:
        return interval
    found = TIMES.search(plain)
    times = _times(found[1]) if found else (MORNING,)
    days = plain[: found.start()].strip() if found else plain
    for pattern, meaning in DAYS:
        match = pattern.fullmatch(days)
        if match is not None and times is not None:
            made = meaning(match, times)
            if made is not None:
                return made
    return problem("definition.schedule", "", value=text[:60])


def _interval(text: str) -> Schedule | Problem | None:
    match = re.fullmatch(r"每(?:隔)?\s*(半|\d{1,3})?\s*(?:个)?\s*(分钟|小时|钟头)", text)
    english = re.fullmatch(r"(?:every\s+)?(\d{1,3}|half an|half)?\s*(minute|hour|hourly)s?", text)
    if match is None and english is None:
        return None
    amount, unit = (match or english).groups()  # type: ignore[union-attr]
    half = amount is not None and not amount.isdigit()
    minutes = 30 if half else int(amount or 1) * (1 if unit in ("分钟", "minute") else 60)
    if minutes < 1 or MINUTES % minutes:
        return problem("definition.schedule_interval", "", value=text[:60])
    return Schedule(times=tuple(range(0, MINUTES, minutes)))


def _times(text: str) -> tuple[int, ...] | None:
    found = [_time(part) for part in re.split(AND, text)]
    return tuple(sorted({each for each in found if each is not None})) if None not in found else None


def _time(text: str) -> int | None:
    if text in ("noon", "midnight"):
        return 12 * 60 if text == "noon" else 0
    numbers = re.findall(r"\d+", text)
    hour, minute = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 30 if "半" in text else 0
    if text.endswith(("am", "pm")):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if text.endswith("pm") else 0)
    elif (text.startswith(AFTERNOON) and hour < 12) or (text.startswith("中午") and hour < 6):
        hour += 12
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def _every_day(match: re.Match[str], times: tuple[int, ...]) -> Schedule:
    return Schedule(times=times)


def _workdays(match: re.Match[str], times: tuple[int, ...]) -> Schedule:
    return Schedule(times=times, weekdays=WORKDAYS)


def _weekend(match: re.Match[str], times: tuple[int, ...]) -> Schedule:
    return Schedule(times=times, weekdays=WEEKEND)


def _chinese_week(match: re.Match[str], times: tuple[int, ...]) -> Schedule | None:
    return _week(match[1], times, lambda word: CHINESE_DAYS[word[-1]])


def _english_week(match: re.Match[str], times: tuple[int, ...]) -> Schedule | None:
    return _week(match[1], times, lambda word: WEEKDAYS[word[:3]])


def _week(text: str, times: tuple[int, ...], number: Callable[[str], int]) -> Schedule | None:
    days: set[int] = set()
    for part in re.split(AND, text):
        ends = [number(word.strip()) for word in re.split(TO, part)]
        last = ends[-1] if ends[-1] >= ends[0] else ends[-1] + 7
        days.update(day % 7 for day in range(ends[0], last + 1))
    return Schedule(times=times, weekdays=frozenset(days))


def _month_days(match: re.Match[str], times: tuple[int, ...]) -> Schedule | None:
    days = frozenset(int(each) for each in re.findall(r"\d+", match[1]))
    last = "最后" in match[1] or "last" in match[1] or "末" in match[1]
    if not all(1 <= day <= 31 for day in days):
        return None
    return Schedule(times=times, days=days, last_day=last)


def _month_end(match: re.Match[str], times: tuple[int, ...]) -> Schedule:
    return Schedule(times=times, days=frozenset(), last_day=True)


def _month_start(match: re.Match[str], times: tuple[int, ...]) -> Schedule:
    return Schedule(times=times, days=frozenset({1}))


def _quarter(match: re.Match[str], times: tuple[int, ...]) -> Schedule:
    return Schedule(times=times, months=QUARTERS, days=frozenset({1}))


def _year(match: re.Match[str], times: tuple[int, ...]) -> Schedule | None:
    month = MONTHS.get(match[1][:3]) or (int(match[1]) if match[1].isdigit() else 0)
    day = int(match[2])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return Schedule(times=times, months=frozenset({month}), days=frozenset({day}))


_WEEKDAY = r"(?:(?:每)?(?:周|星期|礼拜))?[一二三四五六日天]"
_ENGLISH_LIST = rf"{ENGLISH_DAY}(?:(?:{AND}|{TO}|\s+){ENGLISH_DAY})*"
_DAY_OF_MONTH = r"(?:\d{1,2}\s*[日号]?|最后一[天日])"
_ORDINAL = r"(?:\d{1,2}(?:st|nd|rd|th)?|last day|last)"
DAYS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], tuple[int, ...]], Schedule | None]], ...] = (
    (re.compile(r"每[天日]|daily|every\s*day"), _every_day),
    (re.compile(r"(?:每个?)?(?:工作日|平日)|(?:every |on )?(?:weekdays?|working days?)"), _workdays),
    (re.compile(r"(?:每个?)?周末|(?:every |on )?weekends?"), _weekend),
    (re.compile(rf"每?(?:周|星期|礼拜)({_WEEKDAY}(?:(?:{AND}|{TO}){_WEEKDAY})*)"), _chinese_week),
    (re.compile(rf"(?:(?:every|weekly|on)\s+)*({_ENGLISH_LIST})"), _english_week),
    (re.compile(r"每?(?:个)?月(?:的)?(?:最后一[天日]|末|底)"), _month_end),
    (re.compile(rf"每(?:个)?月(?:的)?({_DAY_OF_MONTH}(?:{AND}{_DAY_OF_MONTH})*)"), _month_days),
    (re.compile(r"(?:on )?(?:the )?last day of (?:every|each|the) month"), _month_end),
    (re.compile(r"(?:on )?(?:the )?first day of (?:every|each|the) month"), _month_start),
    (
        re.compile(rf"(?:every month|monthly)(?: on)?(?: the)?(?: day)? ({_ORDINAL}(?:{AND}(?:the )?{_ORDINAL})*)"),
        _month_days,
    ),
    (re.compile(r"每(?:个)?季度?(?:的)?(?:第一[天日]|首日|初)|(?:on )?(?:the )?first day of every quarter"), _quarter),
    (re.compile(r"每年(?:的)?\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]"), _year),
    (re.compile(rf"(?:every year|yearly) on ({ENGLISH_MONTH}|\d{{1,2}})[ -/](\d{{1,2}})(?:st|nd|rd|th)?"), _year),
)
