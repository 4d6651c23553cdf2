"""Cost arithmetic over pools; knows no documents."""

from __future__ import annotations

from engine.costing.contract import CostMethod
from engine.costing.moving_average import MovingAverage

__all__ = ("CostMethod", "MovingAverage")
