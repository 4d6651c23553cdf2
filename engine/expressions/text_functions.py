"""The functions on texts. Pure; every result is bounded in length, positions count characters from 1."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from engine.expressions.arithmetic import MAX_TEXT, bounded, failed, settled, whole
from engine.expressions.function import Function, Parameter
from engine.expressions.types import BOOLEAN, NUMBER, TEXT, Kind
from engine.labels import Label

T = Parameter("text", (Kind.TEXT,))
PART = Parameter("part", (Kind.TEXT,))
N = Parameter("n", (Kind.NUMBER,))


def concat(*texts: str | None) -> str:
    return bounded("".join(text for text in texts if text is not None))


def length(text: str) -> Decimal:
    return Decimal(len(text))


def _count(n: Decimal, function: str) -> int:
    count = whole(n, function)
    if count < 0:
        raise failed("expression.negative", function=function, value=n)
    return count


def left(text: str, n: Decimal) -> str:
    return text[: _count(n, "left")]


def right(text: str, n: Decimal) -> str:
    """The last ``n`` characters. Raises ``EvaluationFailed`` for a negative or broken ``n``."""
    count = _count(n, "right")
    return text[-count:] if count else ""


def mid(text: str, start: Decimal, n: Decimal) -> str:
    """``n`` characters from position ``start``, counted from 1."""
    first = _count(start, "mid")
    if first == 0:
        raise failed("expression.negative", function="mid", value=start)
    return text[first - 1 : first - 1 + _count(n, "mid")]


def upper(text: str) -> str:
    return bounded(text.upper())


def lower(text: str) -> str:
    return bounded(text.lower())


def replaced(text: str, old: str, new: str) -> str:
    """Every ``old`` replaced by ``new``; an empty ``old`` replaces nothing."""
    if not old:
        return text
    # the length is known before the text is built, so that nothing large is ever made
    if len(text) + text.count(old) * (len(new) - len(old)) > MAX_TEXT:
        raise failed("expression.text_too_long", limit=MAX_TEXT)
    return text.replace(old, new)


def shown(value: Decimal | str | date | datetime) -> str:
    """Numbers plainly without trailing zeros, dates as 2026-01-20, moments as 2026-01-20 14:30."""
    match value:
        case str():
            return value
        case datetime():
            return value.isoformat(" ", "minutes")
        case date():
            return value.isoformat()
        case _:
            text = f"{settled(Decimal(value)):f}"
            return text.rstrip("0").rstrip(".") if "." in text else text


TEXT_FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="concat", parameters=(Parameter("a", (Kind.TEXT,), repeats=True),), result=TEXT, call=concat, strict=False,
        help=Label("把文本依次连接，空值略过", "texts one behind the other, empty ones left out"),
        example="concat(code, '-', name)",
    ),
    Function(
        name="len", parameters=(T,), result=NUMBER, call=length,
        help=Label("字符数", "number of characters"), example="len(name)",
    ),
    Function(
        name="left", parameters=(T, N), result=TEXT, call=left,
        help=Label("左边 n 个字符", "the first n characters"), example="left(code, 2)",
    ),
    Function(
        name="right", parameters=(T, N), result=TEXT, call=right,
        help=Label("右边 n 个字符", "the last n characters"), example="right(code, 4)",
    ),
    Function(
        name="mid", parameters=(T, Parameter("start", (Kind.NUMBER,)), N), result=TEXT, call=mid,
        help=Label("从第 start 个字符起取 n 个", "n characters from position start, counted from 1"),
        example="mid(code, 3, 2)",
    ),
    Function(
        name="upper", parameters=(T,), result=TEXT, call=upper,
        help=Label("转为大写", "in capital letters"), example="upper(code)",
    ),
    Function(
        name="lower", parameters=(T,), result=TEXT, call=lower,
        help=Label("转为小写", "in small letters"), example="lower(code)",
    ),
    Function(
        name="trim", parameters=(T,), result=TEXT, call=str.strip,
        help=Label("去掉首尾空白", "without white space at both ends"), example="trim(name)",
    ),
    Function(
        name="contains", parameters=(T, PART), result=BOOLEAN, call=lambda text, part: part in text,
        help=Label("文本中含有 part，区分大小写", "whether part occurs in it, case-sensitive"),
        example="contains(name, '电池')",
    ),
    Function(
        name="starts_with", parameters=(T, PART), result=BOOLEAN, call=str.startswith,
        help=Label("以 part 开头", "whether it begins with part"), example="starts_with(code, 'A')",
    ),
    Function(
        name="ends_with", parameters=(T, PART), result=BOOLEAN, call=str.endswith,
        help=Label("以 part 结尾", "whether it ends with part"), example="ends_with(code, 'X')",
    ),
    Function(
        name="replace", parameters=(T, Parameter("old", (Kind.TEXT,)), Parameter("new", (Kind.TEXT,))), result=TEXT,
        call=replaced, help=Label("把 old 全部换成 new", "every old replaced by new"),
        example="replace(phone, '-', '')",
    ),
    Function(
        name="text", parameters=(Parameter("x", (Kind.NUMBER, Kind.TEXT, Kind.DATE, Kind.DATETIME)),), result=TEXT,
        call=shown, help=Label("把数字或日期写成文本", "a number or date as text"), example="text(qty)",
    ),
)  # fmt: skip
