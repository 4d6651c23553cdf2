"""Cost layers (FIFO) and lot dates: what a posting opened, used and taught, and what later ones ask of layers.

Layers and uses are a projection of the entries: an entry that is settled again loses what it had opened and used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.ledger.entry import FRESH
from engine.ledger.facts import Layering, LotDates
from engine.pools import Layer, Use
from engine.values import ZERO
from runtime.storage.ledger_tables import layer, layer_use, lot
from runtime.storage.row_writing import Writer

LAYERS = Writer(layer)
USES = Writer(layer_use)
LOTS = Writer(lot)
CHUNK = 900
LAYER = sa.select(layer.c.pool, layer.c.entry, layer.c.part, layer.c.day, layer.c.root, layer.c.quantity, layer.c.value)


def open_layers(connection: sa.Connection, pools: Iterable[str]) -> Mapping[str, tuple[Layer, ...]]:
    """Layers with goods in them, by pool, in their order."""
    return _layers(connection, LAYER.where(layer.c.quantity != 0), layer.c.pool, sorted(set(pools)))


def layers_of(connection: sa.Connection, entries: Iterable[int]) -> Mapping[str, tuple[Layer, ...]]:
    """Every layer the entries opened, by pool."""
    return _layers(connection, LAYER, layer.c.entry, sorted(set(entries)))


def _layers(
    connection: sa.Connection, query: sa.Select[Any], column: sa.Column[Any], wanted: Sequence[object]
) -> Mapping[str, tuple[Layer, ...]]:
    found: dict[str, list[Layer]] = {}
    for start in range(0, len(wanted), CHUNK):
        for row in connection.execute(query.where(column.in_(wanted[start : start + CHUNK]))):
            one = Layer(entry=row[1], part=row[2], day=row[3], root=row[4], quantity=row[5], value=row[6])
            found.setdefault(row[0], []).append(one)
    return {
        pool: tuple(sorted(each, key=lambda one: (one.day, one.root, one.entry, one.part)))
        for pool, each in found.items()
    }


def uses_of(connection: sa.Connection, entries: Iterable[int]) -> Sequence[Use]:
    """What the entries took from layers, in posting order."""
    wanted, found = sorted(set(entries)), []
    query = sa.select(
        layer_use.c.entry, layer_use.c.layer, layer_use.c.part, layer.c.day, layer.c.root, layer_use.c.quantity,
        layer_use.c.value,
    ).join(layer, sa.and_(layer.c.entry == layer_use.c.layer, layer.c.part == layer_use.c.part))  # fmt: skip
    for start in range(0, len(wanted), CHUNK):
        for row in connection.execute(query.where(layer_use.c.entry.in_(wanted[start : start + CHUNK]))):
            found.append(
                Use(
                    entry=row[0], layer=row[1], part=row[2], day=row[3], root=row[4], quantity=row[5], value=row[6]
                )
            )  # fmt: skip
    return sorted(found, key=lambda use: (use.entry, use.day, use.root, use.layer, use.part))


def save_layering(connection: sa.Connection, layering: Layering, ids: Sequence[int]) -> None:
    """Keep what became of layers.

    Args:
        ids: of the entries just appended, in their order.
    """
    if not layering.open and not layering.rerun:
        return

    def known(identity: int) -> int:
        return ids[identity - FRESH - 1] if identity > FRESH else identity

    void = sorted(layering.rerun)
    for start in range(0, len(void), CHUNK):
        chunk = void[start : start + CHUNK]
        connection.execute(layer_use.delete().where(layer_use.c.entry.in_(chunk)))
        connection.execute(layer.delete().where(layer.c.entry.in_(chunk)))
    if layering.rerun:
        # What was exhausted may be open again and the other way round: begin from none.
        for pool in sorted(layering.open):
            connection.execute(
                layer.update().where(layer.c.pool == pool, layer.c.quantity != 0).values(quantity=ZERO, value=ZERO)
            )
    touched = {(use.layer, use.part) for use in layering.uses}
    rows: dict[tuple[str, int, int], tuple[object, ...]] = {}
    for pool, opened in layering.opened.items():
        for one in opened:
            key = (pool, known(one.entry), one.part)
            rows[key] = (*key, one.day, known(one.root), ZERO, ZERO)
            touched.add((one.entry, one.part))
    for pool, listed in layering.open.items():
        for one in listed:
            if layering.rerun or (one.entry, one.part) in touched:
                key = (pool, known(one.entry), one.part)
                rows[key] = (*key, one.day, known(one.root), one.quantity, one.value)
                touched.discard((one.entry, one.part))
    if not layering.rerun:
        _exhaust(connection, [key for key in touched if key[0] <= FRESH])
    LAYERS.upsert(connection, [rows[key] for key in sorted(rows)], ("quantity", "value"))
    USES.insert(
        connection,
        [(known(use.entry), known(use.layer), use.part, use.quantity, use.value) for use in layering.uses],
    )


def _exhaust(connection: sa.Connection, keys: Iterable[tuple[int, int]]) -> None:
    """Layers that were used up."""
    for entry, part in sorted(keys):
        connection.execute(
            layer.update().where(layer.c.entry == entry, layer.c.part == part).values(quantity=ZERO, value=ZERO)
        )


def save_lots(connection: sa.Connection, lots: Mapping[tuple[int, str], tuple[LotDates, date]]) -> None:
    """Keep the dates of lots that came in."""
    rows = [(*key, dates.made, dates.expires, day) for key, (dates, day) in sorted(lots.items())]
    LOTS.upsert(connection, rows, ("made", "expires"))
