"""What is available, what is coming when, what goes out when: what promises of a day (可承诺量) and forecasts of who
gets what (预计到货) are made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import sqlalchemy as sa

from engine.ledger.balance import BalanceKey
from engine.ledger.entry import Entry
from engine.promise import Outlook
from engine.values import ZERO
from runtime.storage.ledger_tables import balance
from runtime.storage.open_lines import entries_of_open_lines, open_lines, unserved
from runtime.storage.stock_rows import dated_stock

SUPPLY, DEMAND, RESERVATION = "supply", "demand", "reservation"
COLUMNS = ("ledger", "grain", "product", "warehouse", "quantity")
# Orders nobody promised a day may want their goods at once; goods nobody expects on a day help no promise.
AT_ONCE = date.min
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that brings goods, or that waits for some: how much, and the entries that say whose it is and for when."""

    key: BalanceKey
    quantity: Decimal
    entries: Sequence[Entry]

    @property
    def place(self) -> Place:
        """Product and warehouse."""
        return self.key.product, self.key.warehouse

    @property
    def due(self) -> date | None:
        """The day it was last said to be due."""
        return next((one.due for one in reversed(self.entries) if one.due is not None), None)

    @property
    def opening(self) -> Entry | None:
        """The entry that opened it, the last one where it was opened again."""
        return next((one for one in reversed(self.entries) if one.quantity > ZERO), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What products have to give, by place (product, warehouse): free (expired goods among it), what of that has a last
    good day, what is on its way and what is waited for."""

    free: Mapping[Place, Decimal]
    dated: Mapping[Place, tuple[tuple[date, Decimal], ...]]
    coming: tuple[OpenLine, ...]
    waiting: tuple[OpenLine, ...]


def flows(connection: sa.Connection, products: Iterable[int]) -> Flows:
    """The flows of these products; demands count as far as nothing is reserved for them."""
    asked = sorted(set(products))
    query = sa.select(*(balance.c[name] for name in COLUMNS)).where(
        balance.c.grain.in_(("place", "unusable")),
        balance.c.product.in_(asked),
        balance.c.ledger.in_(("stock", SUPPLY, RESERVATION)),
        balance.c.quantity != Decimal(0),
    )
    free: defaultdict[Place, Decimal] = defaultdict(lambda: ZERO)
    expecting: set[Place] = set()
    for ledger, grain, product, warehouse, quantity in connection.execute(query):
        if ledger == SUPPLY:
            expecting.add((product, warehouse))
        elif grain == "unusable" or ledger == RESERVATION:
            free[product, warehouse] -= quantity
        else:
            free[product, warehouse] += quantity
    wanted = unserved(connection, asked)
    coming = open_lines(connection, (SUPPLY,), expecting) if expecting else {}
    entries = entries_of_open_lines(connection, {**wanted, **coming})
    return Flows(
        free=MappingProxyType(dict(free)),
        dated=dated_stock(connection, asked),
        coming=tuple(OpenLine(key, quantity, entries[key]) for key, quantity in coming.items()),
        waiting=tuple(OpenLine(key, quantity, entries[key]) for key, quantity in wanted.items()),
    )


def outlooks(connection: sa.Connection, products: Sequence[int]) -> Mapping[int, object]:
    """Product → warehouse → outlook."""
    made: dict[int, dict[int, Outlook]] = {}
    for (product, warehouse), outlook in outlooks_of(flows(connection, products)).items():
        made.setdefault(product, {})[warehouse] = outlook
    return {product: MappingProxyType(places) for product, places in made.items()}


def outlooks_of(found: Flows) -> Mapping[Place, Outlook]:
    """The outlook of every place with anything free, coming or waited for."""
    coming, waiting = _by_place(found.coming), _by_place(found.waiting)
    return {
        place: Outlook(
            free=found.free.get(place, ZERO),
            dated=found.dated.get(place, ()),
            supplies=tuple((due, one.quantity) for one in coming.get(place, ()) if (due := one.due)),
            demands=tuple((one.due or AT_ONCE, one.quantity) for one in waiting.get(place, ())),
        )
        for place in {*found.free, *coming, *waiting}
    }


def _by_place(lines: Iterable[OpenLine]) -> Mapping[Place, Sequence[OpenLine]]:
    found: dict[Place, list[OpenLine]] = {}
    for one in lines:
        found.setdefault(one.place, []).append(one)
    return found
