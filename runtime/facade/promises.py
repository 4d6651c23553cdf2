"""交期答复: what can be promised of the lines of an order that is not approved yet (domain rule D12).

The demands its approval would write are asked one after the other, each after the ones before it, so that two lines of
a product are not promised the same goods. Computed when read; nothing is held for the order until it is approved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from engine.document import DocStatus, Document
from engine.environment import scene
from engine.ledger import Entry, Request, live, requests
from engine.permissions import stock_measures
from engine.promise import Answer, Outlook, answer, order_day, said
from engine.values import ZERO
from runtime.declared import declared_ledgers
from runtime.facade.base_units import units_of
from runtime.facade.cells import Names
from runtime.facade.documents import readable
from runtime.facade.door import Door
from runtime.facade.stock_rights import allowed, dimension
from runtime.stages.steps import Unit, load_linked
from runtime.storage import documents
from runtime.storage import ledgers as ledger_rows
from runtime.storage.outlook import DEMAND, RESERVATION, Place, flows, outlooks_of
from runtime.storage.records import record_ids

LEAD_DAYS = "lead_days"  # 采购周期 of a product, in days, where its form has such a field
UNDECIDED = (DocStatus.DRAFT, DocStatus.PENDING, DocStatus.REJECTED)
Kind: TypeAlias = Literal["now", "partial", "later", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAnswer:
    """What can be said about a line.

    Attributes:
        quantity: base units wanted, by ``wanted``. now: base units that can leave the warehouse of the line today.
        elsewhere: name and base units of other warehouses that make up the rest today. day: when all of it can leave.
        sentences: the answer in the reader's language. late: ``day`` is after ``wanted``.
    """

    line: int
    product_text: str
    warehouse_text: str
    unit: str
    quantity: Decimal
    wanted: date | None
    kind: Kind
    now: Decimal
    elsewhere: tuple[tuple[str, Decimal], ...]
    day: date | None
    sentences: tuple[str, ...]
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """The lines, and the day the whole order can leave; None where nobody can tell, or there is nothing to tell."""

    lines: tuple[LineAnswer, ...]
    day: date | None


NOTHING = OrderAnswer(lines=(), day=None)


def of_document(door: Door, form: str, document: int) -> OrderAnswer:
    """What can be promised of a draft, or of an order that waits for approval; nothing of any other document, nor to
    whoever does not see what is available.

    Raises:
        Refused: ``missing`` for a document that is not there or not theirs to read.
    """
    today = door.house.now().date()
    with door.reading() as unit:
        found = readable(door, unit, unit.form(form), document)
        if "available" not in stock_measures(door.bundle, door.actor) or found.status not in UNDECIDED:
            return NOTHING
        wanted = _wanted(unit, found)
        if not wanted:
            return NOTHING
        own = ledger_rows.entries_of(unit.connection, form, document)
        outlooks = _outlooks(door, unit, wanted, live(own))
        days = _lead_days(door, unit, {one.product for one in wanted})
        whole = not door.bundle.app.settings.partial_reservation
        answers = tuple(_answers(wanted, outlooks, days, today, whole))
        names, units = _names(door, unit, wanted, answers), units_of(door, unit, {one.product for one in wanted})
    lines = tuple(
        _told(door, one, given, names, units.get(one.product, "")) for one, given in zip(wanted, answers, strict=True)
    )
    return OrderAnswer(lines=lines, day=order_day(answers))


def _wanted(unit: Unit, document: Document) -> Sequence[Request]:
    """The demands approval would write; none while the document cannot post yet."""
    form = unit.form(document.form)
    names = scene(form, document, load_linked(unit, form, (document,)), unit.around)
    made, problems = requests(
        unit.bundle.postings.get(form.key, ()),
        "approve",
        document,
        names.header,
        names.all_lines(),
        declared_ledgers(unit.bundle),
        unit.around.clock,
        unit.bundle.app.settings.money_decimals,
    )
    if problems:
        return ()
    return [
        one
        for one in made
        if one.definition.ledger == DEMAND and not one.definition.consumes and one.line and one.quantity > ZERO
    ]


def _outlooks(door: Door, unit: Unit, wanted: Iterable[Request], own: Collection[Entry]) -> Mapping[Place, Outlook]:
    """The outlook of the products in the warehouses the person sees, and in those of the order. What the order itself
    holds while it waits for approval (加急锁库) is free for it."""
    here = {(one.product, one.warehouse) for one in wanted}
    found = outlooks_of(flows(unit.connection, {product for product, _ in here}))
    warehouses = dimension(door, "warehouse")
    condition = allowed(door, unit, warehouses)
    seen = set(record_ids(unit.connection, unit.tables, warehouses, condition, {at for _, at in found}))
    kept = {at: one for at, one in found.items() if at in here or at[1] in seen}
    for entry in own:
        if entry.ledger == RESERVATION:
            at = (entry.product, entry.warehouse)
            before = kept.get(at, Outlook())
            kept[at] = replace(before, free=before.free + entry.quantity)
    return kept


def _lead_days(door: Door, unit: Unit, products: set[int]) -> Mapping[int, int]:
    form = unit.form(dimension(door, "product"))
    if LEAD_DAYS not in form.fields:
        return {}
    rows = documents.load_rows(unit.connection, unit.tables, form.key, products, {LEAD_DAYS})
    return {one: int(days) for one, row in rows.items() if isinstance(days := row.values[LEAD_DAYS], int | Decimal)}


def _answers(
    wanted: Iterable[Request], outlooks: Mapping[Place, Outlook], days: Mapping[int, int], today: date, whole: bool
) -> Iterator[Answer]:
    taken: defaultdict[Place, list[tuple[date, Decimal]]] = defaultdict(list)
    for one in wanted:
        at = (one.product, one.warehouse)
        ahead = {
            place: replace(found, demands=(*found.demands, *taken[place])).timeline(today)
            for place, found in {at: Outlook(), **outlooks}.items()
            if place[0] == one.product
        }
        others = [
            (place[1], free)
            for place, found in sorted(ahead.items())
            if place != at and (free := min(found.free, found.on(today).promisable)) > ZERO
        ]
        given = answer(one.quantity, ahead[at], today, others, days.get(one.product), whole)
        yield given
        moved = sum((quantity for _, quantity in given.elsewhere), ZERO)
        taken[at].append((one.due or today, one.quantity - moved))
        for warehouse, quantity in given.elsewhere:
            taken[one.product, warehouse].append((today, quantity))


def _names(door: Door, unit: Unit, wanted: Iterable[Request], answers: Iterable[Answer]) -> Names:
    products, warehouses = dimension(door, "product"), dimension(door, "warehouse")
    names = Names(door.language)
    names.want_ids(products, {one.product for one in wanted})
    names.want_ids(warehouses, {one.warehouse for one in wanted} | {at for one in answers for at, _ in one.elsewhere})
    names.load(unit)
    return names


def _told(door: Door, one: Request, given: Answer, names: Names, unit: str) -> LineAnswer:
    catalogue, warehouses = door.house.catalogue, dimension(door, "warehouse")
    return LineAnswer(
        line=one.line.number if one.line else 0,
        product_text=names.name(dimension(door, "product"), one.product),
        warehouse_text=names.name(warehouses, one.warehouse),
        unit=unit,
        quantity=one.quantity,
        wanted=one.due,
        kind=given.kind,
        now=given.now,
        elsewhere=tuple((names.name(warehouses, at), quantity) for at, quantity in given.elsewhere),
        day=given.day,
        sentences=tuple(catalogue.text(each, door.language)[0] for each in said(given, wanted=one.due)),
        late=one.due is not None and given.day is not None and given.day > one.due,
    )
