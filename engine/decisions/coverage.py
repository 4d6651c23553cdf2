"""What can be proved of a decision table: rows that overlap, rows never reached, values no row admits.

Every input is an axis of points (see ``space``); per point it is known which rows admit it. Rows with a cell that is
no comparison with constants count as admitting it perhaps: nothing is claimed of them that is not certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from engine.decisions.space import MOST_POINTS, OTHER, Space, comparison, holds, samples
from engine.decisions.table import SINGLE, Table
from engine.expressions import Checked
from engine.texts import shown

# Rows that surely admit a point, rows that perhaps do: as bits of a number.
Admitting: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Findings; rows are counted from 0.

    Attributes:
        overlaps: pairs of rows that both admit some values and do not say the same.
        unreachable: rows that never decide, because earlier ones always do.
        gap: values no row admits, as a text; empty when there are none.
    """

    overlaps: tuple[tuple[int, int], ...] = ()
    unreachable: tuple[int, ...] = ()
    gap: str = ""


def coverage(table: Table) -> Coverage:
    """What can be proved of ``table``."""
    regions: dict[Admitting, str] = {((1 << len(table.rows)) - 1,) * 2: ""}
    for name, checked in table.inputs.items():
        axis = _axis(table, name, checked)
        regions = {
            (sure & row_sure, perhaps & row_perhaps): ", ".join(filter(None, (example, shown_at)))
            for (sure, perhaps), example in regions.items()
            for (row_sure, row_perhaps), shown_at in axis.items()
        }
        if len(regions) > MOST_POINTS:
            return Coverage()
    gap = next((text for (_, perhaps), text in regions.items() if perhaps == 0), "")
    return Coverage(
        overlaps=_overlaps(table, regions) if table.hit in ("unique", "any") else (),
        unreachable=_unreachable(table, regions) if table.hit == "first" else (),
        gap=gap if table.hit in SINGLE and not table.otherwise else "",
    )


def _axis(table: Table, name: str, checked: Checked) -> Mapping[Admitting, str]:
    space = Space()
    for row in table.rows:
        cell = row.cells.get(name)
        if cell is not None and _provable(cell, name):
            space.see(cell.node)
    constants = space.constants.get(name, set())
    found: dict[Admitting, str] = {}
    for value in samples(constants, checked.type, empty=False):
        sure = perhaps = 0
        for number, row in enumerate(table.rows):
            cell = row.cells.get(name)
            if cell is not None and not _provable(cell, name):
                perhaps |= 1 << number
            elif cell is None or holds(cell.node, {name: value}):
                sure |= 1 << number
        found.setdefault((sure, perhaps | sure), _told(name, value, constants))
    return found


def _told(name: str, value: object, constants: set[object]) -> str:
    """The point as a text: a value, or all values but those the cells name."""
    if value != OTHER:
        return f"{name} = {shown(value)}"
    return f"{name} ≠ {' / '.join(sorted(map(shown, constants)))}" if constants else ""


def _provable(cell: Checked, name: str) -> bool:
    space = Space()
    space.see(cell.node)
    return not space.free and set(space.constants) == {name} and _compares(cell)


def _compares(cell: Checked) -> bool:
    parts = getattr(cell.node, "values", None) or [cell.node]
    return all(comparison(part) is not None for part in parts)


def _overlaps(table: Table, regions: Mapping[Admitting, str]) -> tuple[tuple[int, int], ...]:
    found: set[tuple[int, int]] = set()
    for sure, _ in regions:
        rows = [number for number in range(len(table.rows)) if sure >> number & 1]
        found.update((first, second) for place, first in enumerate(rows) for second in rows[place + 1 :])
    return tuple(sorted(pair for pair in found if table.hit == "unique" or _differ(table, *pair)))


def _differ(table: Table, first: int, second: int) -> bool:
    one, other = table.rows[first].results, table.rows[second].results
    return {name: each.text for name, each in one.items()} != {name: each.text for name, each in other.items()}


def _unreachable(table: Table, regions: Mapping[Admitting, str]) -> tuple[int, ...]:
    reached = set()
    for sure, perhaps in regions:
        for number in range(len(table.rows)):
            if perhaps >> number & 1 and not sure & ((1 << number) - 1):
                reached.add(number)
    return tuple(number for number in range(len(table.rows)) if number not in reached)
