"""The functions on dates and moments. Pure: today and now come from the ``Clock`` that the caller hands in."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from decimal import Decimal

from engine.expressions.arithmetic import failed, whole
from engine.expressions.function import Function, Parameter
from engine.expressions.tree import Clock
from engine.expressions.types import DATE, DATETIME, NUMBER, Kind
from engine.labels import Label

DAY = Parameter("date", (Kind.DATE, Kind.DATETIME))
SAME_DAY = Parameter("date", (Kind.DATE, Kind.DATETIME), same=True)
N = Parameter("n", (Kind.NUMBER,))


def made(year: Decimal, month: Decimal, day: Decimal) -> date:
    """The date, or ``EvaluationFailed`` when there is no such day (2026-02-30)."""
    y, m, d = (whole(part, "date") for part in (year, month, day))
    try:
        return date(y, m, d)
    except ValueError as error:
        raise failed("expression.no_such_date", year=y, month=m, day=d) from error


def day_of(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def add_days(day: date, n: Decimal) -> date:
    try:
        return day + timedelta(days=whole(n, "add_days"))
    except OverflowError as error:
        raise failed("expression.date_out_of_range") from error


def add_months(day: date, n: Decimal) -> date:
    """The same day ``n`` months on; the last of the month where that has no such day (31 January + 1 → 28 February)."""
    months = day.year * 12 + day.month - 1 + whole(n, "add_months")
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise failed("expression.date_out_of_range")
    return day.replace(year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_start(day: date) -> date:
    return day_of(day).replace(day=1)


def month_end(day: date) -> date:
    return day_of(day).replace(day=calendar.monthrange(day.year, day.month)[1])


def days_between(start: date, end: date) -> Decimal:
    return Decimal((day_of(end) - day_of(start)).days)


def today(clock: Clock) -> date:
    return clock.today


def now(clock: Clock) -> datetime:
    return clock.now


DATE_FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="date", result=DATE, call=made,
        parameters=(Parameter("y", (Kind.NUMBER,)), Parameter("m", (Kind.NUMBER,)), Parameter("d", (Kind.NUMBER,))),
        help=Label("由年、月、日得到日期", "the date of year, month and day"), example="date(2026, 1, 20)",
    ),
    Function(
        name="date_of", parameters=(DAY,), result=DATE, call=day_of,
        help=Label("时间所在的日期", "the date of a moment"), example="date_of(created_at)",
    ),
    Function(
        name="year", parameters=(DAY,), result=NUMBER, call=lambda day: Decimal(day.year),
        help=Label("年份", "the year"), example="year(biz_date)",
    ),
    Function(
        name="month", parameters=(DAY,), result=NUMBER, call=lambda day: Decimal(day.month),
        help=Label("月份，1 到 12", "the month, 1 to 12"), example="month(biz_date)",
    ),
    Function(
        name="day", parameters=(DAY,), result=NUMBER, call=lambda day: Decimal(day.day),
        help=Label("日，1 到 31", "the day of the month, 1 to 31"), example="day(biz_date)",
    ),
    Function(
        name="weekday", parameters=(DAY,), result=NUMBER, call=lambda day: Decimal(day.isoweekday()),
        help=Label("星期几，星期一为 1，星期日为 7", "the day of the week, Monday 1 to Sunday 7"),
        example="weekday(biz_date)",
    ),
    Function(
        name="add_days", parameters=(SAME_DAY, N), result=None, call=add_days,
        help=Label("n 天之后，n 可为负", "n days later, n may be negative"), example="add_days(biz_date, 30)",
    ),
    Function(
        name="add_months", parameters=(SAME_DAY, N), result=None, call=add_months,
        help=Label("n 个月之后，超过月底取月底", "n months later, at most the last of the month"),
        example="add_months(biz_date, 1)",
    ),
    Function(
        name="days_between", parameters=(Parameter("start", DAY.kinds), Parameter("end", DAY.kinds)), result=NUMBER,
        call=days_between, help=Label("从 start 到 end 的天数", "days from start to end"),
        example="days_between(biz_date, today())",
    ),
    Function(
        name="month_start", parameters=(DAY,), result=DATE, call=month_start,
        help=Label("当月第一天", "the first of the month"), example="month_start(biz_date)",
    ),
    Function(
        name="month_end", parameters=(DAY,), result=DATE, call=month_end,
        help=Label("当月最后一天", "the last of the month"), example="month_end(biz_date)",
    ),
    Function(
        name="today", parameters=(), result=DATE, call=today, clock=True,
        help=Label("今天", "the current date"), example="today()",
    ),
    Function(
        name="now", parameters=(), result=DATETIME, call=now, clock=True,
        help=Label("现在", "the current moment"), example="now()",
    ),
)  # fmt: skip
