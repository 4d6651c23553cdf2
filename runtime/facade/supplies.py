"""供需: what of a product can be promised for which day, what is on its way, who waits, and who will get what arrives.

Computed when read, from the open lines of the ledgers, in the order goods will be allotted in when they come; nothing
of it is stored, so it cannot be out of date. Where somebody may not read a document, its figures stand without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.definitions.compiled import CompiledEntry
from engine.permissions import stock_measures
from engine.problems import Refused, problem
from engine.promise import Arrival, LineKey, Step, priority
from engine.values import ZERO
from runtime.facade.base_units import units_of
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.referred import numbers
from runtime.facade.stock_rights import allowed, dimension, measures_of
from runtime.facade.supply_plan import NO_DAY, Planned, planned_for
from runtime.stages.steps import Unit
from runtime.storage import ledgers as ledger_rows
from runtime.storage.open_lines import line_numbers
from runtime.storage.outlook import DEMAND, RESERVATION, SUPPLY, Place
from runtime.storage.records import record_ids

OPENED = (DEMAND, RESERVATION, SUPPLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRef:
    """A line of a document; ``form`` is empty, and nothing more is said, where the document is not theirs to read."""

    form: str = ""
    form_label: str = ""
    document: int = 0
    number: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalView:
    """``quantity`` base units that will go from ``supply`` to ``demand``.

    Attributes:
        supply: None for goods in stock that are given once more comes. day: None where nobody has said one.
        late: after the promised day. overdue: the day is past, and the goods are not here.
    """

    demand: LineRef
    supply: LineRef | None
    quantity: Decimal
    day: date | None
    late: bool
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingView:
    """A line that waits for ``quantity`` more.

    Attributes:
        lost: how much of that is reserved for it, but the goods are gone: they expired or were set aside (占用落空).
        arrivals: what it will get, as it comes. uncovered: what nothing on its way will bring.
        expected: the day it will have all; None while part of it is uncovered or without a day.
    """

    line: LineRef
    product_text: str
    warehouse_text: str
    unit: str
    quantity: Decimal
    lost: Decimal
    rush: bool
    promised: date | None
    arrivals: tuple[ArrivalView, ...]
    uncovered: Decimal
    expected: date | None
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyView:
    """A line that brings ``quantity`` more; ``spare`` of it is meant for nobody."""

    line: LineRef
    product_text: str
    warehouse_text: str
    unit: str
    quantity: Decimal
    day: date | None
    overdue: bool
    arrivals: tuple[ArrivalView, ...]
    spare: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """A product in a warehouse: ``free`` today, what may be promised from which day on, who waits, what comes.

    Attributes:
        steps: from each day on, what is expected to be there (signed) and what may be promised (可承诺量).
        waiting: in the order of allotment. supplies: by date; empty for whoever does not see what is in transit.
    """

    product: int
    product_text: str
    warehouse: int
    warehouse_text: str
    unit: str
    free: Decimal
    steps: tuple[Step, ...]
    waiting: tuple[WaitingView, ...]
    supplies: tuple[SupplyView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSupplies:
    """Of one document: its lines that wait, and its lines that bring something."""

    waiting: tuple[WaitingView, ...]
    supplies: tuple[SupplyView, ...]


def places(door: Door, product: int, warehouse: int | None = None) -> tuple[PlaceView, ...]:
    """A product in each warehouse where any of it is free, waited for or on its way.

    Raises:
        Refused: ``forbidden`` for whoever does not see what is available.
    """
    measures = measures_of(door)
    if "available" not in measures:
        raise Refused([problem("permission.stock_denied")], "forbidden")
    warehouses, today = dimension(door, "warehouse"), door.house.now().date()
    with door.reading() as unit:
        planned = planned_for(door, unit, [product], today)
        outlooks = planned.outlooks
        condition = allowed(door, unit, warehouses)
        among = {at for _, at in outlooks}
        seen = set(record_ids(unit.connection, unit.tables, warehouses, condition, among))
        kept = [at for at in sorted(outlooks) if at[1] in seen and warehouse in (None, at[1])]
        teller = _Teller(door, unit, planned, kept, today)
    return tuple(
        PlaceView(
            product=at[0],
            product_text=teller.product(at),
            warehouse=at[1],
            warehouse_text=teller.warehouse(at),
            unit=teller.unit(at),
            free=outlooks[at].good(today),
            steps=outlooks[at].timeline(today).steps,
            # Whoever does not see what is reserved is told of documents of their own only.
            waiting=tuple(one for one in teller.waiting(at) if "reserved" in measures or one.line.form),
            supplies=tuple(teller.supplies(at)) if "in_transit" in measures else (),
        )
        for at in kept
    )


def of_document(door: Door, form: str, document: int) -> DocumentSupplies:
    """Which goods on their way will serve the lines of a document that wait, and whom the goods it brings will serve.

    Empty for whoever sees neither what is available nor what is in transit.

    Raises:
        Refused: ``missing`` for a document that is not there or not theirs to read.
    """
    measures, today = stock_measures(door.bundle, door.actor), door.house.now().date()
    with door.reading() as unit:
        if (form, document) not in numbers(door, unit, {(form, document)}):
            label = door.bundle.forms[form].label if form in door.bundle.forms else form
            raise Refused([problem("document.missing", form=label)], "missing")
        own = [
            one
            for one in ledger_rows.entries_of(unit.connection, form, document)
            if one.ledger in OPENED and (one.ref_form, one.ref_document) == (form, document)
        ]
        if not own or not measures & {"available", "in_transit"}:
            return DocumentSupplies(waiting=(), supplies=())
        at = sorted({(one.product, one.warehouse) for one in own})
        planned = planned_for(door, unit, {product for product, _ in at}, today)
        mine = frozenset(LineKey(form, one.ref_line) for one in own)
        teller = _Teller(door, unit, planned, at, today, mine)
    waiting = [one for each in at for one in teller.waiting(each)]
    supplies = [one for each in at for one in teller.supplies(each)] if "in_transit" in measures else []
    return DocumentSupplies(
        waiting=tuple(sorted(waiting, key=lambda one: one.line.line)),
        supplies=tuple(sorted(supplies, key=lambda one: one.line.line)),
    )


def has_supplies(door: Door, form: str) -> bool:
    """Whether documents of the form open lines that wait, hold or bring something."""
    entries: Iterable[CompiledEntry] = (
        entry for posting in door.bundle.postings.get(form, ()) for entry in posting.entries.get("approve", ())
    )
    return any(one.definition.ledger in OPENED and not one.definition.consumes for one in entries)


class _Teller:
    """Puts what was planned into words, for one reader: names and numbers are loaded at once."""

    def __init__(
        self,
        door: Door,
        unit: Unit,
        planned: Planned,
        at: Sequence[Place],
        today: date,
        only: frozenset[LineKey] | None = None,
    ) -> None:
        self._planned, self._today, self._bundle, self._language = planned, today, door.bundle, door.language
        self._products, self._warehouses = dimension(door, "product"), dimension(door, "warehouse")
        here = set(at)
        self._orders = [
            (one, order) for key, (one, order) in planned.orders.items() if one.place in here and _in(key, only)
        ]
        self._coming = [
            (one, supply) for key, (one, supply) in planned.coming.items() if one.place in here and _in(key, only)
        ]
        self._names = Names(door.language)
        for product, warehouse in at:
            self._names.want_id(self._products, product)
            self._names.want_id(self._warehouses, warehouse)
        self._names.load(unit)
        self._units = units_of(door, unit, {product for product, _ in at})
        lines = {key: one.opening for key, (one, _) in (*planned.orders.items(), *planned.coming.items())}
        told = {order.key for _, order in self._orders} | {supply.key for _, supply in self._coming}
        told |= {one.supply for key in tuple(told) for one in planned.gets.get(key, ()) if one.supply is not None}
        told |= {one.demand for key in tuple(told) for one in planned.gives.get(key, ())}
        documents = {key: (entry.ref_form, entry.ref_document) for key in told if (entry := lines[key]) is not None}
        self._documents = documents
        self._numbers = numbers(door, unit, set(documents.values()))
        by_form: dict[str, set[int]] = {}
        for key, place in documents.items():
            if place in self._numbers:
                by_form.setdefault(key.form, set()).add(key.line)
        self._lines = line_numbers(unit.connection, unit.tables, by_form)

    def product(self, at: Place) -> str:
        """Its name."""
        return self._names.name(self._products, at[0])

    def warehouse(self, at: Place) -> str:
        """Its name."""
        return self._names.name(self._warehouses, at[1])

    def unit(self, at: Place) -> str:
        """Name of the base unit."""
        return self._units.get(at[0], "")

    def waiting(self, at: Place) -> Iterable[WaitingView]:
        """Who waits there, in the order of allotment."""
        mine = [(one, order) for one, order in self._orders if one.place == at]
        for _, order in sorted(mine, key=lambda each: priority(each[1])):
            arrivals = tuple(self._arrival(one) for one in self._planned.gets.get(order.key, ()))
            uncovered = self._planned.uncovered.get(order.key, ZERO)
            days = [one.day for one in arrivals if one.day is not None]
            whole = bool(days) and len(days) == len(arrivals) and uncovered == ZERO
            yield WaitingView(
                line=self._ref(order.key),
                product_text=self.product(at),
                warehouse_text=self.warehouse(at),
                unit=self.unit(at),
                quantity=order.quantity,
                lost=self._planned.lost.get(order.key, ZERO),
                rush=order.rush,
                promised=order.promised,
                arrivals=arrivals,
                uncovered=uncovered,
                expected=max(days) if whole else None,
                late=any(one.late for one in arrivals),
            )

    def supplies(self, at: Place) -> Iterable[SupplyView]:
        """What is on its way there, by date."""
        mine = [supply for one, supply in self._coming if one.place == at]
        for supply in sorted(mine, key=lambda each: (each.due, each.key)):
            given = self._planned.gives.get(supply.key, ())
            yield SupplyView(
                line=self._ref(supply.key),
                product_text=self.product(at),
                warehouse_text=self.warehouse(at),
                unit=self.unit(at),
                quantity=supply.quantity,
                day=_said(supply.due),
                overdue=supply.due < self._today,
                arrivals=tuple(self._arrival(one) for one in given),
                spare=supply.quantity - sum((one.quantity for one in given), ZERO),
            )

    def _arrival(self, one: Arrival) -> ArrivalView:
        promised = self._planned.orders[one.demand][1].promised
        return ArrivalView(
            demand=self._ref(one.demand),
            supply=None if one.supply is None else self._ref(one.supply),
            quantity=one.quantity,
            day=_said(one.day),
            late=promised is not None and promised < one.day != NO_DAY,
            overdue=one.day < self._today,
        )

    def _ref(self, key: LineKey) -> LineRef:
        place = self._documents.get(key)
        if place is None or place not in self._numbers:
            return LineRef()
        form, document = place
        return LineRef(
            form=form,
            form_label=self._bundle.forms[form].label.text(self._language),
            document=document,
            number=self._numbers[place],
            line=self._lines.get(key, 0),
        )


def _in(key: LineKey, only: frozenset[LineKey] | None) -> bool:
    return only is None or key in only


def _said(day: date) -> date | None:
    return None if day == NO_DAY else day
