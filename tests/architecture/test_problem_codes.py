"""Every problem code the product can give has its sentence in every language, and every sentence a code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from runtime.messages.catalogue import Catalogue
from tests.architecture.source_tree import PRODUCT, Module, called, modules

CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
MAKERS = frozenset({"problem", "Problem"})


def literals(node: ast.AST) -> Iterator[str]:
    """Every string written below ``node``."""
    return (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))


def code_arguments(module: Module) -> Iterator[ast.expr]:
    """The expressions handed to ``problem(…)`` or ``Problem(code=…)`` as the code."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and called(node) in MAKERS:
            yield from node.args[:1]
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")


def codes_given() -> dict[str, str]:
    """Code → a place that gives it."""
    return {
        code: module.at(argument)
        for module in modules(*PRODUCT)
        for argument in code_arguments(module)
        for code in literals(argument)
        if CODE.fullmatch(code)
    }


def codes_mentioned(catalogue: Catalogue) -> dict[str, str]:
    """Every string in the source that reads like a code of an area with texts: tables of codes are seen this way."""
    areas = {code.split(".")[0] for code in catalogue.problems["zh"]}
    return {
        text: module.path
        for module in modules(*PRODUCT)
        for text in literals(module.tree)
        if CODE.fullmatch(text) and text.split(".")[0] in areas
    }


def test_codes_are_written_out() -> None:
    """A code put together from pieces cannot be searched for."""
    pieced = [
        module.at(argument)
        for module in modules(*PRODUCT)
        for argument in code_arguments(module)
        if any(isinstance(each, ast.JoinedStr | ast.BinOp) for each in ast.walk(argument))
    ]
    assert pieced == []


def test_every_code_has_texts(catalogue: Catalogue) -> None:
    missing = {
        code: place
        for code, place in codes_given().items()
        if not all(code in catalogue.problems[language] for language in ("zh", "en"))
    }
    assert missing == {}


def test_every_text_has_a_code(catalogue: Catalogue) -> None:
    mentioned = codes_mentioned(catalogue)
    assert sorted(code for code in catalogue.problems["zh"] if code not in mentioned) == []


def test_every_interface_text_asked_for_exists(catalogue: Catalogue) -> None:
    missing = {
        node.args[0].value: module.at(node)
        for module in modules(*PRODUCT)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and called(node) in {"ui", "say"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and not all(node.args[0].value in catalogue.words[language] for language in ("zh", "en"))
    }
    assert missing == {}
