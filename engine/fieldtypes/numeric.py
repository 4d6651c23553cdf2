"""Numbers as people and spreadsheets write them, and the type all decimal fields share.

Reading never rounds: what does not fit the decimals of the field, or 64 bits at rest, is refused. Knows no units and
no currency conversion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from engine.document import Value
from engine.expressions.types import NUMBER, ValueType
from engine.fieldtypes.contract import ORDERED, Column, NoOptions, Operator, Parsed, Storage
from engine.fieldtypes.digits import exact_decimal, plain
from engine.fieldtypes.words import half_width, is_blank, shown
from engine.labels import Language
from engine.problems import Problem, problem
from engine.values import MOST_PLACES, ZERO, fits, rounded

LONGEST_TEXT = 500
INTEGER_DIGITS = 19

SPLIT_DIGITS = re.compile(r"[0-9.,]\s+[0-9.,]")
WRITTEN = re.compile(
    r"(?P<open>\()?(?P<sign>[+-])?(?:¥|rmb|cny|人民币)?(?P<late_sign>[+-])?"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?P<fraction>\.[0-9]*)?(?P<exponent>e[+-]?[0-9]{1,3})?"
    r"(?P<times>[万亿])?(?:元|圆)?(?:/\w{1,8})?(?P<close>\))?"
)
# Nothing but digits, and few enough for 64 bits at every scale: what pages and spreadsheets mostly deliver.
SIMPLE_LIMIT = 10**9
SIMPLE = re.compile(r"(-?[0-9]{1,9})(?:\.([0-9]{0,8}[1-9])?0{0,9})?")
SCALED = tuple(Column(Storage.SCALED, scale=scale) for scale in range(MOST_PLACES + 1))
TIMES = MappingProxyType({"万": 4, "亿": 8, None: 0})


class DecimalOptions(NoOptions):
    """Options every decimal field has: how many decimals may be typed, and the limits (inclusive)."""

    decimals: Annotated[int, Field(ge=0, le=6)] = 2
    min: Decimal | None = None
    max: Decimal | None = None

    @model_validator(mode="after")
    def _limits_in_order(self) -> DecimalOptions:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("definition.limits_reversed", "min is above max")
        return self


def simple_decimal(raw: object, decimals: int) -> Decimal | None:
    """``raw`` in its plain form where that is told at one look; None where it has to be read with care."""
    if type(raw) is int:
        return Decimal(raw) if -SIMPLE_LIMIT < raw < SIMPLE_LIMIT else None
    found = SIMPLE.fullmatch(str(raw)) if type(raw) is str or type(raw) is Decimal else None
    if found is None:
        return None
    whole, fraction = found[1], found[2] or ""
    if len(fraction) > decimals:
        return None
    return Decimal(f"{whole}.{fraction}" if fraction else whole) or ZERO


def read_decimal(raw: object, suffix: str = "") -> Decimal | Problem:
    """``raw`` as an exact number.

    Reads Python numbers and text with thousands separators, ¥ and 元, 万 and 亿, full-width digits, an exponent, or
    accountants' brackets for a negative; ``suffix`` is a word that may follow (``%``, 天).
    Problems: ``field.not_a_number``, ``field.float_too_long``.
    """
    if isinstance(raw, str):
        number = written_number(half_width(raw[: LONGEST_TEXT + 1]), suffix) if len(raw) <= LONGEST_TEXT else None
    elif isinstance(raw, int | float | Decimal) and not isinstance(raw, bool):
        found = exact_decimal(raw)
        if isinstance(found, Problem):
            return found
        number = found
    else:
        number = None
    return problem("field.not_a_number", value=shown(raw)) if number is None else number


def written_number(text: str, suffix: str = "") -> Decimal | None:
    """The number ``text`` spells, or None. A leading apostrophe (Excel's "this is text") does not count."""
    text = text.removeprefix("'").casefold()
    text = text.removesuffix(suffix.casefold()).rstrip() if suffix else text
    if SPLIT_DIGITS.search(text):  # "1 2" may be two numbers
        return None
    match = WRITTEN.fullmatch("".join(text.split()))
    if match is None or bool(match["open"]) != bool(match["close"]) or (match["sign"] and match["late_sign"]):
        return None
    digits = match["whole"].replace(",", "") + (match["fraction"] or "")
    if not any(character.isdigit() for character in digits):
        return None
    value = Decimal(digits + (match["exponent"] or "")).scaleb(TIMES[match["times"]])
    minus = "-" in (match["sign"], match["late_sign"]) or bool(match["open"])
    return value.copy_negate() if minus else value


def fitted(value: Decimal, decimals: int, scale: int) -> Decimal | Problem:
    """``value`` in its plain form.

    Problems: ``field.out_of_range``, ``field.too_precise``, ``field.not_an_integer``.
    """
    if not value:
        return Decimal(0)
    if value.adjusted() >= INTEGER_DIGITS:
        return problem("field.out_of_range", value=shown(value))
    if value.adjusted() >= -decimals:
        exact = Decimal(plain(value))
        if -int(exact.as_tuple().exponent) <= decimals:
            return exact if fits(exact, scale) else problem("field.out_of_range", value=shown(exact))
    if decimals == 0:
        return problem("field.not_an_integer", value=shown(value))
    return problem("field.too_precise", value=shown(value), decimals=decimals)


def outside(value: Decimal, least: Decimal | None, most: Decimal | None) -> Iterator[Problem]:
    """Problems of a number outside the limits."""
    if least is not None and value < least:
        yield problem("field.too_small", value=value, min=least)
    if most is not None and value > most:
        yield problem("field.too_large", value=value, max=most)


def grouped(value: Decimal, least: int = 0) -> str:
    """``1234.500`` → ``1,234.5``; at least ``least`` decimals are shown."""
    whole, _, fraction = plain(value).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    fraction = fraction.ljust(least, "0")
    return f"{sign}{int(digits):,}" + (f".{fraction}" if fraction else "")


def fixed(value: Decimal, places: int) -> str:
    """``1234.5`` → ``1,234.50`` with exactly ``places`` decimals, rounded half up."""
    return f"{rounded(value, places):,.{places}f}"


class DecimalField:
    """What number, integer, quantity, price, money and percent have in common; each adds its scale and its look."""

    name: ClassVar[str]
    options: ClassVar[type[BaseModel]] = DecimalOptions
    operators: ClassVar[tuple[Operator, ...]] = ORDERED
    widget: ClassVar[str] = "number"
    scale: ClassVar[int] = 6

    def value_type(self, options: BaseModel) -> ValueType:
        return NUMBER

    def column(self, options: BaseModel) -> Column:
        return SCALED[self.scale]

    def suffix(self, options: BaseModel) -> str:
        """A word that may follow the digits when typed."""
        return ""

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        decimals = DecimalOptions.of(options).decimals
        simple = simple_decimal(raw, decimals)
        if simple is not None:
            return simple
        if is_blank(raw):
            return None
        value = read_decimal(raw, self.suffix(options))
        if not isinstance(value, Problem):
            value = fitted(value, decimals, self.scale)
        return (value,) if isinstance(value, Problem) else value

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        own = DecimalOptions.of(options)
        limited = own.min is not None or own.max is not None
        return outside(value, own.min, own.max) if limited and isinstance(value, Decimal) else iter(())

    def to_json(self, value: Value, options: BaseModel) -> object:
        return plain(value) if isinstance(value, Decimal) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        return grouped(value) if isinstance(value, Decimal) else ""

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        own = DecimalOptions.of(options)
        minus = "" if own.min is not None and own.min >= 0 else "-?"
        fraction = f"(\\.[0-9]{{1,{own.decimals}}})?" if own.decimals else ""
        return {
            "type": "string",
            "pattern": f"^{minus}(0|[1-9][0-9]{{0,{INTEGER_DIGITS - 1 - self.scale}}}){fraction}$",
        }
