"""Figures over the results of several rows; nothing over none, but a sum of none is zero."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.values import ZERO


def added(values: Sequence[Any]) -> Decimal:
    """Sum of numbers."""
    return sum((Decimal(each) for each in values), ZERO)


def smallest(values: Sequence[Any]) -> object:
    """The least of them."""
    return min(values, default=None)


def largest(values: Sequence[Any]) -> object:
    """The greatest of them."""
    return max(values, default=None)
