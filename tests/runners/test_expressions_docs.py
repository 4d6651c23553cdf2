"""docs/expressions.md tells the truth: every function, every problem code, and every example's value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.expressions import FUNCTIONS, Checked, evaluate
from runtime.messages.catalogue import Catalogue
from tests.properties.expression_world import CLOCK, VALUES, checked
from tests.runners.test_expressions import written

PAGE = (Path(__file__).parent.parent.parent / "docs" / "expressions.md").read_text(encoding="utf-8")
EXAMPLES = [
    line.split(" → ", 1)
    for block in re.findall(r"```expressions\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line
]


def test_every_function_has_a_heading_with_its_signature() -> None:
    headings = re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(function.signature for function in FUNCTIONS.values())


def test_every_function_is_shown_with_its_example() -> None:
    assert [name for name, function in FUNCTIONS.items() if f"例：`{function.example}`" not in PAGE] == []


@pytest.mark.parametrize(("text", "expected"), EXAMPLES, ids=[text for text, _ in EXAMPLES])
def test_examples(text: str, expected: str) -> None:
    result = checked(text)
    found = written(evaluate(result, VALUES, CLOCK)) if isinstance(result, Checked) else f"problem {result[0].code}"
    assert found == expected


def test_every_problem_code_is_listed(catalogue: Catalogue) -> None:
    codes = {code for code in catalogue.problems["zh"] if code.startswith("expression.")}
    assert set(re.findall(r"^\| `(expression\.\w+)`", PAGE, re.MULTILINE)) == codes


def test_the_plugin_example_runs() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(source, "docs/expressions.md", "exec"), names)
    function = names["TAX"]
    assert getattr(function, "signature", "") == "tax(amount)"
