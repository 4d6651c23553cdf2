"""Cost arithmetic over pools; knows no documents."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.costing.fifo import Fifo
from engine.costing.moving_average import MovingAverage
from engine.pools import Basis, CostMethod, Layer, Move, Part, Pool, PoolState, Settled, Use

__all__ = (
    "METHODS",
    "Basis",
    "CostMethod",
    "Fifo",
    "Layer",
    "Move",
    "MovingAverage",
    "Part",
    "Pool",
    "PoolState",
    "Settled",
    "Use",
    "method",
)

METHODS: Mapping[str, CostMethod] = MappingProxyType({each.key: each for each in (MovingAverage(), Fifo())})


def method(key: str) -> CostMethod:
    """The method (计价方法) named ``key``: ``moving_average`` or ``fifo``. Raises ``KeyError`` for another name."""
    return METHODS[key]
