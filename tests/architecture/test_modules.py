"""Modules stay small, say what they are for, and are named after what is in them."""

from __future__ import annotations

import ast
from pathlib import PurePath
from statistics import median

from tests.architecture.source_tree import PRODUCT, WORKSHOP, Module, modules

CAP = 400
MEDIAN = 150
JUNK_DRAWERS = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "service", "base", "misc"})


def everything() -> tuple[Module, ...]:
    """All of the source but Alembic's revisions, which grow with the tables they describe."""
    return tuple(module for module in modules(*PRODUCT, *WORKSHOP) if ".migrations.versions." not in module.name)


def length(module: Module) -> int:
    return len(module.text.splitlines())


def test_no_module_is_over_the_cap() -> None:
    assert {module.path: length(module) for module in everything() if length(module) > CAP} == {}


def test_the_median_module_is_short() -> None:
    assert median(length(module) for module in everything() if length(module) > 1) <= MEDIAN


def test_no_junk_drawers() -> None:
    drawers = [
        module.path
        for module in everything()
        for part in PurePath(module.path).with_suffix("").parts
        if part in JUNK_DRAWERS or any(part.endswith(f"_{word}") for word in JUNK_DRAWERS)
    ]
    assert drawers == []


def test_every_module_says_what_it_is_for() -> None:
    assert [module.path for module in everything() if not ast.get_docstring(module.tree)] == []


def test_annotations_are_read_late() -> None:
    """One rule for all: a module with code begins with ``from __future__ import annotations``."""
    late = "from __future__ import annotations"
    assert [m.path for m in everything() if len(m.tree.body) > 1 and late not in m.text] == []


def test_public_functions_and_classes_are_documented() -> None:
    """A function of one statement may speak for itself."""
    bare = [
        f"{module.at(node)} {node.name}"
        for module in modules("engine", "runtime")
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and len(node.body) > 1
        and ast.get_docstring(node) is None
    ]
    assert bare == []
