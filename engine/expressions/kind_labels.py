"""The words for kinds of values and for operators in problems. Data only."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from engine.expressions.types import Kind
from engine.labels import Label

KIND_LABELS: Mapping[Kind, Label] = MappingProxyType(
    {
        Kind.NUMBER: Label("数字", "a number"),
        Kind.TEXT: Label("文本", "a text"),
        Kind.BOOLEAN: Label("是/否", "yes or no"),
        Kind.DATE: Label("日期", "a date"),
        Kind.DATETIME: Label("日期时间", "a date and time"),
        Kind.LINK: Label("关联记录", "a linked record"),
        Kind.MEMBER: Label("成员", "a member"),
        Kind.DEPARTMENT: Label("部门", "a department"),
        Kind.CHOICES: Label("多选", "several choices"),
        Kind.LINES: Label("明细", "a line table"),
        Kind.NOTHING: Label("空值", "nothing"),
    }
)
SIGNS: Mapping[type[ast.AST], str] = MappingProxyType(
    {
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.USub: "-",
        ast.UAdd: "+", ast.Not: "not", ast.And: "and", ast.Or: "or", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<",
        ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in", ast.NotIn: "not in",
    }
)  # fmt: skip


def one_of(kinds: Iterable[Kind]) -> Label:
    """``数字或日期`` / ``a number or a date``."""
    labels = [KIND_LABELS[kind] for kind in kinds]
    return Label("或".join(label.zh for label in labels), " or ".join(label.en for label in labels))
