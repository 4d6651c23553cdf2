"""What order entry needs to promise a day: what is available, what is coming when, what goes out when (可承诺量)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import sqlalchemy as sa

from engine.promise import Outlook
from engine.values import ZERO
from runtime.storage.ledger_tables import balance
from runtime.storage.open_lines import entries_of_open_lines, open_lines, unserved

SUPPLY, DEMAND, RESERVATION = "supply", "demand", "reservation"
COLUMNS = ("ledger", "grain", "product", "warehouse", "quantity")
# Orders nobody promised a day may want their goods at once; goods nobody expects on a day help no promise.
AT_ONCE = date.min


def outlooks(connection: sa.Connection, products: Sequence[int]) -> Mapping[int, object]:
    """Product → warehouse → outlook. Demands count as far as nothing is reserved for them."""
    query = sa.select(*(balance.c[name] for name in COLUMNS)).where(
        balance.c.grain.in_(("place", "unusable")),
        balance.c.product.in_(products),
        balance.c.ledger.in_(("stock", SUPPLY, RESERVATION)),
        balance.c.quantity != Decimal(0),
    )
    free: defaultdict[tuple[int, int], Decimal] = defaultdict(lambda: ZERO)
    coming: set[tuple[int, int]] = set()
    for ledger, grain, product, warehouse, quantity in connection.execute(query):
        if ledger == SUPPLY:
            coming.add((product, warehouse))
        elif grain == "unusable" or ledger == RESERVATION:
            free[product, warehouse] -= quantity
        else:
            free[product, warehouse] += quantity
    wanted = {**unserved(connection, products), **(open_lines(connection, (SUPPLY,), coming) if coming else {})}
    entries = entries_of_open_lines(connection, wanted)
    dues = {key: _due([one.due for one in entries[key]]) for key in wanted}
    made: dict[int, dict[int, Outlook]] = {}
    for place in {*free, *((key.product, key.warehouse) for key in wanted)}:
        here = [(key, quantity) for key, quantity in wanted.items() if (key.product, key.warehouse) == place]
        made.setdefault(place[0], {})[place[1]] = Outlook(
            free=free[place],
            supplies=tuple((due, quantity) for key, quantity in here if key.ledger == SUPPLY and (due := dues[key])),
            demands=tuple((dues[key] or AT_ONCE, quantity) for key, quantity in here if key.ledger == DEMAND),
        )
    return {product: MappingProxyType(places) for product, places in made.items()}


def _due(days: Sequence[date | None]) -> date | None:
    return next((day for day in reversed(days) if day is not None), None)
