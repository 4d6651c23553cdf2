"""What a function of the expression language is: its signature, its pure callable and its help. No functions here.

Plugins build the same value; the checker and the evaluator know functions only through it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.expressions.types import Kind, ValueType
from engine.labels import Label


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument.

    Attributes:
        name: shown in help and problems.
        kinds: accepted kinds; empty accepts any.
        same: all arguments marked so must agree on one type, which is then the type that ``result=None`` stands for.
        optional: may be left out (only at the end). repeats: may be given many times (only the last).
    """

    name: str
    kinds: tuple[Kind, ...] = ()
    same: bool = False
    optional: bool = False
    repeats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function.

    Attributes:
        name: as called, lower case.
        parameters: in order.
        result: type of the value, or None for the common type of the ``same`` parameters.
        call: pure; gets the evaluated arguments, numbers as ``Decimal``. May raise ``EvaluationFailed``, ``ValueError``
            or ``ArithmeticError``.
        strict: an empty argument makes the result empty (``False`` for a boolean function) without a call.
        clock: ``call`` gets the ``Clock`` as an additional first argument.
        aggregate: what the function does over the values of a line table's lines (empty ones included), if it does.
        aggregate_only: it has no meaning outside aggregates.
        loads: name of a pseudo-field that the first argument's row must carry; the first argument must be a path.
        help: one line in Chinese and English. example: one call.
    """

    name: str
    parameters: tuple[Parameter, ...]
    result: ValueType | None
    call: Callable[..., object]
    strict: bool = True
    clock: bool = False
    aggregate: Callable[[Sequence[object]], object] | None = None
    aggregate_only: bool = False
    loads: str = ""
    help: Label
    example: str

    @property
    def signature(self) -> str:
        """``round(x, n?)``, ``coalesce(a, b…)``."""
        parts = [f"{p.name}{'?' if p.optional else ''}{'…' if p.repeats else ''}" for p in self.parameters]
        return f"{self.name}({', '.join(parts)})"
