"""Fills the demo company with its master records and its opening stock, as the data administrator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from engine.forms.draft import LinePatch, Patch
from runtime.demo.company import Plan, RowValues
from runtime.facade import documents
from runtime.facade.door import Door
from runtime.stages.steps import Command


def fill(door: Door, plan: Plan, step: Callable[[int], None]) -> None:
    """Enter everything; ``step`` is called with the number of rows done."""
    for form, rows in plan.masters:
        for row in rows:
            documents.submit(door, Command(form=form, action="save", patch=Patch(values=row), confirmed=True))
            step(1)
    warehouses: defaultdict[str, list[RowValues]] = defaultdict(list)
    for row in plan.opening:
        warehouses[row["warehouse"]].append(row)
    for warehouse, rows in warehouses.items():
        _open(door, plan, warehouse, rows)
        step(len(rows))


def rows(plan: Plan) -> int:
    """How many rows there are to enter."""
    return sum(len(each) for _, each in plan.masters) + len(plan.opening)


def _open(door: Door, plan: Plan, warehouse: str, rows: Sequence[RowValues]) -> None:
    header = {"warehouse": warehouse, "biz_date": plan.opening_day.isoformat()}
    lines = tuple(
        LinePatch(values={key.removeprefix("lines."): value for key, value in row.items() if key.startswith("lines.")})
        for row in rows
    )
    documents.submit(
        door,
        Command(
            form="opening_stock", action="approve", patch=Patch(values=header, lines={"lines": lines}), confirmed=True
        ),
    )
