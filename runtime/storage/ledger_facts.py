"""What the ledgers hold of records an expression links to: one query per figure, whatever the number of records.

The names are the pseudo-fields of ``engine.expressions.ledger_functions``. Read from the balances, never from entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from engine.expressions.ledger_functions import (
    AUX_AT,
    AUX_SHARE,
    DETAIL_AT,
    ON_HAND,
    ON_HAND_AT,
    OUTLOOK,
    PAYABLE,
    RECEIVABLE,
    UNIT_COST,
)
from engine.values import PRICE_SCALE, ZERO, divided, rounded
from runtime.storage.ledger_tables import balance, entry
from runtime.storage.outlook import outlooks

DETAIL = ("warehouse", "bin", "lot", "serial", "status")
PLAIN = (0, "", "", "")  # goods in no bin, of no lot, serial number or status
LOOKED_BACK = timedelta(days=31)  # counts are not open for longer
LEDGER_FACTS = frozenset({ON_HAND, ON_HAND_AT, DETAIL_AT, AUX_AT, AUX_SHARE, UNIT_COST, RECEIVABLE, PAYABLE, OUTLOOK})
AUX_FACTS = frozenset({AUX_AT, AUX_SHARE})  # of catch weight goods only


def ledger_facts(
    connection: sa.Connection, names: Iterable[str], ids: Iterable[int], weighed: Iterable[int] = ()
) -> Mapping[int, Mapping[str, object]]:
    """The figures ``names`` of the records ``ids``; every record gets every figure, empty ledgers included.

    Args:
        weighed: the records that are catch weight goods, the only ones asked for second quantities.
    """
    wanted = sorted(set(ids))
    found: dict[int, dict[str, object]] = {record: {} for record in wanted}
    for name in sorted(set(names)):
        asked = wanted if name not in AUX_FACTS else sorted(set(weighed))
        figures = _FIGURES[name](connection, asked) if asked else {}
        for record in wanted:
            found[record][name] = figures.get(record, _EMPTY[name])
    return found


def _on_hand(connection: sa.Connection, ids: list[int]) -> Mapping[int, object]:
    query = sa.select(balance.c.product, balance.c.warehouse, balance.c.quantity).where(
        balance.c.ledger == "stock", balance.c.grain == "place", balance.c.product.in_(ids)
    )
    places: dict[int, dict[int, Decimal]] = {}
    for product, warehouse, quantity in connection.execute(query):
        places.setdefault(product, {})[warehouse] = quantity
    return {product: MappingProxyType(each) for product, each in places.items()}


def _on_hand_at(connection: sa.Connection, ids: list[int]) -> Mapping[int, object]:
    present = _on_hand(connection, ids)
    moves: dict[int, list[tuple[datetime, int, Decimal]]] = {}
    for product, at, quantity, warehouse in _latest_moves(connection, ids, "quantity", entry.c.warehouse):
        moves.setdefault(product, []).append((at, warehouse, quantity))
    return {product: (present.get(product, {}), tuple(moves.get(product, ()))) for product in ids}


def _detail_at(connection: sa.Connection, ids: list[int]) -> Mapping[int, object]:
    return _figure_at(connection, ids, "quantity")


def _aux_at(connection: sa.Connection, ids: list[int]) -> Mapping[int, object]:
    return _figure_at(connection, ids, "aux")


def _aux_share(connection: sa.Connection, ids: list[int]) -> Mapping[int, object]:
    held, aux = (_present(connection, ids, figure) for figure in ("quantity", "aux"))
    return {
        product: MappingProxyType({key: (each, aux[product].get(key, ZERO)) for key, each in held[product].items()})
        for product in ids
    }


def _figure_at(connection: sa.Connection, ids: list[int], figure: str) -> Mapping[int, object]:
    present = _present(connection, ids, figure)
    moves: dict[int, list[tuple[datetime, tuple[object, ...], Decimal]]] = {}
    for product, at, moved, *key in _latest_moves(connection, ids, figure, *(entry.c[name] for name in DETAIL)):
        moves.setdefault(product, []).append((at, tuple(key), moved))
    return {product: (present[product], tuple(moves.get(product, ()))) for product in ids}


def _present(connection: sa.Connection, ids: list[int], figure: str) -> dict[int, dict[tuple[object, ...], Decimal]]:
    present: dict[int, dict[tuple[object, ...], Decimal]] = {product: {} for product in ids}
    # What is kept by bin or lot stands in the grain ``detail``; the rest of a place lies there without any.
    for product, place, total in connection.execute(_of_grain(("warehouse",), "place", ids, figure)).all():
        present[product][place, *PLAIN] = total or ZERO
    for product, *key, held in connection.execute(_of_grain(DETAIL, "detail", ids, figure)).all():
        present[product][tuple(key)] = held or ZERO
        present[product][key[0], *PLAIN] = present[product].get((key[0], *PLAIN), ZERO) - (held or ZERO)
    return present


def _of_grain(names: tuple[str, ...], grain: str, ids: list[int], figure: str) -> sa.Select[Any]:
    columns = [balance.c[name] for name in names]
    return (
        sa.select(balance.c.product, *columns, sa.func.sum(balance.c[figure]))
        .where(balance.c.ledger == "stock", balance.c.grain == grain, balance.c.product.in_(ids))
        .group_by(balance.c.product, *columns)
    )


def _latest_moves(
    connection: sa.Connection, ids: list[int], figure: str, *columns: sa.Column[Any]
) -> Iterable[Sequence[Any]]:
    """Product, moment, figure and ``columns`` of what moved lately; nothing before the first entry."""
    newest = connection.execute(sa.select(sa.func.max(entry.c.posted_at)).where(entry.c.ledger == "stock")).scalar_one()
    if newest is None:
        return ()
    query: sa.Select[Any] = sa.select(entry.c.product, entry.c.posted_at, entry.c[figure], *columns).where(
        entry.c.ledger == "stock", entry.c.product.in_(ids), entry.c.posted_at > newest - LOOKED_BACK
    )
    return connection.execute(query).all()


def _unit_cost(connection: sa.Connection, ids: list[int]) -> Mapping[int, object]:
    query = (
        sa.select(balance.c.product, sa.func.sum(balance.c.quantity), sa.func.sum(balance.c.value))
        .where(balance.c.ledger == "stock", balance.c.grain == "cost", balance.c.product.in_(ids))
        .group_by(balance.c.product)
    )
    return {
        product: rounded(divided(value, quantity), PRICE_SCALE)
        for product, quantity, value in connection.execute(query)
        if quantity > ZERO
    }


def _owed(ledger: str, connection: sa.Connection, ids: list[int]) -> Mapping[int, object]:
    query = sa.select(balance.c.partner, balance.c.value).where(
        balance.c.ledger == ledger, balance.c.grain == "partner", balance.c.partner.in_(ids)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _receivable(connection: sa.Connection, ids: list[int]) -> Mapping[int, object]:
    return _owed("receivable", connection, ids)


def _payable(connection: sa.Connection, ids: list[int]) -> Mapping[int, object]:
    return _owed("payable", connection, ids)


_FIGURES = MappingProxyType(
    {
        ON_HAND: _on_hand, ON_HAND_AT: _on_hand_at, DETAIL_AT: _detail_at, AUX_AT: _aux_at,
        AUX_SHARE: _aux_share, UNIT_COST: _unit_cost, RECEIVABLE: _receivable, PAYABLE: _payable, OUTLOOK: outlooks,
    }
)  # fmt: skip
_NEVER_MOVED = (MappingProxyType[Any, Any]({}), ())
_EMPTY: Mapping[str, object] = MappingProxyType(
    {
        ON_HAND: MappingProxyType({}), ON_HAND_AT: _NEVER_MOVED, DETAIL_AT: _NEVER_MOVED, AUX_AT: _NEVER_MOVED,
        AUX_SHARE: MappingProxyType({}), UNIT_COST: None, RECEIVABLE: ZERO, PAYABLE: ZERO,
        OUTLOOK: MappingProxyType({}),
    }
)  # fmt: skip
