"""The lines of some products that wait, hold without goods or bring goods, and the forecast of who gets what arrives.

A reservation whose goods are gone (占用落空: they expired, were set aside, or turned out not to be there) stays what it
is; whom it leaves without goods is worked out here, as everything else about supply, when somebody looks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from engine.promise import Arrival, Backorder, LineKey, Outlook, Supply, forecast, unfounded
from engine.values import ZERO
from runtime.facade.door import Door
from runtime.stages.allot import HARD, backorder, reserves
from runtime.stages.steps import Unit
from runtime.storage import outlook
from runtime.storage.open_lines import entries_of_open_lines, open_lines
from runtime.storage.outlook import DEMAND, RESERVATION, OpenLine, Place

NO_DAY = date.max  # goods nobody has said a day for come after all that have one


@dataclass(frozen=True, slots=True)
class Planned:
    """The lines of some products with the forecast of every place.

    Attributes:
        orders, coming: by line; an order wants what it waits for and what of its reservation is without goods.
        lost: of these, what is reserved without goods. gets: arrivals by the line that waits. gives: by the line that
            brings them. uncovered: what nothing on its way will bring.
    """

    outlooks: Mapping[Place, Outlook]
    orders: Mapping[LineKey, tuple[OpenLine, Backorder]]
    coming: Mapping[LineKey, tuple[OpenLine, Supply]]
    lost: Mapping[LineKey, Decimal]
    gets: Mapping[LineKey, Sequence[Arrival]]
    gives: Mapping[LineKey | None, Sequence[Arrival]]
    uncovered: Mapping[LineKey, Decimal]


def planned_for(door: Door, unit: Unit, products: Iterable[int], today: date) -> Planned:
    """The forecast of each place. Lines of forms that never reserve wait for goods, but are not given any."""
    found = outlook.flows(unit.connection, products)
    outlooks = outlook.outlooks_of(found)
    whole = not door.bundle.app.settings.partial_reservation
    waiting = {
        LineKey(one.key.ref_form, one.key.ref_line): (one, backorder(opening, one.quantity, whole))
        for one in found.waiting
        if (opening := one.opening) is not None and reserves(door.bundle, one.key.ref_form)
    }
    coming = {
        key: (one, Supply(key=key, quantity=one.quantity, due=one.due or NO_DAY))
        for one in found.coming
        if one.quantity > ZERO
        for key in (LineKey(one.key.ref_form, one.key.ref_line),)
    }
    lost = _lost(unit, {at: free for at, one in outlooks.items() if (free := one.good(today)) < ZERO})
    orders = dict(waiting)
    for key, (one, order) in lost.items():
        line, more = waiting.get(key, (one, order))
        total = order.quantity + (more.quantity if key in waiting else ZERO)
        orders[key] = (line, replace(more, quantity=total))
    gets: dict[LineKey, list[Arrival]] = {}
    gives: dict[LineKey | None, list[Arrival]] = {}
    uncovered: dict[LineKey, Decimal] = {}
    for at in sorted({one.place for one, _ in orders.values()}):
        told = forecast(
            [order for one, order in waiting.values() if one.place == at],
            [supply for one, supply in coming.values() if one.place == at],
            outlooks[at].good(today),
            [order for one, order in lost.values() if one.place == at],
        )
        for arrival in told.arrivals:
            gets.setdefault(arrival.demand, []).append(arrival)
            gives.setdefault(arrival.supply, []).append(arrival)
        uncovered.update(told.uncovered)
    quantities = {key: order.quantity for key, (_, order) in lost.items()}
    return Planned(outlooks, orders, coming, quantities, gets, gives, uncovered)


def _lost(unit: Unit, lacking: Mapping[Place, Decimal]) -> Mapping[LineKey, tuple[OpenLine, Backorder]]:
    """Who reserves without goods, and how much, where less than nothing is free."""
    held = open_lines(unit.connection, (RESERVATION,), lacking) if lacking else {}
    wanted = {key: key._replace(ledger=DEMAND) for key, quantity in held.items() if quantity > ZERO}
    entries = entries_of_open_lines(unit.connection, {*wanted, *wanted.values()})
    lines: dict[Place, dict[LineKey, tuple[OpenLine, Backorder]]] = defaultdict(dict)
    for key, demand in wanted.items():
        mine, orders = (OpenLine(each, held[key], entries[each]) for each in (key, demand))
        # Who goes first is told by what is demanded; a lock (锁库) demands nothing and goes with the rush orders.
        said = orders.opening or mine.opening
        if said is None:
            continue
        order = backorder(said, held[key], False)
        order = replace(order, rush=order.rush or (orders.opening is None and said.element == HARD))
        lines[mine.place][order.key] = (mine, order)
    return {
        one.key: (here[one.key][0], one)
        for at, here in lines.items()
        for one in unfounded((order for _, order in here.values()), lacking[at])
    }
