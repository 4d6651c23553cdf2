"""``boolean``: yes or no, in the words people use for it. Empty is not no."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import ClassVar

from pydantic import BaseModel

from engine.document import Value
from engine.expressions.types import BOOLEAN, ValueType
from engine.fieldtypes.contract import Column, NoOptions, Operator, Parsed, Storage
from engine.fieldtypes.words import folded, is_blank, shown
from engine.labels import Label, Language
from engine.problems import Problem, problem

YES = frozenset({
    "true", "t", "yes", "y", "on", "1", "1.0", "enabled", "active",
    "是", "对", "真", "有", "启用", "已启用", "开", "开启", "✓", "√", "✔", "☑", "✅",
})  # fmt: skip
NO = frozenset({
    "false", "f", "no", "n", "off", "0", "0.0", "disabled", "inactive",
    "否", "不是", "错", "假", "无", "没有", "停用", "已停用", "禁用", "关", "关闭", "×", "✗", "✘", "☐", "❌",
})  # fmt: skip


class BooleanOptions(NoOptions):
    """Options of ``boolean``: the words shown, and understood, for yes and no."""

    true_label: Label = Label(zh="是", en="Yes")
    false_label: Label = Label(zh="否", en="No")


class Boolean:
    """开关."""

    name: ClassVar[str] = "boolean"
    options: ClassVar[type[BaseModel]] = BooleanOptions
    operators: ClassVar[tuple[Operator, ...]] = (Operator.EQ, Operator.NE, Operator.EMPTY, Operator.NOT_EMPTY)
    widget: ClassVar[str] = "boolean"

    def value_type(self, options: BaseModel) -> ValueType:
        return BOOLEAN

    def column(self, options: BaseModel) -> Column:
        return Column(Storage.BOOLEAN)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        own = BooleanOptions.of(options)
        if is_blank(raw):
            return None
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, int | float | Decimal) and Decimal(raw).is_finite() and raw in (0, 1):
            return raw == 1
        if isinstance(raw, str) and len(raw) <= 100:
            word = folded(raw)
            if word in {folded(text) for text in (own.true_label.zh, own.true_label.en)}:
                return True
            if word in {folded(text) for text in (own.false_label.zh, own.false_label.en)}:
                return False
            if word in YES or word in NO:
                return word in YES
        return (problem("field.not_a_boolean", value=shown(raw), yes=own.true_label, no=own.false_label),)

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        return iter(())

    def to_json(self, value: Value, options: BaseModel) -> object:
        return value if isinstance(value, bool) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        own = BooleanOptions.of(options)
        if not isinstance(value, bool):
            return ""
        return (own.true_label if value else own.false_label).text(language)

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        return {"type": "boolean"}
