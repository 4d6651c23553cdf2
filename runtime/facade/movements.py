"""收发存汇总表: opening, what came in and went out by category, closing; per product, or per product and warehouse.

It always balances, row by row and in total: every figure is a sum of the same month balances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from engine.ledger.moves import category, outward
from engine.problems import Refused, problem
from engine.sheets import Cell
from engine.values import ZERO, number_in
from runtime.facade.base_units import counted
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.paging import MOST_ROWS, PAGE, every_row
from runtime.facade.stock import move_label
from runtime.facade.stock_rights import allowed, dimension, moves_seen
from runtime.sheets import WriteColumn, write_xlsx
from runtime.storage import movements
from runtime.storage.movements import OPENING, MonthQuery, Place

Sum = tuple[Decimal, Decimal, Decimal]
NOTHING: Sum = (ZERO, ZERO, ZERO)
FIRST_YEAR, LAST_YEAR = 1900, 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementRequest:
    """What is asked: months ``2026-01``, both included."""

    since: str
    until: str
    by_warehouse: bool = False
    product: int | None = None
    warehouse: int | None = None
    search: str = ""
    after: Place | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryView:
    """A column: a move type, its name and the side it stands on (``in`` or ``out``)."""

    key: str
    label: str
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementRow:
    """A row, or the totals (``product`` 0). Sums are (quantity, value, second quantity); value is zero for who may not
    see it. What went out is positive; ``opening + came_in - went_out = closing``. ``mixed``: what there was in the end
    in all units of the product, empty where it reads no different. ``second``: name of the second unit of catch weight
    goods."""

    product: int
    product_text: str
    warehouse: int
    warehouse_text: str
    unit: str
    opening: Sum
    moves: Mapping[str, Sum]
    came_in: Sum
    went_out: Sum
    closing: Sum
    mixed: str = ""
    second: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementView:
    """A page of the report. Quantities of the totals add up different units and are shown for control only."""

    since: str
    until: str
    categories: tuple[CategoryView, ...]
    rows: tuple[MovementRow, ...]
    totals: MovementRow
    with_value: bool
    next: Place | None


def report(door: Door, request: MovementRequest) -> MovementView:
    """The report.

    Raises:
        Refused: ``forbidden`` without sight of what is on hand, ``invalid`` for what is no month.
    """
    with_value = moves_seen(door)
    products, warehouses = dimension(door, "product"), dimension(door, "warehouse")
    with door.reading() as unit:
        query = MonthQuery(
            since=_month(request.since, "since"),
            until=_month(request.until, "until"),
            product_form=products,
            warehouse_form=warehouses,
            by_warehouse=request.by_warehouse,
            product=request.product,
            warehouse=request.warehouse,
            warehouses=allowed(door, unit, warehouses),
            search=request.search,
            after=request.after,
            limit=request.limit,
        )
        places = movements.moved_places(unit.connection, unit.tables, query)
        page = places[: request.limit]
        sums = movements.month_sums(unit.connection, unit.tables, query, page)
        total = movements.month_sums(unit.connection, unit.tables, query, None).get((0, 0), {})
        units = counted(door, unit, {one[0] for one in page})
        names = Names(door.language)
        for product, warehouse in page:
            names.want_id(products, product)
            if warehouse:
                names.want_id(warehouses, warehouse)
        names.load(unit)
    figures = {place: _row(sums.get(place, {}), with_value) for place in page}
    keys = sorted({category(move) for move in total if move != OPENING}, key=lambda key: (outward(key), key))
    return MovementView(
        since=request.since,
        until=request.until,
        categories=tuple(
            CategoryView(key=key, label=move_label(door, key), side="out" if outward(key) else "in") for key in keys
        ),
        rows=tuple(
            replace(
                row,
                product=place[0],
                product_text=names.name(products, place[0]),
                warehouse=place[1],
                warehouse_text=names.name(warehouses, place[1]) if place[1] else "",
                unit=units.name(place[0]),
                mixed=units.mixed(place[0], row.closing[0]),
                second=units.seconds.get(place[0], ""),
            )
            for place, row in figures.items()
        ),
        totals=_row(total, with_value),
        with_value=with_value,
        next=page[-1] if len(places) > request.limit else None,
    )


def export(door: Door, request: MovementRequest, path: Path, most: int = MOST_ROWS) -> int:
    """Write the whole report to an Excel file, totals last; returns how many rows there were."""
    asked = replace(request, after=None, limit=PAGE)
    first = report(door, asked)
    ui = door.house.catalogue.ui
    heads = [ui(f"movements.{key}", door.language) for key in ("product", "warehouse", "unit")]
    names = [
        ui("movements.opening", door.language),
        *(one.label for one in first.categories),
        *(ui(f"movements.{key}", door.language) for key in ("came_in", "went_out", "closing")),
    ]
    if weighed := _weighed(first):
        heads.append(ui("movements.aux_unit", door.language))
    kinds = ["quantity", *(["aux"] if weighed else []), *(["value"] if first.with_value else [])]
    heads += [f"{name} {ui(f'movements.{kind}', door.language)}" for name in names for kind in kinds]
    columns = [WriteColumn(header=head, width=24 if index == 0 else 14) for index, head in enumerate(heads)]
    sheet = ui("page.movements", door.language)
    return write_xlsx(path, columns, _cells(door, asked, first, most), sheet=sheet)


def _cells(door: Door, asked: MovementRequest, first: MovementView, most: int) -> Iterator[list[Cell]]:
    rows = every_row(first, lambda after: report(door, replace(asked, after=after)))
    for written, row in enumerate(rows):
        if written == most:
            return
        yield _line(first, row, row.product_text)
    yield _line(first, first.totals, door.house.catalogue.ui("movements.total", door.language))


def _line(view: MovementView, row: MovementRow, name: str) -> list[Cell]:
    sums = [row.opening, *(row.moves.get(one.key, NOTHING) for one in view.categories)]
    cells: list[Cell] = [name, row.warehouse_text, row.unit]
    if weighed := _weighed(view):
        cells.append(row.second)
    for quantity, value, aux in (*sums, row.came_in, row.went_out, row.closing):
        cells.append(quantity)
        if weighed:
            cells.append(aux if row.second else None)
        if view.with_value:
            cells.append(value)
    return cells


def _weighed(view: MovementView) -> bool:
    """Whether anything in the report has a second quantity; what comes to nothing in total still moved."""
    return any(one[2] for one in (view.totals.opening, *view.totals.moves.values()))


def _row(sums: Mapping[str, Sum], with_value: bool) -> MovementRow:
    moves: dict[str, Sum] = {}
    for move, (quantity, value, aux) in sums.items():
        if move == OPENING:
            continue
        key = category(move)
        sign = -1 if outward(key) else 1
        held, worth, second = moves.get(key, NOTHING)
        moves[key] = (held + sign * quantity, worth + sign * (value if with_value else ZERO), second + sign * aux)
    opening = sums.get(OPENING, NOTHING)
    opening = (opening[0], opening[1] if with_value else ZERO, opening[2])
    came_in = _added(one for key, one in moves.items() if not outward(key))
    went_out = _added(one for key, one in moves.items() if outward(key))
    quantity, value, aux = (before + came - went for before, came, went in zip(opening, came_in, went_out, strict=True))
    return MovementRow(
        product=0, product_text="", warehouse=0, warehouse_text="", unit="", opening=opening,
        moves=MappingProxyType(moves), came_in=came_in, went_out=went_out, closing=(quantity, value, aux),
    )  # fmt: skip


def _added(sums: Iterator[Sum]) -> Sum:
    quantity, value, aux = NOTHING
    for one in sums:
        quantity, value, aux = quantity + one[0], value + one[1], aux + one[2]
    return quantity, value, aux


def _month(text: str, where: str) -> int:
    left, _, right = text.strip().partition("-")
    year, month = number_in(left) or 0, number_in(right) or 0
    if not FIRST_YEAR <= year <= LAST_YEAR or not 1 <= month <= 12:
        raise Refused([problem("closing.bad_period", where, text=text[:40])])
    return year * 100 + month
