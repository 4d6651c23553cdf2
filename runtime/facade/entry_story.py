"""这个数字怎么来的: one ledger entry explained. Its document, how its value was found, what corrected it and why, and
the layers of cost it opened or took from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.ledger import Entry
from engine.problems import Refused, problem
from engine.values import PRICE_SCALE, ZERO, divided, rounded
from runtime.facade.base_units import counted
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.lots import status_text
from runtime.facade.referred import numbers
from runtime.facade.stock import move_label
from runtime.facade.stock_rights import allowed, dimension, moves_seen
from runtime.stages.steps import Unit
from runtime.storage import documents
from runtime.storage import entry_story as rows
from runtime.storage.courses import entries_by_id
from runtime.storage.entry_story import LayerUse, OpenLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRef:
    """Another entry: enough to recognise it and go there. ``form`` is empty where its document is not the person's to
    read, ``id`` 0 where the entry is not."""

    id: int
    ledger: str
    day: date
    move: str
    form: str
    document: int
    number: str
    quantity: Decimal
    value: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What costing added later. ``cause``: the document that made it necessary; its own form when it is not shown."""

    entry: EntryRef
    cause_form: str
    cause_document: int
    cause_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenView:
    """Goods taken from a layer; ``other`` is the entry on the other side. Negative quantity: put back."""

    other: EntryRef
    day: date
    quantity: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStory:
    """An entry explained.

    Attributes:
        basis: how its value was found (docs/ledger.md). value: as posted; total: with all corrections; unit_cost:
            their quotient with the quantity. All three None for whoever sees no values.
        second: the second quantity of catch weight goods, with its unit.
        origin: the entry whose cost it takes, the opposite end of a transfer, or what a derived one corrects.
        taken: from which layers it took; given: who took from those it opened; left: what is left of them.
    """

    entry: EntryRef
    product: int
    product_text: str
    warehouse: int
    warehouse_text: str
    bin_text: str
    lot: str
    serial: str
    status_text: str
    unit: str
    second: str
    basis: str
    value: Decimal | None
    total: Decimal | None
    unit_cost: Decimal | None
    hash: str
    origin: EntryRef | None
    mirror: EntryRef | None
    corrections: tuple[Correction, ...]
    taken: tuple[TakenView, ...] = ()
    given: tuple[TakenView, ...] = ()
    left: tuple[OpenLayer, ...] = ()


def entry_story(door: Door, identity: int) -> EntryStory:
    """Explain an entry of stock.

    Raises:
        Refused: ``missing`` when there is none in the warehouses the person sees, ``forbidden`` without sight of stock.
    """
    values = moves_seen(door)
    products, warehouses = dimension(door, "product"), dimension(door, "warehouse")
    bins = door.bundle.app.dimensions.bin or ""
    with door.reading() as unit:
        own, around = rows.entry_with(unit.connection, identity)
        if own is None or own.ledger != "stock" or not _seen(door, unit, own):
            raise Refused([problem("stock.no_entry")], "missing")
        uses = rows.uses_around(unit.connection, identity) if values else ()
        left = rows.layers_opened(unit.connection, identity) if values else ()
        others = entries_by_id(unit.connection, {one.giver for one in uses} | {one.taker for one in uses})
        listed = [own, *around, *others.values()]
        places = {(one.form, one.document) for one in listed} | {(one.ref_form, one.ref_document) for one in around}
        known = numbers(door, unit, {place for place in places if place[1]})
        units = counted(door, unit, [own.product])
        names = Names(door.language)
        names.want_id(products, own.product)
        names.want_id(warehouses, own.warehouse)
        if own.bin:
            names.want_id(bins, own.bin)
        names.load(unit)
        seen = _visible(door, unit, listed)

    def ref(one: Entry) -> EntryRef:
        return _ref(door, one, known, values, shown=one.warehouse in seen or not one.warehouse)

    derived = [one for one in around if one.basis == "derived" and one.origin == identity and one.ledger == "stock"]
    total = own.value + sum((one.value for one in derived), ZERO)
    mirror = next((one for one in around if one.mirror_of == identity or one.id == own.mirror_of), None)
    origin = next((one for one in around if one.id == own.origin), None)
    return EntryStory(
        entry=ref(own),
        product=own.product,
        product_text=names.name(products, own.product),
        warehouse=own.warehouse,
        warehouse_text=names.name(warehouses, own.warehouse),
        bin_text=names.name(bins, own.bin) if own.bin else "",
        lot=own.lot,
        serial=own.serial,
        status_text=status_text(own.status, door.language) if own.status else "",
        unit=units.name(own.product),
        second=units.second(own.product, own.aux),
        basis=own.basis,
        value=own.value if values else None,
        total=total if values else None,
        unit_cost=rounded(divided(total, own.quantity), PRICE_SCALE) if values and own.quantity else None,
        hash=own.hash,
        origin=ref(origin) if origin else None,
        mirror=ref(mirror) if mirror else None,
        corrections=tuple(_correction(ref(one), one, known) for one in derived) if values else (),
        taken=tuple(
            _taken(ref(others[use.giver]), use) for use in uses if use.taker == identity and use.giver in others
        ),
        given=tuple(
            _taken(ref(others[use.taker]), use) for use in uses if use.giver == identity and use.taker in others
        ),
        left=left,
    )


def _seen(door: Door, unit: Unit, own: Entry) -> bool:
    return own.warehouse in _visible(door, unit, [own])


def _visible(door: Door, unit: Unit, listed: list[Entry]) -> frozenset[int]:
    """Which of the entries' warehouses the person sees."""
    warehouses = dimension(door, "warehouse")
    condition = allowed(door, unit, warehouses)
    if condition is None:
        return frozenset(one.warehouse for one in listed)
    return frozenset(documents.record_ids(unit.connection, unit.tables, warehouses, condition))


def _ref(door: Door, one: Entry, known: Mapping[tuple[str, int], str], values: bool, *, shown: bool) -> EntryRef:
    place = (one.form, one.document)
    return EntryRef(
        id=(one.id or 0) if shown and one.ledger == "stock" else 0,
        ledger=one.ledger,
        day=one.biz_date,
        move=move_label(door, one.move),
        form=one.form if shown and place in known else "",
        document=one.document,
        number=known.get(place, "") if shown else "",
        quantity=one.quantity,
        value=one.value if values else None,
    )


def _correction(ref: EntryRef, one: Entry, known: Mapping[tuple[str, int], str]) -> Correction:
    place = (one.ref_form, one.ref_document)
    return Correction(
        entry=ref,
        cause_form=one.ref_form if place in known else "",
        cause_document=one.ref_document,
        cause_number=known.get(place, ""),
    )


def _taken(other: EntryRef, use: LayerUse) -> TakenView:
    return TakenView(other=other, day=use.day, quantity=use.quantity, value=use.value)
