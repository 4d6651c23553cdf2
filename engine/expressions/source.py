"""Tree → text. The canonical source of an expression: what definitions store and a trace shows, by keys."""

from __future__ import annotations

import ast
from decimal import Decimal

from engine.expressions.tree import Aggregate, CurrentLine


def source(node: ast.expr) -> str:
    """``node`` as text that parses to the same tree."""
    return ast.unparse(_Plain().visit(node))


class _Plain(ast.NodeTransformer):
    """A copy that ``ast.unparse`` can write; the tree itself is never touched."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        copy = type(node)()
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                value = [self.visit(each) if isinstance(each, ast.AST) else each for each in value]
            elif isinstance(value, ast.AST):
                value = self.visit(value)
            setattr(copy, name, value)
        return copy

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(value := number(node), Decimal):
            return ast.Name(f"{value:f}")
        return ast.Name(quoted(node.value)) if isinstance(node.value, str) else ast.Constant(node.value)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        arguments = [self.visit(each) for each in (node.test, node.body, node.orelse)]
        return ast.Call(ast.Name("if"), arguments, [])

    def visit_Aggregate(self, node: Aggregate) -> ast.expr:
        return ast.Call(ast.Name(node.function), [self.visit(node.each)], [])

    def visit_CurrentLine(self, node: CurrentLine) -> ast.expr:
        return self.visit(node.table)  # type: ignore[no-any-return]


def number(node: ast.Constant) -> object:
    """The value of a literal; the parser put ``Decimal`` where Python's stubs know only its own numbers."""
    return node.value


def quoted(text: str) -> str:
    """``text`` as a literal of the language."""
    inner = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return f"'{inner}'"
