"""Counting sheets (盘点表): a line for every bin, lot, serial number and status the books hold of a product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from engine.definitions.compiled import CompiledSource
from engine.definitions.form import DetailFields
from engine.forms.draft import LinePatch, Patch
from engine.picking import Stock
from engine.values import ZERO
from runtime.stages.picking import Place, stock_at
from runtime.stages.steps import Unit
from runtime.storage.stock_figures import at_places


def by_detail(unit: Unit, way: CompiledSource, patch: Patch) -> Patch:
    """``patch`` with its lines as a counter walks them: bin after bin, and within a bin lot after lot.

    Goods that lie in a place without any of these are a line of their own; goods that are not there at all keep the
    one line they have. Quantities are not told: what the books hold is the business of the form.
    """
    lines = way.definition.lines
    if lines is None or lines.details is None:
        return patch
    told, rows = lines.details, patch.lines.get(lines.table, ())
    places = [_place(told, patch, row) for row in rows]
    stock = stock_at(unit, {place for place in places if place is not None}, pieces=True)
    totals = at_places(unit.connection, stock)
    made: list[LinePatch] = []
    for row, place in zip(rows, places, strict=True):
        made.extend((row,) if place is None or place not in stock else _lines(told, row, stock[place], totals[place]))
    return replace(patch, lines={**patch.lines, lines.table: tuple(made)})


def _lines(told: DetailFields, row: LinePatch, stock: list[Stock], total: Decimal) -> Iterator[LinePatch]:
    for one in sorted(stock, key=lambda each: (each.pick_seq, *_walked(each))):
        key = one.key
        found = (
            (told.bin, {"id": key.bin} if key.bin else None),
            (told.lot, key.lot),
            (told.serial, key.serial),
            (told.status, key.status),
        )
        yield replace(row, values={**row.values, **{name: value for name, value in found if name and value}})
    if sum((one.free for one in stock), ZERO) != total:
        yield row


def _walked(one: Stock) -> tuple[int, str, str, str]:
    return one.key.bin, one.key.lot, one.key.serial, one.key.status


def _place(told: DetailFields, patch: Patch, row: LinePatch) -> Place | None:
    product = _identity(row.values.get(told.product))
    warehouse = _identity(row.values.get(told.warehouse, patch.values.get(told.warehouse)))
    return None if product is None or warehouse is None else (product, warehouse)


def _identity(value: object) -> int | None:
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, int) else None
