"""Whatever is typed, the language answers with a value or a problem, in bounded time; storing it changes nothing."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions import FUNCTIONS, Checked, EvaluationFailed, evaluate, evaluate_traced, parse
from engine.expressions.tree import Tree
from runtime.messages.catalogue import Catalogue
from tests.properties.expression_world import CLOCK, SCOPE, VALUES, checked

PIECES = st.sampled_from(
    [
        *SCOPE.names, *FUNCTIONS, *SCOPE.labels[""], "lines.qty", "lines.product.code", "customer.owner", "me.name",
        "iff", "if", "else", "and", "or", "not", "in", "True", "None", "真",
        *"+-*/%()[],.<>='\"", "//", "==", "!=", "<=", ">=", "（", "）", "，", "×", "“", "”", "**", "{", "}",
        ":", "\\", "\n",
        "0", "1", "2.5", "99999999999999999999", "0.000001", "1e5", "'a'", "'draft'", "''", "_", "__class__", "lambda",
        "f'",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=25).map("".join),
    st.lists(PIECES, max_size=25).map(" ".join),
)
NUMBERS = st.sampled_from(
    ["qty", "price", "zero", "neg", "discount", "big", "0", "1", "2.5", "0.001", "customer.credit_limit"]
)
WORDS = st.sampled_from(["name", "code", "remark", "status", "'draft'", "''", "'电'", "me.name", "customer.name"])
DAYS = st.sampled_from(["biz_date", "due", "today()", "date_of(created_at)", "date(2026, 2, 28)"])
LINE_NUMBERS = st.sampled_from(["lines.qty", "lines.price", "lines.product.safety_stock", "qty", "2"])


def numbers() -> st.SearchStrategy[str]:
    """Well-typed texts whose value is a number, or a failure."""
    per_line = st.recursive(
        LINE_NUMBERS,
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
            st.builds("coalesce({}, {})".format, inner, inner),
        ),
        max_leaves=4,
    )
    leaves = st.one_of(
        NUMBERS,
        st.builds("{}(lines.qty * 1 + {})".format, st.sampled_from(["sum", "avg", "min", "max", "count"]), per_line),
        st.builds("days_between({}, {})".format, DAYS, DAYS),
        st.builds("len({})".format, WORDS),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner),
            st.builds("round({}, {})".format, inner, st.integers(-3, 6)),
            st.builds("-{}".format, inner),
            st.builds("if({} < {}, {}, {})".format, inner, inner, inner, inner),
            st.builds("{} if {} in ({}, None) else {}".format, inner, inner, inner, inner).map("({})".format),
            st.builds("max({}, {})".format, inner, inner),
        ),
        max_leaves=8,
    )


def outcome(text: str) -> object:
    """The value, or the code of the problem."""
    result = checked(text)
    if not isinstance(result, Checked):
        return result[0].code
    try:
        return evaluate(result, VALUES, CLOCK)
    except EvaluationFailed as failed:
        return failed.problem.code


@settings(max_examples=1500, deadline=2000)
@given(TEXTS)
def test_any_text_is_answered(text: str) -> None:
    result = outcome(text)
    assert result is None or isinstance(result, Decimal | str | bool | date | datetime | int | tuple)


@settings(max_examples=300, deadline=2000)
@given(TEXTS)
def test_every_problem_has_its_sentence(catalogue: Catalogue, text: str) -> None:
    result = checked(text)
    for problem in result if isinstance(result, tuple) else ():
        for language in ("zh", "en"):
            sentence, _ = catalogue.text(problem, language)
            assert sentence
        assert 1 <= int(str(problem.params.get("column", 1))) <= max(len(text), 1)


@settings(max_examples=400, deadline=2000)
@given(numbers())
def test_canonical_text_means_the_same(text: str) -> None:
    result = checked(text)
    if not isinstance(result, Checked):
        assert result[0].code in ("expression.too_deep", "expression.too_long", "expression.too_many_nodes")
        return
    again = checked(result.text)
    assert isinstance(again, Checked)
    assert again.text == result.text
    assert again.names == result.names
    assert again.type == result.type
    assert outcome(result.text) == outcome(text)


@settings(max_examples=200, deadline=2000)
@given(numbers())
def test_a_trace_changes_nothing(text: str) -> None:
    result = checked(text)
    if isinstance(result, Checked) and not isinstance(value := outcome(text), str):
        assert evaluate_traced(result, VALUES, CLOCK).value == value


@pytest.mark.parametrize(
    "text",
    [
        "'x' * 10**9",
        "'x' * 1000000000",
        "9**9**9",
        "9" * 2_000,
        "1" + "0" * 1_990 + "*1",
        "(" * 1_000 + ")" * 1_000,
        "[" * 2_000,
        "-" * 2_000,
        "not " * 499 + "真",
        "'x'.ljust(1000000000)",
        "'%100000000d' % 1",
        "'{:>1000000000}'.format(1)",
        "().__class__.__bases__[0].__subclasses__()",
        "__import__('os').system('true')",
        "lines.__class__",
        "me.__init__.__globals__",
        "round.__self__",
        "(lambda: 1)()",
        "[a for a in lines]",
        "f'{qty}'",
        "qty if qty else qty " * 100,
        "if(" * 200 + "qty" + ")" * 200,
        "a" * 2_000,
        "字" * 2_000,
        "ﷺ" * 2_000,
        "\x00",
        "'\ud800'",
        "qty\n+\n1",
        "1" * 10_000_000,
        "replace(replace(replace(name, '', 'xx'), 'A', '" + "y" * 900 + "'), 'y', '" + "z" * 900 + "')",
        "+".join(["big"] * 60),
        "*".join(["big"] * 60),
        "sum(" * 50 + "lines.qty" + ")" * 50,
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_attacks_are_answered(text: str) -> None:
    result = outcome(text)
    assert result is None or isinstance(result, str | Decimal)


def test_plain_neighbours_of_the_attacks_work() -> None:
    assert outcome("ROUND(qty*price,2)") == Decimal("3.71")
    assert outcome("concat('x', 'x')") == "xx"
    assert outcome("'%100d'") == "%100d"
    assert isinstance(parse("qty\n+\n1"), Tree)
    assert outcome("qty\n+\n1") == 4
