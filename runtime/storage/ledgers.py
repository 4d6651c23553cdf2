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
from engine.ledger.chain import link
from engine.ledger.declared import UNUSABLE, Grain, Ledger, keys_of
from engine.ledger.entry import FRESH, NAMES, Entry
from engine.values import ZERO
from runtime.storage.ids import allocate
from runtime.storage.ledger_tables import balance, entry
from runtime.storage.locks import lock_balances, read_balances, save_balances
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
    "product_has_entries",
    "read_balances",
    "rebuild",
    "save_balances",
)

WRITER = Writer(entry, NAMES)
SELECT = sa.select(*(entry.c[name] for name in NAMES))
OF_DOCUMENT = SELECT.where(entry.c.form == sa.bindparam("form"), entry.c.document == sa.bindparam("document")).order_by(
    entry.c.id
)
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A balance that is not what the entries add up to.

    Attributes:
        text: key of the row that is kept; ``key`` says the same unless somebody changed the columns beside it.
    """

    text: str
    key: BalanceKey
    folded: Balance
    kept: Balance


def append_entries(
    connection: sa.Connection,
    entries: Sequence[Entry],
    at: datetime,
    user: int,
    balances: Mapping[BalanceKey, Balance],
    declared: Mapping[str, Ledger],
) -> tuple[tuple[Entry, ...], Mapping[BalanceKey, Balance]]:
    """Append entries in order, each linked into its chain.

    Args:
        balances: what the entries lead to; the head of each chain is the one before them.

    Returns:
        The entries as appended (ids, which rise; origins resolved; hashes) and the balances with their new heads.
    """
    ids = allocate(connection, len(entries))
    heads: dict[BalanceKey, str] = {}
    kept: list[Entry] = []
    for number, each in zip(ids, entries, strict=True):
        origin = ids[each.origin - FRESH - 1] if each.origin > FRESH else each.origin
        named = each._replace(id=number, origin=origin, posted_at=at, user=user)
        key = keys_of(declared[named.ledger], named)[0]
        hashed = link(heads[key] if key in heads else balances[key].head, named)
        heads[key] = hashed
        kept.append(Entry._make((*named[:-1], hashed)))  # the hash is the last attribute
    WRITER.insert(connection, kept)
    return tuple(kept), {**balances, **{key: balances[key]._replace(head=head) for key, head in heads.items()}}


def entries_of(connection: sa.Connection, form: str, document: int) -> tuple[Entry, ...]:
    """What the document wrote, in posting order."""
    return entries_from(connection.execute(OF_DOCUMENT, {"form": form, "document": document}))


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
        found.extend(entries_from(connection.execute(query)))
    return tuple(sorted(found, key=lambda each: each.id or 0))


def entries_page(
    connection: sa.Connection,
    ledger: str,
    *,
    product: int | None = None,
    warehouse: int | None = None,
    partner: int | None = None,
    warehouses: sa.ColumnElement[bool] | None = None,
    lot: str = "",
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
    if lot:
        query = query.where(entry.c.lot == lot)
    if after is not None:
        query = query.where(entry.c.id < after)
    return entries_from(connection.execute(query))


def has_entries(connection: sa.Connection, ledger: str = "") -> bool:
    """Whether anything was ever posted, to ``ledger`` if one is named."""
    condition = entry.c.ledger == ledger if ledger else entry.c.id.is_not(None)
    return bool(connection.execute(sa.select(sa.exists().where(condition))).scalar_one())


def product_has_entries(connection: sa.Connection, ledgers: Iterable[str], product: int) -> bool:
    """Whether anything of ``product`` was ever posted to one of these ledgers, taken back or not."""
    condition = sa.exists().where(entry.c.ledger.in_(sorted(ledgers)), entry.c.product == product)
    return bool(connection.execute(sa.select(condition)).scalar_one())


def fold(connection: sa.Connection, ledgers: Mapping[str, Ledger]) -> tuple[Difference, ...]:
    """Recompute every balance from the entries and compare; empty when the projection is right.

    A kept balance of an undeclared ledger or grain is a difference too, and one whose columns say something else than
    its key.
    """
    kept = dict(_kept(connection))
    found: list[Difference] = []
    for key, folded in _folded(connection, ledgers):
        text = key.text
        named, before = kept.pop(text, (key, EMPTY))
        if before != folded or named != key:
            found.append(Difference(text=text, key=key, folded=folded, kept=before if named == key else EMPTY))
    for text, (named, value) in kept.items():
        if value.entries or value.quantity or value.value or value.aux:
            found.append(Difference(text=text, key=named, folded=EMPTY, kept=value))
    return tuple(sorted(found, key=lambda difference: difference.text))


def rebuild(connection: sa.Connection, differences: Sequence[Difference]) -> None:
    """Put the folded figures where the balances differ; what no entry explains goes. Heads of chains stay as kept."""
    texts = [difference.text for difference in differences]
    wanted = [difference.key for difference in differences if difference.folded.entries]
    kept = read_balances(connection, wanted)
    for start in range(0, len(texts), CHUNK):
        connection.execute(balance.delete().where(balance.c.key.in_(texts[start : start + CHUNK])))
    save_balances(
        connection,
        {each.key: each.folded._replace(head=kept[each.key].head) for each in differences if each.folded.entries},
    )


def _kept(connection: sa.Connection) -> Iterator[tuple[str, tuple[BalanceKey, Balance]]]:
    names = ("key", "quantity", "value", "last_day", "entries", "aux", *BalanceKey._fields)
    columns = [balance.c[name] for name in names]
    for row in connection.execute(sa.select(*columns).execution_options(yield_per=CHUNK)):
        text, quantity, value, day, entries, aux, *key = row
        yield text, (BalanceKey(*key), Balance(quantity, value, day, entries, aux=aux or ZERO))


def _folded(connection: sa.Connection, ledgers: Mapping[str, Ledger]) -> Iterator[tuple[BalanceKey, Balance]]:
    for ledger in ledgers.values():
        for name, grain in ledger.grains.items():
            columns = [_month(connection) if each == "month" else entry.c[each] for each in grain.dimensions]
            query = (
                sa.select(
                    *columns,
                    sa.func.sum(entry.c.quantity),
                    sa.func.sum(entry.c.value),
                    sa.func.max(entry.c.biz_date),
                    sa.func.count(),
                    sa.func.sum(entry.c.aux),
                )
                .where(entry.c.ledger == ledger.key, *_counted(grain))
                .group_by(*columns)
            )
            for *found, quantity, value, day, entries, aux in connection.execute(query):
                parts: dict[str, Any] = dict(zip(grain.dimensions, found, strict=True))
                folded = Balance(Decimal(quantity), Decimal(value), day, entries, aux=Decimal(aux))
                yield BalanceKey(ledger.key, name, **parts), folded


def _month(connection: sa.Connection) -> sa.ColumnElement[int]:
    text = (
        sa.func.strftime("%Y%m", entry.c.biz_date)
        if connection.dialect.name == "sqlite"
        else sa.func.to_char(entry.c.biz_date, "YYYYMM")
    )
    return sa.cast(text, sa.BigInteger())


def _counted(grain: Grain) -> tuple[sa.ColumnElement[bool], ...]:
    """``Grain.counts`` as a condition."""
    c = entry.c
    match grain.only:
        case "":
            return ()
        case "owned":
            return (c.owner == 0,)
        case "detailed":
            return (sa.or_(c.bin != 0, c.lot != "", c.serial != "", c.status != "", c.owner != 0),)
        case "unusable":
            return (sa.or_(c.status.in_(sorted(UNUSABLE)), c.owner != 0),)
        case "serial":
            return (c.serial != "",)
        case "referring":
            return (c.ref_document != 0,)
        case "element":
            return (c.element != "",)


def entries_from(rows: Iterable[Iterable[object]]) -> tuple[Entry, ...]:
    """The entries of rows that have the columns of ``SELECT``, in its order."""
    return tuple(map(Entry._make, rows))
