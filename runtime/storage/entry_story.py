"""What surrounds a ledger entry: the entries it hangs together with, and the layers of cost it opened or took from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.ledger import Entry
from runtime.storage.ledger_tables import entry, layer, layer_use
from runtime.storage.ledgers import SELECT, entries_from


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerUse:
    """Goods taken from a layer (negative: put back): by the entry ``taker`` from the one ``giver`` opened."""

    giver: int
    taker: int
    part: int
    day: date
    quantity: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLayer:
    """What is left of a layer."""

    part: int
    day: date
    quantity: Decimal
    value: Decimal


def entry_with(connection: sa.Connection, identity: int) -> tuple[Entry | None, tuple[Entry, ...]]:
    """The entry, and those that name it or that it names: origin, what was derived from it, its reversal."""
    found = {one.id: one for one in entries_from(connection.execute(SELECT.where(entry.c.id == identity)))}
    own = found.get(identity)
    if own is None:
        return None, ()
    named = [one for one in (own.origin, own.mirror_of) if one]
    around = entries_from(
        connection.execute(
            SELECT.where(
                sa.or_(
                    sa.and_(entry.c.origin == identity, entry.c.origin != sa.literal_column("0")),
                    entry.c.mirror_of == identity,
                    entry.c.id.in_(named),
                )
            ).order_by(entry.c.id)
        )
    )
    return own, around


def uses_around(connection: sa.Connection, identity: int, limit: int = 200) -> tuple[LayerUse, ...]:
    """What the entry took from layers, and what others took from those it opened."""
    query = (
        sa.select(
            layer_use.c.layer, layer_use.c.entry, layer_use.c.part, layer.c.day, layer_use.c.quantity, layer_use.c.value
        )
        .join(layer, sa.and_(layer.c.entry == layer_use.c.layer, layer.c.part == layer_use.c.part))
        .where(sa.or_(layer_use.c.entry == identity, layer_use.c.layer == identity))
        .order_by(layer.c.day, layer_use.c.layer, layer_use.c.entry)
        .limit(limit)
    )
    return tuple(
        LayerUse(giver=row[0], taker=row[1], part=row[2], day=row[3], quantity=row[4], value=row[5])
        for row in connection.execute(query)
    )


def layers_opened(connection: sa.Connection, identity: int) -> tuple[OpenLayer, ...]:
    """The layers the entry opened, with what is left of them."""
    query = sa.select(layer.c.part, layer.c.day, layer.c.quantity, layer.c.value).where(layer.c.entry == identity)
    return tuple(
        OpenLayer(part=row[0], day=row[1], quantity=row[2], value=row[3])
        for row in connection.execute(query.order_by(layer.c.part))
    )
