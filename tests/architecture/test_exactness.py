"""No binary fraction comes near a quantity or an amount."""

from __future__ import annotations

import ast

from tests.architecture.source_tree import below, called, imports, modules

EXACT = (
    *("engine.ledger", "engine.costing", "engine.values", "engine.document", "engine.forms", "engine.workflow"),
    *("engine.shares", "engine.pools", "engine.bom", "engine.picking", "engine.promise", "engine.units"),
)


def test_exact_packages_know_no_float() -> None:
    wrong = []
    for module in modules("engine"):
        if not below(module.name, *EXACT):
            continue
        wrong += [f"{module.path}:{each.line} imports math" for each in imports(module) if each.name == "math"]
        for node in ast.walk(module.tree):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
            conversion = isinstance(node, ast.Call) and called(node) in {"float", "from_float"}
            if literal or conversion or (isinstance(node, ast.Name) and node.id == "float"):
                wrong.append(f"{module.at(node)} {ast.unparse(node)}")
    assert wrong == []
