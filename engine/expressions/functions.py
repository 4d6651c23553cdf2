"""The built-in functions of the expression language, as one frozen mapping. Plugins hand in a larger one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.expressions.date_functions import DATE_FUNCTIONS
from engine.expressions.function import Function, Parameter
from engine.expressions.ledger_functions import LEDGER_FUNCTIONS
from engine.expressions.number_functions import NUMBER_FUNCTIONS
from engine.expressions.text_functions import TEXT_FUNCTIONS

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {function.name: function for function in (*NUMBER_FUNCTIONS, *TEXT_FUNCTIONS, *DATE_FUNCTIONS, *LEDGER_FUNCTIONS)}
)

__all__ = ["FUNCTIONS", "Function", "Parameter"]
