"""Ledger entries and what they add up to: append, read, page, and fold.

Entries are appended and never changed; the database refuses anything else. Balances are a projection kept in the same
transaction (see `locks`); `fold` recomputes them from the entries alone and tells every difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.ledger.balance import EMPTY, Balance, BalanceKey
from engine.ledger.declared import Ledger
from engine.ledger.entry import Entry
from runtime.storage.ids import allocate
from runtime.storage.locks import KEY, lock_balances, read_balances, save_balances
from runtime.storage.product_tables import balance, entry
from runtime.storage.row_writing import Writer

__all__ = (
    "Difference",
    "append_entries",
    "entries_of",
    "entries_of_lines",
    "entries_page",
    "fold",
    "has_entries",
    "lock_balances",
    "read_balances",
    "rebuild",
    "save_balances",
)

COLUMNS = (
    "id", "ledger", "product", "warehouse", "partner", "ref_form", "ref_document", "ref_line", "quantity", "value",
    "move", "form", "document", "line", "action", "batch", "biz_date", "mirror_of", "snapshot", "posted_at", "user",
)  # fmt: skip
DECIDED = COLUMNS[1:-2]
WRITER = Writer(entry, COLUMNS)
SELECT = sa.select(*(entry.c[name] for name in COLUMNS))
OF_DOCUMENT = SELECT.where(entry.c.form == sa.bindparam("form"), entry.c.document == sa.bindparam("document")).order_by(
    entry.c.id
)
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A balance that is not what the entries add up to."""

    key: BalanceKey
    folded: Balance
    kept: Balance


def append_entries(connection: sa.Connection, entries: Sequence[Entry], at: datetime, user: int) -> Sequence[int]:
    """Append entries in order; returns their ids, which rise."""
    ids = allocate(connection, len(entries))
    WRITER.insert(
        connection,
        [
            (number, *[getattr(each, name) for name in DECIDED], at, user)
            for number, each in zip(ids, entries, strict=True)
        ],
    )
    return ids


def entries_of(connection: sa.Connection, form: str, document: int) -> tuple[Entry, ...]:
    """What the document wrote, in posting order."""
    return _entries(connection.execute(OF_DOCUMENT, {"form": form, "document": document}))


def entries_of_lines(
    connection: sa.Connection, form: str, lines: Iterable[int], ledger: str | None = None
) -> tuple[Entry, ...]:
    """What the given lines of documents of ``form`` wrote, in posting order."""
    wanted = sorted(set(lines))
    found: list[Entry] = []
    for start in range(0, len(wanted), CHUNK):
        query = SELECT.where(entry.c.form == form, entry.c.line.in_(wanted[start : start + CHUNK]))
        if ledger is not None:
            query = query.where(entry.c.ledger == ledger)
        found.extend(_entries(connection.execute(query)))
    return tuple(sorted(found, key=lambda each: each.id or 0))


def entries_page(
    connection: sa.Connection,
    ledger: str,
    *,
    product: int | None = None,
    warehouse: int | None = None,
    partner: int | None = None,
    warehouses: sa.ColumnElement[bool] | None = None,
    after: int | None = None,
    limit: int = 50,
) -> tuple[Entry, ...]:
    """Entries of a ledger, newest first; ``after`` is the id of the last entry of the page before.

    ``warehouses``: a further condition on ``sys_entry.warehouse``, from `stock.allowed_warehouses`.
    """
    query = SELECT.where(entry.c.ledger == ledger).order_by(entry.c.id.desc()).limit(limit)
    for column, value in ((entry.c.product, product), (entry.c.warehouse, warehouse), (entry.c.partner, partner)):
        if value is not None:
            query = query.where(column == value)
    if warehouses is not None:
        query = query.where(warehouses)
    if after is not None:
        query = query.where(entry.c.id < after)
    return _entries(connection.execute(query))


def has_entries(connection: sa.Connection) -> bool:
    """Whether anything was ever posted."""
    return bool(connection.execute(sa.select(sa.exists().where(entry.c.id.is_not(None)))).scalar_one())


def fold(connection: sa.Connection, ledgers: Mapping[str, Ledger]) -> tuple[Difference, ...]:
    """Recompute every balance from the entries and compare; empty when the projection is right.

    A kept balance of an undeclared ledger or grain is a difference too.
    """
    kept = dict(_kept(connection))
    found: list[Difference] = []
    for key, folded in _folded(connection, ledgers):
        before = kept.pop(key, EMPTY)
        if before != folded:
            found.append(Difference(key=key, folded=folded, kept=before))
    found.extend(Difference(key=key, folded=EMPTY, kept=value) for key, value in kept.items() if value != EMPTY)
    return tuple(sorted(found, key=lambda difference: difference.key))


def rebuild(connection: sa.Connection, differences: Sequence[Difference]) -> None:
    """Put the folded figures where the balances differ."""
    save_balances(connection, {difference.key: difference.folded for difference in differences})


def _kept(connection: sa.Connection) -> Iterator[tuple[BalanceKey, Balance]]:
    query = sa.select(*(balance.c[name] for name in KEY), balance.c.quantity, balance.c.value)
    for row in connection.execute(query):
        yield BalanceKey(*row[:7]), Balance(row[7], row[8])


def _folded(connection: sa.Connection, ledgers: Mapping[str, Ledger]) -> Iterator[tuple[BalanceKey, Balance]]:
    for ledger in ledgers.values():
        for grain, dimensions in ledger.grains.items():
            columns = [entry.c[name] for name in dimensions]
            query = (
                sa.select(*columns, sa.func.sum(entry.c.quantity), sa.func.sum(entry.c.value))
                .where(entry.c.ledger == ledger.key)
                .group_by(*columns)
            )
            for row in connection.execute(query):
                parts: dict[str, Any] = dict(zip(dimensions, row[: len(dimensions)], strict=True))
                yield BalanceKey(ledger.key, grain, **parts), Balance(Decimal(row[-2]), Decimal(row[-1]))


def _entries(result: sa.CursorResult[Any]) -> tuple[Entry, ...]:
    return tuple(Entry(**row) for row in result.mappings())
