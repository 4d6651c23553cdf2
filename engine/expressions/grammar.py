"""Text → ``Tree``: Python's expression syntax behind an allow-list of nodes, or every problem with its column.

Python's own parser does the parsing; nothing it returns is believed until each node was found on the list here. Length,
nodes and depth are capped, numbers become ``Decimal`` from their source text. Names are not resolved here.
"""

from __future__ import annotations

import ast
import bisect
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from types import MappingProxyType

from engine.expressions.scan import IF_CALL, MAX_LENGTH, Scanned, at, scan
from engine.expressions.tree import Tree
from engine.labels import Label
from engine.problems import Problem, problem

MAX_NODES = 300
MAX_DEPTH = 25
MAX_CHAIN = 80
CONSTANTS = MappingProxyType({"真": True, "假": False})
OPERATORS = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.USub, ast.UAdd, ast.Not, ast.And, ast.Or,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
)  # fmt: skip
REFUSED = MappingProxyType(
    {
        "Subscript": Label("方括号取值", "subscript"),
        "Lambda": Label("函数定义", "lambda"),
        "Tuple": Label("列表", "a list"),
        "List": Label("列表", "a list"),
        "keyword": Label("命名参数", "keyword argument"),
        "method": Label("方法调用", "method call"),
        "hidden": Label("以下划线开头的名称", "a name with a leading underscore"),
        "attribute": Label("在值后面取字段", "a field of something that is not a name"),
        "Starred": Label("星号", "a star"),
    }
)
OTHER = Label("这种写法", "this construct")


def parse(text: str) -> Tree | tuple[Problem, ...]:
    """Read ``text``. The result is a ``Tree`` that keeps the grammar, or every problem found."""
    if len(text) > MAX_LENGTH:
        return (problem("expression.too_long", length=len(text), limit=MAX_LENGTH),)
    scanned = scan(text)
    if not scanned.text.strip():
        return tuple(scanned.problems) or (problem("expression.empty"),)
    if scanned.problems:
        return tuple(scanned.problems)
    node = _parsed(scanned)
    if isinstance(node, Problem):
        return (node,)
    if size := _oversize(node):
        return (size,)
    problems = tuple(_refusals(node))
    return problems or Tree(text, _Settled().visit(node))


def _parsed(scanned: Scanned) -> ast.expr | Problem:
    """What Python's parser makes of the text, columns counted in characters of the typed text."""
    text = scanned.text
    lead = len(text) - len(text.lstrip())
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        # Python reports "unexpected end" as a place before or behind the text
        offset = error.offset if error.offset and error.lineno == 1 else len(text)
        place = min(max(offset - 1 + lead, 0), len(scanned.columns) - 1)
        near = text[place : place + 12].strip() or text.strip()[-12:]
        return at("expression.syntax", scanned.columns[place], near=near)
    except (ValueError, MemoryError, RecursionError):
        return problem("expression.too_deep", limit=MAX_DEPTH)
    # ast counts UTF-8 bytes; find the character that begins at a byte
    starts = [0, *accumulate(len(character.encode()) for character in text.strip())]
    for each in ast.walk(node):
        if isinstance(each, (ast.expr, ast.keyword)):
            first = bisect.bisect_right(starts, each.col_offset) - 1 + lead
            last = bisect.bisect_left(starts, each.end_col_offset or 0) + lead
            each.col_offset = scanned.columns[min(first, len(scanned.columns) - 1)]
            each.end_col_offset = scanned.columns[last - 1] + 1
            if isinstance(each, ast.Constant) and type(each.value) in (int, float):
                each.value = Decimal(text[first:last])  # type: ignore[assignment]
    return node


def _oversize(node: ast.expr) -> Problem | None:
    waiting: list[tuple[ast.AST, int, int]] = [(node, 1, 1)]
    nodes = deepest = longest = 0
    while waiting:
        each, depth, length = waiting.pop()
        nodes += isinstance(each, ast.expr)
        deepest = max(deepest, depth)
        longest = max(longest, length)
        for child in ast.iter_child_nodes(each):
            # a + b + c + … leans to the left without being hard to read, so it counts as one level
            flat = isinstance(each, ast.BinOp) and child is each.left and isinstance(child, ast.BinOp)
            inner = isinstance(child, ast.expr)
            waiting.append((child, depth + (inner and not flat), length + inner))
    if nodes > MAX_NODES:
        return problem("expression.too_many_nodes", nodes=nodes, limit=MAX_NODES)
    if deepest > MAX_DEPTH or longest > MAX_CHAIN:
        return problem("expression.too_deep", limit=MAX_DEPTH)
    return None


def _refusals(node: ast.expr) -> Iterator[Problem]:
    """Every node that is not on the list."""
    waiting: list[ast.expr] = [node]
    while waiting:
        each = waiting.pop()
        children: list[ast.expr] = [child for child in ast.iter_child_nodes(each) if isinstance(child, ast.expr)]
        match each:
            case ast.Constant(value=value) if value is None or isinstance(value, (bool, str, Decimal)):
                pass
            case ast.Name(id=name):
                if name.startswith("_"):
                    yield _refused(each, "hidden")
            case ast.Attribute(value=value, attr=name):
                if name.startswith("_"):
                    yield _refused(each, "hidden")
                if not isinstance(value, (ast.Name, ast.Attribute)):
                    yield _refused(each, "attribute")
            case ast.BinOp(op=op) | ast.UnaryOp(op=op) | ast.BoolOp(op=op):
                if not isinstance(op, OPERATORS):
                    yield _refused(each, type(op).__name__)
            case ast.Compare():
                children = [each.left]
                for operator, operand in zip(each.ops, each.comparators, strict=True):
                    if not isinstance(operator, OPERATORS):
                        yield _refused(each, type(operator).__name__)
                    is_list = isinstance(operator, (ast.In, ast.NotIn)) and isinstance(operand, (ast.Tuple, ast.List))
                    children.extend(operand.elts if is_list else [operand])  # type: ignore[attr-defined]
            case ast.IfExp():
                pass
            case ast.Call(func=func):
                children = list(each.args)
                if not isinstance(func, ast.Name):
                    yield _refused(each, "method")
                elif func.id.startswith("_"):
                    yield _refused(func, "hidden")
                elif func.id == IF_CALL and len(each.args) != 3:
                    yield at(
                        "expression.argument_count", func.col_offset, function="if", expected="3", got=len(each.args)
                    )
                if each.keywords:
                    yield _refused(each, "keyword")
            case _:
                yield _refused(each, type(each).__name__)
                children = []
        waiting.extend(reversed(children))


def _refused(node: ast.expr, construct: str) -> Problem:
    return at("expression.not_allowed", node.col_offset, construct=REFUSED.get(construct, OTHER))


class _Settled(ast.NodeTransformer):
    """``iff(c, a, b)`` becomes the conditional it means, 真 and 假 become constants."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in CONSTANTS:
            return ast.copy_location(ast.Constant(CONSTANTS[node.id]), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(argument) for argument in node.args]
        if isinstance(node.func, ast.Name) and node.func.id == IF_CALL:
            test, body, orelse = node.args
            return ast.copy_location(ast.IfExp(test=test, body=body, orelse=orelse), node)
        return node
