"""The one place where balances are locked: all of a transaction's keys at once, late, in one order.

``docs/locking.md`` tells why two postings cannot wait for each other in a circle. SQLite's writer is alone already, so
there the keys are only read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType

import sqlalchemy as sa

from engine.ledger.balance import EMPTY, Balance, BalanceKey, text_of
from engine.values import MONEY_SCALE, QUANTITY_SCALE, ZERO
from runtime.storage.column_types import unscaled
from runtime.storage.driver import fetched
from runtime.storage.ledger_tables import balance
from runtime.storage.row_writing import Writer

WRITER = Writer(balance)
CHUNK = 500
_COLUMNS = "b.key, b.quantity, b.value, b.last_day, b.entries, b.head, b.aux"
# A look-up per key in the order of the keys, whatever the planner believes about the size of the table: it can neither
# turn into a scan nor lock in another order. OFFSET 0 keeps the planner from joining otherwise.
_EACH = (
    "FROM json_array_elements_text(%s::json) WITH ORDINALITY AS k(key, place)"
    " CROSS JOIN LATERAL (SELECT * FROM sys_balance b WHERE b.key = k.key"
)
THERE_POSTGRES = f"SELECT b.key {_EACH} OFFSET 0) b"
READ_POSTGRES = f"SELECT {_COLUMNS} {_EACH} OFFSET 0) b"
LOCK_POSTGRES = f"SELECT {_COLUMNS} {_EACH} FOR UPDATE) b"


def lock_balances(connection: sa.Connection, keys: Iterable[BalanceKey]) -> Mapping[BalanceKey, Balance]:
    """Lock and read the balances of ``keys`` until the end of the transaction; a missing one is empty.

    To be called once per transaction, with every key it will change.
    """
    texts = _by_text(set(keys))
    wanted = sorted(texts)
    if connection.dialect.name == "sqlite":
        found = _read(connection, wanted)
    else:
        there = {row[0] for row in fetched(connection, THERE_POSTGRES, (_json(wanted),))}
        missing = [_row(text, texts[text], EMPTY, 0) for text in wanted if text not in there]
        WRITER.insert_missing(connection, missing)
        found = _read(connection, wanted, LOCK_POSTGRES)
    return MappingProxyType({texts[text]: found.get(text, EMPTY) for text in wanted})


def read_balances(connection: sa.Connection, keys: Iterable[BalanceKey]) -> Mapping[BalanceKey, Balance]:
    """The balances as they are, without a lock; a missing one is empty."""
    texts = _by_text(set(keys))
    found = _read(connection, sorted(texts))
    return MappingProxyType({key: found.get(text, EMPTY) for text, key in texts.items()})


def save_balances(connection: sa.Connection, balances: Mapping[BalanceKey, Balance]) -> None:
    """Store balances that this transaction has locked."""
    texts = _by_text(balances)
    rows = [_row(text, texts[text], balances[texts[text]], 1) for text in sorted(texts)]
    WRITER.upsert(connection, rows, ("quantity", "value", "last_day", "entries", "head", "aux"), bump="version")


def _by_text(keys: Collection[BalanceKey]) -> dict[str, BalanceKey]:
    return dict(zip(map(text_of, keys), keys, strict=True))


def _row(text: str, key: BalanceKey, kept: Balance, version: int) -> tuple[object, ...]:
    return (text, *key, kept.quantity, kept.value, kept.last_day, kept.entries, kept.head, version, kept.aux or None)


def _read(connection: sa.Connection, texts: Sequence[str], postgres: str = READ_POSTGRES) -> dict[str, Balance]:
    found: dict[str, Balance] = {}
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(chunk))
            rows = fetched(connection, f"SELECT {_COLUMNS} FROM sys_balance b WHERE b.key IN ({marks})", chunk)
        else:
            rows = fetched(connection, postgres, (_json(chunk),))
        for text, quantity, value, day, entries, head, aux in rows:
            last = date.fromisoformat(day) if isinstance(day, str) else day
            found[text] = Balance(
                unscaled(quantity, QUANTITY_SCALE), unscaled(value, MONEY_SCALE), last, int(entries), head,
                unscaled(aux, QUANTITY_SCALE) if aux else ZERO,
            )  # fmt: skip
    return found


def _json(texts: Sequence[str]) -> str:
    return json.dumps(texts, ensure_ascii=False)
