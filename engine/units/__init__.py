"""Units of measure of one product: exact ratios, conversion without dust, mixed display, catch weight."""

from __future__ import annotations

from engine.units.catch_weight import CatchWeight, Weighed, rest_after, weight_problems
from engine.units.convert import base_quantity, dust, dust_limit, in_unit, precision_problem, whole_units
from engine.units.mixed import mixed_parts, mixed_text
from engine.units.table import ProductUnits, Unit, change_problems, table_problems, uneven, uneven_problems

__all__ = (
    "CatchWeight",
    "ProductUnits",
    "Unit",
    "Weighed",
    "base_quantity",
    "change_problems",
    "dust",
    "dust_limit",
    "in_unit",
    "mixed_parts",
    "mixed_text",
    "precision_problem",
    "rest_after",
    "table_problems",
    "uneven",
    "uneven_problems",
    "weight_problems",
    "whole_units",
)
