"""Picking proposals: which lots and bins a delivery should take, for a page that asks and for every push-down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from engine.definitions.compiled import CompiledEntry, CompiledForm
from engine.definitions.posting import EntryDef
from engine.expressions.number_functions import UNITS
from engine.fieldtypes.quantity import QuantityOptions
from engine.forms.draft import LinePatch, Patch
from engine.picking import Pick, Proposal, Stock, Wish, notices, propose
from engine.problems import Problem
from engine.values import QUANTITY_SCALE, ZERO, divided, rounded
from runtime.facade.door import Door
from runtime.facade.stock import levels
from runtime.stages.picking import stock_at
from runtime.stages.steps import Unit
from runtime.storage import documents


@dataclass(frozen=True, slots=True, kw_only=True)
class PickView:
    """Take ``quantity`` base units: of this lot, from this bin, of these serial numbers."""

    bin: int
    lot: str
    serials: tuple[str, ...]
    expires: date | None
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """A proposal: picks in the order of the walk, what is short, and why rows were passed over."""

    picks: tuple[PickView, ...]
    shortfall: Decimal
    notices: tuple[Problem, ...]


def proposal(door: Door, product: int, warehouse: int, quantity: Decimal) -> ProposalView:
    """What to take for ``quantity`` base units today by the company's rule.

    Raises:
        Refused: ``forbidden`` for somebody who sees no stock. Of a warehouse that is not theirs to see nothing is told.
    """
    seen = levels(door, product=product, warehouse=warehouse).rows
    with door.reading() as unit:
        rows = stock_at(unit, [(product, warehouse)]).get((product, warehouse), ()) if seen else ()
        found = propose(rows, _wish(unit, quantity))
    return ProposalView(picks=tuple(_merged(found.picks)), shortfall=found.shortfall, notices=notices(found))


def picked(unit: Unit, form: CompiledForm, patch: Patch) -> Patch:
    """``patch`` with its lines split over lots and bins, where the form's posting stands under the picking rule.

    Lines that name a lot, bin or serial number already are left as they are; so are goods nobody keeps by these.
    """
    lines = dict(patch.lines)
    for entry in _under_rule(unit, form):
        table, fields = entry.definition.each, _fields(entry)
        quantity = form.tables[table].fields[entry.definition.picks].options
        of_unit = quantity.unit if isinstance(quantity, QuantityOptions) else ""
        lines[table] = tuple(_split(unit, patch, entry.definition, fields, of_unit, lines.get(table, ())))
    return replace(patch, lines=lines)


def _under_rule(unit: Unit, form: CompiledForm) -> Iterator[CompiledEntry]:
    for posting in unit.bundle.postings.get(form.key, ()):
        yield from (entry for entry in posting.entries.get("approve", ()) if entry.definition.picks)


def _fields(entry: CompiledEntry) -> Mapping[str, str]:
    """Dimension → the field it is read from, for those that are just a field."""
    return {name: text.strip() for name, text in entry.definition.dimensions.items() if text.strip().isidentifier()}


def _wish(unit: Unit, quantity: Decimal) -> Wish:
    return Wish(quantity=quantity, day=unit.around.clock.today, strategy=unit.bundle.app.settings.lot_rule)


def _split(
    unit: Unit,
    patch: Patch,
    definition: EntryDef,
    fields: Mapping[str, str],
    of_unit: str,
    lines: Sequence[LinePatch],
) -> Iterator[LinePatch]:
    named = [fields[name] for name in ("lot", "bin", "serial") if name in fields]
    wanted = [_place(patch, fields, line) for line in lines]
    ratios = _ratios(unit, {place[0] for place in wanted if place is not None})
    stock = {place: list(rows) for place, rows in stock_at(unit, [one for one in wanted if one is not None]).items()}
    for line, place in zip(lines, wanted, strict=True):
        quantity = line.values.get(definition.picks)
        rows = stock.get(place, []) if place is not None else []
        if place is None or not rows or not isinstance(quantity, Decimal) or any(line.values.get(n) for n in named):
            yield line
            continue
        ratio = ratios.get(place[0], {}).get(line.values.get(of_unit), Decimal(1))
        found = propose(rows, _wish(unit, rounded(quantity * ratio, QUANTITY_SCALE)))
        parts = [(pick, rounded(divided(pick.quantity, ratio), 4)) for pick in _merged(found.picks)]
        if not parts or any(part * ratio != pick.quantity for pick, part in parts):
            yield line  # a lot that does not come out even in the unit of the line: the person chooses
            continue
        for pick, part in parts:
            dimensions = {"lot": pick.lot, "bin": pick.bin or None, "serial": ", ".join(pick.serials)}
            told = {fields[name]: value for name, value in dimensions.items() if name in fields and value}
            yield replace(line, values={**line.values, **told, definition.picks: part})
        if found.shortfall > ZERO:
            short = rounded(divided(found.shortfall, ratio), 4)
            yield replace(line, values={**line.values, definition.picks: short})
        stock[place] = _left(rows, found)


def _place(patch: Patch, fields: Mapping[str, str], line: LinePatch) -> tuple[int, int] | None:
    product = line.values.get(fields.get("product", ""))
    warehouse = line.values.get(fields.get("warehouse", ""), patch.values.get(fields.get("warehouse", "")))
    return (product, warehouse) if isinstance(product, int) and isinstance(warehouse, int) else None


def _ratios(unit: Unit, products: set[int]) -> Mapping[int, Mapping[object, Decimal]]:
    form = unit.bundle.app.dimensions.product
    if form is None or not products or unit.form(form).definition.units is None:
        return {}
    rows = documents.load_rows(unit.connection, unit.tables, form, products, {UNITS})
    return {identity: row.values[UNITS] for identity, row in rows.items()}  # type: ignore[misc]


def _merged(picks: Sequence[Pick]) -> Iterator[PickView]:
    """Serial numbers of one bin and lot are one pick."""
    groups: dict[tuple[int, str, bool], list[Pick]] = {}
    for pick in picks:
        key = pick.stock.key
        groups.setdefault((key.bin, key.lot, bool(key.serial)), []).append(pick)
    for (place, lot, _), group in groups.items():
        first = group[0].stock.lot
        yield PickView(
            bin=place,
            lot=lot,
            serials=tuple(pick.stock.key.serial for pick in group if pick.stock.key.serial),
            expires=first.expires if first else None,
            quantity=sum((pick.quantity for pick in group), ZERO),
        )


def _left(rows: Sequence[Stock], found: Proposal) -> list[Stock]:
    taken = {pick.stock.key: pick.quantity for pick in found.picks}
    return [replace(row, free=row.free - taken.get(row.key, ZERO)) for row in rows]
