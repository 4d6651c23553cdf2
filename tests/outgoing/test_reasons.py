"""Why a message did not arrive is said in the reader's language: every sentence the house keeps for it has one."""

from __future__ import annotations

import ast
from pathlib import Path

import runtime
from runtime.facade.outgoing import REASONS

ROOT = Path(runtime.__file__).parent.parent
CODES = ("HTTP",)  # an answer's status reads the same in every language


def sentences() -> dict[str, str]:
    """The beginning of every literal a delivery is refused with, and where it stands."""
    found: dict[str, str] = {}
    for path in (*ROOT.glob("runtime/**/*.py"), *ROOT.glob("plugins/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "Undelivered":
                continue
            said = node.args[0] if node.args else None
            start = said.values[0] if isinstance(said, ast.JoinedStr) else said
            if isinstance(start, ast.Constant) and isinstance(start.value, str):
                found[start.value.partition(":")[0].strip()] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


def test_every_reason_of_the_house_is_told() -> None:
    said = sentences()
    assert len(said) > 8, "the sentences are found"
    assert {text: place for text, place in said.items() if text not in REASONS and text not in CODES} == {}
