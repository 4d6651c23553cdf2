"""From which warehouses an order is served (domain rule D10): one for all, the nearest able one per line, or split.

The strategy 先到期 is none of these: there the rows of all warehouses go to the picking proposal, which goes by expiry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from engine.promise.demand import LineKey
from engine.values import ZERO

Sourcing: TypeAlias = Literal["single", "nearest", "split"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An order line: base units of a product."""

    key: LineKey
    product: int
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """``quantity`` base units of a line come from ``warehouse``."""

    key: LineKey
    warehouse: int
    quantity: Decimal


def source(
    lines: Sequence[Wanted], free: Mapping[tuple[int, int], Decimal], near: Sequence[int], sourcing: Sourcing
) -> tuple[Sourced, ...]:
    """Choose warehouses; what no warehouse has is missing from the result.

    Args:
        free: (warehouse, product) → free base units. near: warehouses that may serve, the nearest first.
        sourcing: ``single`` (整单单仓优先) takes the first warehouse that has everything, else goes on as ``nearest``;
            ``nearest`` (最近仓) takes each line from the first warehouse that has all of it, else splits it;
            ``split`` (多仓拆单) empties the nearest warehouse first.
    """
    left = dict(free)
    if sourcing == "single":
        for warehouse in near:
            if _has_all(lines, left, warehouse):
                return tuple(
                    Sourced(key=line.key, warehouse=warehouse, quantity=line.quantity)
                    for line in lines
                    if line.quantity > ZERO
                )
    found: list[Sourced] = []
    for line in lines:
        able = [place for place in near if left.get((place, line.product), ZERO) >= line.quantity]
        wanted = line.quantity
        for warehouse in able[:1] if able and sourcing != "split" else near:
            part = min(wanted, left.get((warehouse, line.product), ZERO))
            if part > ZERO:
                found.append(Sourced(key=line.key, warehouse=warehouse, quantity=part))
                left[warehouse, line.product] -= part
                wanted -= part
    return tuple(found)


def _has_all(lines: Sequence[Wanted], free: Mapping[tuple[int, int], Decimal], warehouse: int) -> bool:
    needed: dict[int, Decimal] = {}
    for line in lines:
        needed[line.product] = needed.get(line.product, ZERO) + line.quantity
    return all(free.get((warehouse, product), ZERO) >= quantity for product, quantity in needed.items())
