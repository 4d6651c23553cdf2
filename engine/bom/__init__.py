"""Bills of material and the arithmetic of production cost. Knows no documents, no stock and no costing method."""

from __future__ import annotations

from engine.bom.allocation import (
    Allocated,
    Divided,
    Settlement,
    allocate,
    allocate_by_percent,
    equivalent_units,
    rework,
    settle,
    split_joint_cost,
)
from engine.bom.check import check, check_among
from engine.bom.elements import Elements, restore
from engine.bom.explode import Material, Requirement, Usage, Wish, explode, materials, where_used
from engine.bom.levels import arcs, cycles, low_level_codes
from engine.bom.roll_up import Operation, ProductCost, Routing, roll_up
from engine.bom.structure import Bom, Byproduct, Component, Substitute, effective, gross
from engine.bom.variance import LossChange, Variance, loss_change, loss_rate, utilisation, variance

__all__ = [
    "Allocated", "Bom", "Byproduct", "Component", "Divided", "Elements", "LossChange", "Material", "Operation",
    "ProductCost", "Requirement", "Routing", "Settlement", "Substitute", "Usage", "Variance", "Wish", "allocate",
    "allocate_by_percent", "arcs", "check", "check_among", "cycles", "effective", "equivalent_units", "explode",
    "gross", "loss_change", "loss_rate", "low_level_codes", "materials", "restore", "rework", "roll_up", "settle",
    "split_joint_cost", "utilisation", "variance", "where_used",
]  # fmt: skip
