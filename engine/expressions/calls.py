"""Checking of function calls: number and types of arguments, and the aggregates that look at a line table line by line.

Works on behalf of one ``Checker``, seen here only through what it needs of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol

from engine.expressions.function import Function, Parameter
from engine.expressions.kind_labels import KIND_LABELS, one_of
from engine.expressions.scope import CURRENT, Found, find, normalised
from engine.expressions.tree import Aggregate, CurrentLine, Path
from engine.expressions.types import NOTHING, Kind, Scope, ValueType
from engine.problems import Param


class Checking(Protocol):
    """The check in progress that a call belongs to."""

    scope: Scope
    functions: Mapping[str, Function]
    paths: dict[Path, ValueType]
    table: Path | None

    def report(self, code: str, node: ast.expr, **params: Param) -> None: ...
    def visit(self, node: ast.expr) -> tuple[ast.expr, ValueType | None]: ...
    def unified(self, node: ast.expr, function: str, types: Sequence[ValueType | None]) -> ValueType | None: ...


def check_call(checking: Checking, node: ast.Call) -> tuple[ast.expr, ValueType | None]:
    """The call by keys and its type."""
    assert isinstance(node.func, ast.Name)
    typed = node.func.id
    # people coming from spreadsheets write ROUND and SUM
    name = typed if typed in checking.functions else typed.lower()
    function = checking.functions.get(name)
    if function is None:
        near = _labelled(checking.scope, typed) or get_close_matches(name, list(checking.functions), n=1, cutoff=0.6)
        checking.report(
            "expression.unknown_function", node.func, name=typed, **({"suggestion": near[0]} if near else {})
        )
        for argument in node.args:
            if not _tables(checking.scope, argument):
                checking.visit(argument)
        return node, None
    if function.aggregate and len(node.args) == 1:
        return _aggregate(checking, node, function)
    if function.aggregate_only:
        checking.report("expression.argument_count", node.func, function=name, expected="1", got=len(node.args))
        return node, None
    return _plain(checking, node, function)


def _labelled(scope: Scope, typed: str) -> list[str]:
    """The key of a field whose label goes on with a bracket, as 单价（元） does: it reads like a call."""
    labels = scope.labels.get(CURRENT, {}).items()
    return [key for label, key in labels if normalised(label).startswith(f"{typed}(")][:1]


def _plain(checking: Checking, node: ast.Call, function: Function) -> tuple[ast.expr, ValueType | None]:
    visited = [checking.visit(argument) for argument in node.args]
    call = ast.copy_location(ast.Call(ast.Name(function.name, ast.Load()), [each for each, _ in visited], []), node)
    least = sum(not parameter.optional for parameter in function.parameters)
    repeats = bool(function.parameters) and function.parameters[-1].repeats
    if len(visited) < least or (len(visited) > len(function.parameters) and not repeats):
        checking.report(
            "expression.argument_count", node.func, function=function.name, got=len(visited),
            expected=_expected(least, len(function.parameters), repeats), suggestion=function.signature,
        )  # fmt: skip
        return call, None
    same: list[ValueType | None] = []
    for place, (argument, (_, type_)) in enumerate(zip(node.args, visited, strict=True)):
        parameter = function.parameters[min(place, len(function.parameters) - 1)]
        _argument(checking, argument, type_, function, parameter)
        if parameter.same:
            same.append(type_)
    if function.loads:
        _load(checking, node.args[0], function)
    if function.result is not None:
        return call, function.result
    type_ = checking.unified(node, function.name, same)
    return call, type_


def _expected(least: int, most: int, repeats: bool) -> str:
    if repeats:
        return f"{least}+"
    return str(least) if least == most else f"{least}–{most}"


def _argument(
    checking: Checking, node: ast.expr, type_: ValueType | None, function: Function, parameter: Parameter
) -> None:
    if type_ is None or not parameter.kinds or type_.kind in parameter.kinds:
        return
    if type_.kind is Kind.NOTHING and not function.strict:
        return
    checking.report(
        "expression.argument", node, function=function.name, parameter=parameter.name,
        expected=one_of(parameter.kinds), got=KIND_LABELS[type_.kind],
    )  # fmt: skip


def _load(checking: Checking, node: ast.expr, function: Function) -> None:
    """Note the pseudo-field that the first argument's row must carry."""
    if not isinstance(node, (ast.Name, ast.Attribute)):
        checking.report("expression.argument_path", node, function=function.name)
        return
    found = find(node, checking.scope)
    if isinstance(found, Found):
        checking.paths[(*found.path, function.loads)] = NOTHING


def _aggregate(checking: Checking, node: ast.Call, function: Function) -> tuple[ast.expr, ValueType | None]:
    (argument,) = node.args
    if checking.table is not None:
        checking.report("expression.nested_aggregate", node.func, function=function.name)
        return node, None
    tables = _tables(checking.scope, argument)
    if not tables:
        _, type_ = checking.visit(argument)
        if type_ is not None:
            checking.report("expression.lines_missing", node.func, function=function.name, suggestion=function.example)
        return node, None
    if len(tables) > 1:
        names = ", ".join(sorted(".".join(path) for path in tables))
        checking.report("expression.lines_mixed", node.func, function=function.name, tables=names)
        return node, None
    ((path, found),) = tables.items()
    if _is_table(checking.scope, argument):
        return _whole_table(checking, node, function, path, found)
    checking.table = path
    each, type_ = checking.visit(argument)
    checking.table = None
    if type_ is not None:
        _argument(checking, argument, type_, function, function.parameters[0])
    result = ast.copy_location(
        Aggregate(function=function.name, table=found.nodes[-1], each=each, size=_size(each)), node
    )
    if function.result is not None:
        return result, function.result
    return result, ValueType(type_.kind, type_.record, type_.choices) if type_ else None


def _whole_table(
    checking: Checking, node: ast.Call, function: Function, path: Path, found: Found
) -> tuple[ast.expr, ValueType | None]:
    """``count(lines)``; for any other aggregate a field is missing."""
    if Kind.LINES not in function.parameters[0].kinds:
        fields = checking.scope.records.get(found.type.record, {})
        near = next((key for key, type_ in fields.items() if type_.kind in function.parameters[0].kinds), None)
        hint = {"suggestion": f"{function.name}({'.'.join(path)}.{near})"} if near else {}
        checking.report("expression.lines_as_value", node.args[0], name=".".join(path), **hint)
        return node, None
    checking.paths[path] = found.type
    line = ast.copy_location(CurrentLine(table=found.nodes[-1]), node)
    whole = Aggregate(function=function.name, table=found.nodes[-1], each=line, size=1)
    return ast.copy_location(whole, node), function.result


def _is_table(scope: Scope, node: ast.expr) -> bool:
    found = find(node, scope) if isinstance(node, (ast.Name, ast.Attribute)) else None
    return isinstance(found, Found) and found.type.kind is Kind.LINES


def _tables(scope: Scope, node: ast.expr) -> dict[Path, Found]:
    """The line tables that paths below ``node`` go through."""
    tables: dict[Path, Found] = {}
    for path in _paths(node):
        found = find(path, scope)
        while not isinstance(found, Found) and isinstance(path, ast.Attribute):
            # a misspelt field still shows which table was meant
            path = path.value
            found = find(path, scope)
        if isinstance(found, Found) and (place := found.table) is not None:
            cut = place + 1
            tables[found.path[:cut]] = Found(found.path[:cut], found.types[:cut], found.nodes[:cut])
    return tables


def _paths(node: ast.expr) -> Iterator[ast.expr]:
    """The outermost names and paths below ``node``."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not (isinstance(node, ast.Call) and child is node.func):
            yield from _paths(child)


def _size(node: ast.expr) -> int:
    return sum(isinstance(each, ast.expr) for each in ast.walk(node))
