"""Properties of the field types over generated input: no input breaks a promise, and no number is ever changed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.fieldtypes import BUILT_IN
from engine.fieldtypes.barcode import check_digit
from engine.fieldtypes.contract import read
from engine.fieldtypes.digits import plain
from engine.fieldtypes.text_pattern import fault, matches
from engine.fieldtypes.words import cleaned, half_width
from engine.values import fits
from tests.contracts.field_type_contract import assert_sane
from tests.contracts.field_type_subjects import SUBJECTS

SPICE = st.sampled_from(list("0123456789.,+-()%¥￥元万亿/年月日时分 :TZeE@*#'\"，、；１２（）\u200b\u00a0\u3000\n\x00"))
TEXTS = st.one_of(st.text(max_size=60), st.text(SPICE, max_size=30), st.text(st.characters(), max_size=20))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.dates(),
    st.datetimes(),
    TEXTS,
    st.binary(max_size=5),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "detail", "city", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("name", SUBJECTS)
@QUICK
@given(raw=ANYTHING)
def test_nothing_breaks_a_promise(name: str, raw: object) -> None:
    assert_sane(SUBJECTS[name], raw)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_cleaning_is_idempotent(text: str) -> None:
    for clean in (cleaned, half_width):
        assert clean(clean(text)) == clean(text)
    once = cleaned(text, multiline=True)
    assert cleaned(once, multiline=True) == once


@settings(max_examples=300, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_numbers_come_back_exactly_in_every_spelling(number: Decimal) -> None:
    kind = BUILT_IN["number"]
    options = kind.options.model_validate({"decimals": 6})
    digits = f"{abs(number):,f}"
    wide = digits.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789.,"})
    sign = "-" if number < 0 else ""
    bracketed = f"({digits})" if number < 0 else digits
    for spelling in (number, str(number), sign + digits, f"{sign}¥{digits}元", sign + wide, bracketed, f"{number:E}"):
        assert read(kind, spelling, options) == (number, ())
    assert "E" not in plain(number) and Decimal(plain(number)) == number


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**14), 10**14), st.integers(0, 4))
def test_a_spreadsheet_number_means_the_decimal_it_shows(units: int, places: int) -> None:
    number = Decimal(units).scaleb(-places)
    kind = BUILT_IN["money"]
    assert read(kind, float(number), kind.options.model_validate({"decimals": 4})) == (number, ())


@settings(max_examples=300, deadline=None)
@given(
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(["number", "quantity", "price", "money", "percent"]),
)
def test_a_number_is_kept_whole_or_refused(number: Decimal, name: str) -> None:
    kind = BUILT_IN[name]
    options = kind.options.model_validate({"min": None})
    value, problems = read(kind, number, options)
    if problems:
        assert {problem.code for problem in problems} <= {"field.too_precise", "field.out_of_range"}
    else:
        assert isinstance(value, Decimal)
        assert value == number and fits(value, kind.column(options).scale)


@settings(max_examples=300, deadline=None)
@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_days_come_back_in_every_spelling(day: date) -> None:
    kind = BUILT_IN["date"]
    y, m, d = day.year, day.month, day.day
    serial = (day - date(1899, 12, 30)).days if day >= date(1900, 3, 1) else (day - date(1899, 12, 31)).days
    compact = f"{y}{m:02}{d:02}"
    texts = (f"{y}-{m}-{d}", f"{y}/{m:02}/{d:02}", f"{y}.{m}.{d}", f"{y}年{m}月{d}日", compact)
    for spelling in (*texts, serial, float(serial), Decimal(serial), day, int(compact)):
        assert read(kind, spelling, kind.options()) == (day, ()), spelling


@settings(max_examples=300, deadline=None)
@given(st.datetimes(datetime(1900, 3, 1), datetime(2200, 12, 31, 23, 59, 58)))
def test_moments_survive_excels_fractions(moment: datetime) -> None:
    kind = BUILT_IN["datetime"]
    moment = moment.replace(microsecond=0)
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    for spelling in (moment, moment.isoformat(), moment.isoformat(" "), serial):
        assert read(kind, spelling, kind.options()) == (moment, ()), spelling


@settings(max_examples=200, deadline=None)
@given(st.from_regex("[0-9]{7}|[0-9]{11,13}", fullmatch=True), st.integers(1, 9))
def test_one_wrong_digit_of_a_gtin_is_found(body: str, shift: int) -> None:
    kind = BUILT_IN["barcode"]
    right = body + str(check_digit(body))
    wrong = body + str((check_digit(body) + shift) % 10)
    assert read(kind, right, kind.options()) == (right, ())
    assert [problem.code for problem in read(kind, wrong, kind.options())[1]] == ["field.check_digit"]


@settings(max_examples=300, deadline=3000)
@given(
    st.text(st.sampled_from(list("ab01.*+?{}()[]|^$\\dw,2-")), max_size=16),
    st.sampled_from(["a" * 200, "ab" * 100, "0" * 199 + "!"]),
)
def test_no_pattern_that_is_let_through_takes_long(pattern: str, text: str) -> None:
    assume(pattern)
    if not fault(pattern):
        assert matches(pattern, text) in (True, False)
