"""Tree × scope → ``Checked``: every name known, every type right, labels turned into keys; or all problems at once.

What passes here cannot meet a wrong type when it is evaluated. A part that is wrong gets the type ``None`` (unknown),
which agrees with everything, so that one mistake is reported once. Does not decide where an expression may be used.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from engine.expressions.calls import check_call
from engine.expressions.function import Function
from engine.expressions.functions import FUNCTIONS
from engine.expressions.kind_labels import KIND_LABELS, SIGNS, one_of
from engine.expressions.scan import at
from engine.expressions.scope import Found, find
from engine.expressions.source import quoted, source
from engine.expressions.tree import Checked, CurrentLine, Path, Tree
from engine.expressions.types import BOOLEAN, NOTHING, NUMBER, TEXT, Kind, Scope, ValueType
from engine.problems import Param, Problem, suggestion

Inferred: TypeAlias = ValueType | None
ORDERED = (Kind.NUMBER, Kind.TEXT, Kind.DATE, Kind.DATETIME)
ORDERING = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def check(
    tree: Tree, scope: Scope, expected: ValueType | None = None, functions: Mapping[str, Function] = FUNCTIONS
) -> Checked | tuple[Problem, ...]:
    """Resolve and type ``tree`` in ``scope``.

    Args:
        expected: type the result must have; None accepts any.
        functions: callable functions by name.
    """
    checker = Checker(scope, functions)
    node, type_ = checker.visit(tree.node)
    if expected is not None and type_ is not None:
        checker.fit(node, type_, expected)
    if checker.problems:
        return tuple(sorted(checker.problems, key=lambda problem: int(str(problem.params.get("column", 0)))))
    return Checked(node, type_ or NOTHING, source(node), MappingProxyType(dict(checker.paths)), functions)


class Checker:
    """One check in progress: collects problems and dependencies while walking the tree once."""

    def __init__(self, scope: Scope, functions: Mapping[str, Function]) -> None:
        self.scope = scope
        self.functions = functions
        self.problems: list[Problem] = []
        self.paths: dict[Path, ValueType] = {}
        self.table: Path | None = None

    def report(self, code: str, node: ast.expr, **params: Param) -> None:
        self.problems.append(at(code, node.col_offset, **params))

    def visit(self, node: ast.expr) -> tuple[ast.expr, Inferred]:
        """The node by keys, and its type."""
        match node:
            case ast.Constant(value=value):
                return node, NOTHING if value is None else _constant_type(value)
            case ast.Name() | ast.Attribute():
                return self._path(node)
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.UnaryOp(op=op, operand=operand):
                wanted = BOOLEAN if isinstance(op, ast.Not) else NUMBER
                inner = self.wanted(operand, wanted, SIGNS[type(op)])
                return ast.copy_location(ast.UnaryOp(op, inner), node), wanted
            case ast.BoolOp(op=op, values=values):
                parts = [self.wanted(each, BOOLEAN, SIGNS[type(op)]) for each in values]
                return ast.copy_location(ast.BoolOp(op, parts), node), BOOLEAN
            case ast.Compare():
                return self._comparison(node), BOOLEAN
            case ast.IfExp():
                return self._conditional(node)
            case ast.Call():
                return check_call(self, node)
            case _:
                raise TypeError(f"the grammar let {type(node).__name__} through")

    def wanted(self, node: ast.expr, wanted: ValueType, operator: str) -> ast.expr:
        """Visit an operand that must be of one type."""
        inner, type_ = self.visit(node)
        if type_ is not None and type_.kind is not wanted.kind:
            self.report(
                "expression.operand",
                node,
                operator=operator,
                expected=KIND_LABELS[wanted.kind],
                got=KIND_LABELS[type_.kind],
            )
        return inner

    def find(self, node: ast.expr) -> Found | None:
        """What a path means; reports and gives None when it means nothing."""
        found = find(node, self.scope)
        if isinstance(found, Found):
            return found
        name = found.params.get("name")
        if found.code == "expression.unknown_name" and name in self.functions:
            found = at("expression.function_without_call", node.col_offset, name=str(name), suggestion=f"{name}(…)")
        self.problems.append(found)
        return None

    def _path(self, node: ast.expr) -> tuple[ast.expr, Inferred]:
        found = self.find(node)
        if found is None:
            return node, None
        place = found.table
        if place is None:
            self.paths[found.path] = found.type
            return found.nodes[-1], found.type
        if found.path[: place + 1] != self.table:
            self.report("expression.lines_outside", node, name=".".join(found.path))
            return node, None
        if place == len(found.path) - 1:
            self.report("expression.lines_as_value", node, name=".".join(found.path))
            return node, None
        self.paths[found.path] = found.type
        line: ast.expr = ast.copy_location(CurrentLine(table=found.nodes[place]), node)
        for key in found.path[place + 1 :]:
            line = ast.copy_location(ast.Attribute(line, key, ast.Load()), node)
        return line, found.type

    def _arithmetic(self, node: ast.BinOp) -> tuple[ast.expr, Inferred]:
        left, left_type = self.visit(node.left)
        right, right_type = self.visit(node.right)
        result = ast.copy_location(ast.BinOp(left, node.op, right), node)
        kinds = {type_.kind for type_ in (left_type, right_type) if type_ is not None}
        if isinstance(node.op, ast.Add) and kinds == {Kind.TEXT}:
            return result, TEXT
        if kinds == {Kind.NUMBER, Kind.TEXT} and isinstance(node.op, ast.Add):
            self.report("expression.text_and_number", node, suggestion="text(…)")
            return result, None
        for operand, type_ in ((node.left, left_type), (node.right, right_type)):
            if type_ is None or type_.kind is Kind.NUMBER:
                continue
            is_day = type_.kind in (Kind.DATE, Kind.DATETIME)
            code = "expression.date_arithmetic" if is_day else "expression.operand"
            self.report(
                code, operand, operator=SIGNS[type(node.op)],
                expected=KIND_LABELS[Kind.NUMBER], got=KIND_LABELS[type_.kind],
            )  # fmt: skip
        return result, NUMBER if left_type and right_type and kinds == {Kind.NUMBER} else None

    def _comparison(self, node: ast.Compare) -> ast.expr:
        operands = [node.left, *node.comparators]
        visited: list[tuple[ast.expr, Inferred]] = [self._operand(node, 0, None)]
        for place, op in enumerate(node.ops, start=1):
            left, (_, left_type) = operands[place - 1], visited[-1]
            right = operands[place]
            if isinstance(op, (ast.In, ast.NotIn)):
                visited.append(self._membership(left, left_type, op, right))
                continue
            visited.append(self._operand(node, place, left_type))
            right_type = visited[-1][1]
            if left_type is None or right_type is None:
                continue
            if isinstance(op, ORDERING):
                self._ordered(op, (left, left_type), (right, right_type))
            else:
                self._alike(left, left_type, op, right, right_type)
        return ast.copy_location(ast.Compare(visited[0][0], node.ops, [each for each, _ in visited[1:]]), node)

    def _operand(self, node: ast.Compare, place: int, left_type: Inferred) -> tuple[ast.expr, Inferred]:
        """Visit an operand; a bare word that is a choice of the other side is a forgotten pair of quotes."""
        operand = [node.left, *node.comparators][place]
        if isinstance(operand, ast.Name) and left_type and operand.id in left_type.choices:
            found = find(operand, self.scope)
            if isinstance(found, Problem):
                self.report("expression.unquoted_choice", operand, name=operand.id, suggestion=quoted(operand.id))
                return operand, None
        return self.visit(operand)

    def _ordered(self, op: ast.cmpop, left: tuple[ast.expr, ValueType], right: tuple[ast.expr, ValueType]) -> None:
        for operand, type_ in (left, right):
            if type_.kind not in ORDERED:
                self.report(
                    "expression.operand", operand, operator=SIGNS[type(op)],
                    expected=one_of(ORDERED), got=KIND_LABELS[type_.kind],
                )  # fmt: skip
                return
        if left[1].kind is not right[1].kind:
            self._unlike(op, left[1], right[0], right[1])

    def _membership(
        self, left: ast.expr, left_type: Inferred, op: ast.cmpop, right: ast.expr
    ) -> tuple[ast.expr, Inferred]:
        if isinstance(right, (ast.Tuple, ast.List)):
            elements: list[ast.expr] = []
            for each in right.elts:
                element, type_ = self.visit(each)
                if left_type is not None and type_ is not None:
                    self._alike(left, left_type, op, each, type_)
                elements.append(element)
            return ast.copy_location(ast.Tuple(elements, ast.Load()), right), None
        inner, type_ = self.visit(right)
        if type_ is None:
            return inner, None
        if type_.kind is not Kind.CHOICES:
            got = KIND_LABELS[type_.kind]
            if type_.kind is Kind.TEXT:
                self.report("expression.in_text", right, got=got, suggestion="contains(…)")
            else:
                self.report("expression.in_what", right, got=got)
        elif left_type is not None:
            self._alike(left, left_type, op, right, ValueType(Kind.TEXT, choices=type_.choices))
        return inner, None

    def _alike(
        self, left: ast.expr, left_type: ValueType, op: ast.cmpop, right: ast.expr, right_type: ValueType
    ) -> None:
        if not _agree(left_type, right_type):
            self._unlike(op, left_type, right, right_type)
            return
        self.choices(left, right_type)
        self.choices(right, left_type)

    def _unlike(self, op: ast.cmpop, left: ValueType, node: ast.expr, right: ValueType) -> None:
        if left.kind is right.kind:
            self.report("expression.other_record", node, left=left.record, right=right.record)
        else:
            self.report(
                "expression.compared",
                node,
                operator=SIGNS[type(op)],
                left=KIND_LABELS[left.kind],
                right=KIND_LABELS[right.kind],
            )

    def _conditional(self, node: ast.IfExp) -> tuple[ast.expr, Inferred]:
        test = self.wanted(node.test, BOOLEAN, "if")
        body, body_type = self.visit(node.body)
        orelse, orelse_type = self.visit(node.orelse)
        type_ = self.unified(node.orelse, "if", [body_type, orelse_type])
        return ast.copy_location(ast.IfExp(test, body, orelse), node), type_

    def unified(self, node: ast.expr, function: str, types: Sequence[Inferred]) -> Inferred:
        """The one type that all ``types`` agree on; reports when there is none."""
        result: Inferred = NOTHING
        for type_ in types:
            if type_ is None or result is None:
                result = None
            elif not _agree(result, type_):
                self.report(
                    "expression.branches",
                    node,
                    function=function,
                    left=KIND_LABELS[result.kind],
                    right=KIND_LABELS[type_.kind],
                )
                return None
            elif result.kind is Kind.NOTHING:
                result = type_
            elif type_.kind is not Kind.NOTHING and type_ != result:
                result = ValueType(result.kind, result.record)
        return result

    def choices(self, node: ast.expr, type_: ValueType) -> None:
        """Report text literals under ``node`` that ``type_`` has no choice for."""
        if isinstance(node, ast.IfExp):
            self.choices(node.body, type_)
            self.choices(node.orelse, type_)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and type_.choices:
            # comparing with an empty text asks whether nothing was chosen
            if node.value in ("", *type_.choices):
                return
            near = suggestion(node.value, type_.choices)
            self.report(
                "expression.unknown_choice", node, choice=node.value, choices=", ".join(type_.choices[:20]), **near
            )

    def fit(self, node: ast.expr, type_: ValueType, expected: ValueType) -> None:
        """Report when a result of ``type_`` cannot be used where ``expected`` is asked for."""
        if not _agree(type_, expected):
            if type_.kind is expected.kind:
                self.report("expression.other_record", node, left=expected.record, right=type_.record)
            else:
                self.report("expression.result", node, expected=KIND_LABELS[expected.kind], got=KIND_LABELS[type_.kind])
        self.choices(node, expected)


def _constant_type(value: object) -> ValueType:
    if isinstance(value, bool):
        return BOOLEAN
    return TEXT if isinstance(value, str) else NUMBER


def _agree(left: ValueType, right: ValueType) -> bool:
    """Whether values of both types may be compared or stand in for each other; nothing agrees with anything."""
    if Kind.NOTHING in (left.kind, right.kind):
        return True
    if left.kind is not right.kind:
        return False
    return left.kind is not Kind.LINK or left.record == right.record
