"""The expression language, row by row: what a text is worth, what it is stored as, and what is wrong with it.

A row that begins with ``#`` names a section. Values are written as the language writes them; dates as ISO.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.expressions import (
    FUNCTIONS,
    Checked,
    EvaluationFailed,
    Function,
    Kind,
    Parameter,
    Row,
    ValueType,
    check,
    evaluate,
    evaluate_traced,
    parse,
)
from engine.expressions.source import quoted
from engine.expressions.text_functions import shown
from engine.expressions.tree import Tree
from engine.expressions.types import BOOLEAN, NUMBER, TEXT
from engine.labels import Label
from tests.properties.expression_world import CLOCK, PALLET, SCOPE, STATUS, VALUES, checked

CASES = Path(__file__).parent.parent / "cases" / "expressions"


def rows(name: str) -> Iterator[dict[str, str]]:
    with (CASES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not str(row["expression"]).startswith("#"):
                yield row


def written(value: object) -> str:
    match value:
        case str():
            return quoted(value)
        case datetime():
            return value.isoformat(" ")
        case date():
            return value.isoformat()
        case Decimal():
            return shown(value)
        case _:
            return repr(value)


def ready(text: str) -> Checked:
    result = checked(text)
    assert isinstance(result, Checked), result
    return result


@pytest.mark.parametrize("row", tuple(rows("values")), ids=lambda row: row["expression"])
def test_value(row: dict[str, str]) -> None:
    ready_ = ready(row["expression"])
    value = evaluate(ready_, VALUES, CLOCK)
    assert written(value) == row["value"]
    assert evaluate(ready(ready_.text), VALUES, CLOCK) == value
    assert evaluate_traced(ready_, VALUES, CLOCK).value == value


@pytest.mark.parametrize("row", tuple(rows("canonical")), ids=lambda row: row["expression"])
def test_canonical_text(row: dict[str, str]) -> None:
    result = ready(row["expression"])
    names = " ".join(sorted(".".join(path) for path in result.names))
    assert (result.text, result.type.kind.value, names) == (row["canonical"], row["type"], row["names"] or "")
    assert ready(result.text).text == result.text


@pytest.mark.parametrize("row", tuple(rows("problems")), ids=lambda row: row["expression"] or "nothing")
def test_problem(row: dict[str, str]) -> None:
    result = checked(row["expression"])
    assert isinstance(result, tuple)
    problem = result[0]
    found = (problem.code, str(problem.params.get("column", "")), str(problem.params.get("suggestion", "")))
    assert found == (row["code"], row["column"], row["suggestion"])
    if row["column"]:
        assert problem.where == f"column {row['column']}"


@pytest.mark.parametrize("row", tuple(rows("failures")), ids=lambda row: row["expression"])
def test_failure(row: dict[str, str]) -> None:
    with pytest.raises(EvaluationFailed) as caught:
        evaluate(ready(row["expression"]), VALUES, CLOCK)
    problem = caught.value.problem
    assert (problem.code, problem.where) == (row["code"], f"column {row['column']}")


def test_every_problem_is_reported_at_once() -> None:
    result = checked("qtty + prise * roud(1) > name")
    assert isinstance(result, tuple)
    assert [(each.code, each.params["column"]) for each in result] == [
        ("expression.unknown_name", 1),
        ("expression.unknown_name", 8),
        ("expression.unknown_function", 16),
    ]


@pytest.mark.parametrize(
    ("text", "expected", "code"),
    [
        ("qty", NUMBER, None),
        ("None", NUMBER, None),
        ("qty", BOOLEAN, "expression.result"),
        ("name", NUMBER, "expression.result"),
        ("'draft'", STATUS, None),
        ("'drafty'", STATUS, "expression.unknown_choice"),
        ("if(active, 'draft', 'dratf')", STATUS, "expression.unknown_choice"),
        ("me.warehouse", ValueType(Kind.LINK, "warehouse"), None),
        ("me.warehouse", ValueType(Kind.LINK, "customer"), "expression.other_record"),
        ("status", TEXT, None),
    ],
)
def test_expected_type(text: str, expected: ValueType, code: str | None) -> None:
    result = checked(text, expected)
    codes = [problem.code for problem in result] if isinstance(result, tuple) else []
    assert codes == ([code] if code else [])


def test_missing_conversion_names_the_unit() -> None:
    with pytest.raises(EvaluationFailed) as caught:
        evaluate(ready("conversion(product, unit)"), {**VALUES, "unit": PALLET}, CLOCK)
    assert caught.value.problem.code == "expression.no_conversion"
    assert caught.value.problem.params["unit"] == "托"


def test_non_finite_input_is_refused() -> None:
    for number in ("NaN", "Infinity", "sNaN"):
        with pytest.raises(EvaluationFailed) as caught:
            evaluate(ready("qty == 1"), {**VALUES, "qty": Decimal(number)}, CLOCK)
        assert caught.value.problem.code == "expression.not_finite"


def test_what_was_not_loaded_is_a_defect_of_the_caller() -> None:
    with pytest.raises(LookupError, match="'qty'"):
        evaluate(ready("qty"), {}, CLOCK)
    with pytest.raises(LookupError, match="'credit_limit'"):
        evaluate(ready("customer.credit_limit"), {"customer": Row(7, {})}, CLOCK)


def test_the_number_of_lines_is_bounded() -> None:
    many = tuple(Row(number, {"qty": Decimal(1)}) for number in range(120_000))
    assert evaluate(ready("sum(lines.qty)"), {"lines": many[:100_000]}, CLOCK) == 100_000
    with pytest.raises(EvaluationFailed) as caught:
        evaluate(ready("sum(lines.qty * 2 + 1)"), {"lines": many}, CLOCK)
    assert caught.value.problem.code == "expression.too_many_steps"


def test_texts_are_bounded() -> None:
    long = "x" * 6_000
    for text in ("name + name", "concat(name, name)", "replace(name, 'x', 'xyz')"):
        with pytest.raises(EvaluationFailed) as caught:
            evaluate(ready(text), {"name": long}, CLOCK)
        assert caught.value.problem.code == "expression.text_too_long"


def test_size_limits() -> None:
    cases = {
        "x" * 2_001: "expression.too_long",
        "+".join(["1"] * 400): "expression.too_many_nodes",
        "-" * 26 + "1": "expression.too_deep",
        "(" * 300 + "1" + ")" * 300: "expression.syntax",
    }
    for text, code in cases.items():
        result = parse(text)
        assert isinstance(result, tuple)
        assert result[0].code == code
    assert isinstance(parse("+".join(["qty"] * 60)), Tree)


def test_trace_shows_how_a_value_came_about() -> None:
    traced = evaluate_traced(ready("round(数量 * 单价, 2) + 1"), VALUES, CLOCK)
    (whole,) = traced.steps
    assert (whole.source, whole.value) == ("round(qty * price, 2) + 1", Decimal("4.71"))
    (rounded,) = whole.steps
    (product,) = rounded.steps
    assert [(step.source, step.value) for step in product.steps] == [("qty", Decimal(3)), ("price", Decimal("1.235"))]


def test_trace_of_an_aggregate_goes_line_by_line() -> None:
    (whole,) = evaluate_traced(ready("sum(lines.qty * lines.price)"), VALUES, CLOCK).steps
    assert [(step.source, step.value) for step in whole.steps] == [
        ("lines", 3),
        ("#1", Decimal("21.0")),
        ("#2", Decimal("1.5")),
        ("#3", None),
    ]


def test_plugins_add_functions() -> None:
    tax = Function(
        name="tax", parameters=(Parameter("amount", (Kind.NUMBER,)),), result=NUMBER,
        call=lambda amount: amount * Decimal("0.13"), help=Label("税额", "tax"), example="tax(amount)",
    )  # fmt: skip
    functions: Mapping[str, Function] = {**FUNCTIONS, "tax": tax}
    tree = parse("tax(数量 * 100)")
    assert isinstance(tree, Tree)
    result = check(tree, SCOPE, NUMBER, functions)
    assert isinstance(result, Checked)
    assert evaluate(result, VALUES, CLOCK) == Decimal("39.00")


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, TypeError, KeyError, RuntimeError, RecursionError])
def test_a_failing_plugin_function_is_a_problem(error: type[Exception]) -> None:
    def broken(amount: Decimal) -> Decimal:
        raise error(amount)

    function = Function(
        name="broken", parameters=(Parameter("x", (Kind.NUMBER,)),), result=NUMBER, call=broken,
        help=Label("坏"), example="broken(1)",
    )  # fmt: skip
    tree = parse("1 + broken(qty)")
    assert isinstance(tree, Tree)
    result = check(tree, SCOPE, functions={"broken": function})
    assert isinstance(result, Checked)
    with pytest.raises(EvaluationFailed) as caught:
        evaluate(result, VALUES, CLOCK)
    code = "expression.division_by_zero" if error is ZeroDivisionError else "expression.failed"
    assert (caught.value.problem.code, caught.value.problem.where) == (code, "column 5")


def test_every_function_has_help_and_a_name_of_its_own() -> None:
    for name, function in FUNCTIONS.items():
        assert name == function.name
        assert function.help.zh
        assert function.help.en
        assert isinstance(parse(function.example), Tree)
        assert function.example.startswith(f"{name}(") or f"{name}(" in function.example
