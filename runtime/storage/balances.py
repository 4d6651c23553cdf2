"""Balances of one grain of a ledger, as people page through them, and the entries behind one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.ledger import BalanceKey, Entry, Grain
from engine.values import MONEY_SCALE, ZERO
from runtime.storage.app_tables import AppTables
from runtime.storage.column_types import Scaled
from runtime.storage.ledger_tables import balance, entry
from runtime.storage.ledgers import SELECT, entries_from
from runtime.storage.places import Clause
from runtime.storage.records import contains, ids_where
from runtime.storage.search_text import terms

RECORDS = frozenset({"product", "warehouse", "bin", "owner", "partner", "subject"})
COLUMNS = tuple(
    balance.c[name] for name in ("key", *BalanceKey._fields, "quantity", "value", "last_day", "entries", "aux")
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A balance as kept. ``text`` is the text of its key; ``last_day`` the latest business date of its entries; ``aux``
    the second quantity, None where there is none."""

    text: str
    key: BalanceKey
    quantity: Decimal
    value: Decimal
    last_day: date | None
    entries: int
    aux: Decimal | None


def balances_page(
    connection: sa.Connection, grain: Grain, conditions: Iterable[Clause], after: BalanceKey | None, limit: int
) -> tuple[Kept, ...]:
    """At most ``limit`` balances that satisfy ``conditions``, in the order of the dimensions of their grain, after the
    balance ``after``."""
    columns = [balance.c[name] for name in grain.dimensions]
    query = sa.select(*COLUMNS).where(*conditions).order_by(*columns).limit(limit)
    if after is not None:
        values = [sa.bindparam(None, getattr(after, name), column.type) for name, column in _named(grain)]
        query = query.where(sa.tuple_(*columns) > sa.tuple_(*values))
    return tuple(_kept(row) for row in connection.execute(query))


def balance_at(connection: sa.Connection, text: str, conditions: Iterable[Clause]) -> Kept | None:
    """The balance whose key reads ``text``, if it satisfies ``conditions``."""
    row = connection.execute(sa.select(*COLUMNS).where(balance.c.key == text, *conditions)).first()
    return None if row is None else _kept(row)


def total_value(connection: sa.Connection, conditions: Iterable[Clause]) -> Decimal:
    """What the values of the balances add up to."""
    query = sa.select(sa.func.sum(balance.c.value, type_=Scaled(MONEY_SCALE))).where(*conditions)
    return connection.execute(query).scalar() or ZERO


def of_grain(ledger: str, grain: str) -> list[Clause]:
    """The conditions for the balances of one grain."""
    return [balance.c.ledger == ledger, balance.c.grain == grain]


def nonzero() -> Clause:
    """The condition for balances that hold anything."""
    return sa.or_(balance.c.quantity != 0, balance.c.value != 0, balance.c.aux != 0)


def exactly(name: str, value: int | str) -> Clause:
    """The condition for balances of one record or text of a dimension."""
    return balance.c[name] == value


def among(tables: AppTables, name: str, forms: Iterable[tuple[str, Clause | None]]) -> Clause:
    """The condition for balances whose dimension ``name`` is a record of one of the forms that satisfies the form's
    condition, or is left empty."""
    asked = [ids_where(tables, form, *(() if where is None else (where,))) for form, where in forms]
    return sa.or_(balance.c[name] == 0, *(balance.c[name].in_(ids) for ids in asked))


def matching(
    tables: AppTables, grain: Grain, forms: Iterable[tuple[str, str]], texts: Collection[str], words: str
) -> Clause:
    """The condition for balances of which a record (``forms``: dimension, form) or a text has every word in it, or a
    text is one of ``texts``."""
    asked = terms(words)
    hits: list[Clause] = []
    for name, form in forms:
        search = tables.forms[form].header.c.search
        hits.append(balance.c[name].in_(ids_where(tables, form, *(contains(search, term) for term in asked))))
    for name in grain.dimensions:
        if name not in RECORDS:
            column = balance.c[name]
            hits.append(sa.and_(sa.true(), *(contains(sa.func.lower(column), term) for term in asked)))
            hits.append(column.in_(sorted(texts)))
    return sa.or_(sa.false(), *hits)


def entries_behind(
    connection: sa.Connection, key: BalanceKey, grain: Grain, after: int | None, limit: int
) -> tuple[Entry, ...]:
    """Entries of a balance of a grain that counts every entry, newest first; ``after`` is the id of the last one of
    the page before."""
    query = SELECT.where(entry.c.ledger == key.ledger).order_by(entry.c.id.desc()).limit(limit)
    for name, _ in _named(grain):
        query = query.where(entry.c[name] == getattr(key, name))
        if name in ("partner", "subject") and getattr(key, name):
            query = query.where(entry.c[name] != sa.text("0"))  # so that the partial index is found to serve
    if after is not None:
        query = query.where(entry.c.id < after)
    return entries_from(connection.execute(query))


def _named(grain: Grain) -> list[tuple[str, sa.Column[Any]]]:
    return [(name, balance.c[name]) for name in grain.dimensions]


def _kept(row: sa.Row[Any]) -> Kept:
    width = len(BalanceKey._fields) + 1
    return Kept(row[0], BalanceKey(*row[1:width]), *row[width:])
