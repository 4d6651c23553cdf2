"""One small language for formulas, defaults, checks, conditions, rules and row filters.

Text becomes a ``Tree`` (``parse``), a tree that fits a ``Scope`` becomes ``Checked`` (``check``), and only what was
checked can be evaluated. This module lists what others may import; the rest of the package is private.
"""

from __future__ import annotations

from engine.expressions.check import check
from engine.expressions.evaluate import evaluate
from engine.expressions.functions import FUNCTIONS, Function, Parameter
from engine.expressions.grammar import parse
from engine.expressions.trace import evaluate_traced
from engine.expressions.tree import Checked, Clock, EvaluationFailed, Path, Step, Traced, Tree
from engine.expressions.types import Kind, Row, Scope, ValueType

__all__ = [
    "FUNCTIONS",
    "Checked",
    "Clock",
    "EvaluationFailed",
    "Function",
    "Kind",
    "Parameter",
    "Path",
    "Row",
    "Scope",
    "Step",
    "Traced",
    "Tree",
    "ValueType",
    "check",
    "evaluate",
    "evaluate_traced",
    "parse",
]
