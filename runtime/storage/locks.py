"""The one place where balances are locked: all of a transaction's keys at once, late, in one order.

``docs/locking.md`` tells why two postings cannot wait for each other in a circle. SQLite's writer is alone already, so
there the keys are only read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import sqlalchemy as sa

from engine.ledger.balance import EMPTY, Balance, BalanceKey
from engine.values import MONEY_SCALE, QUANTITY_SCALE
from runtime.storage.column_types import unscaled
from runtime.storage.driver import fetched
from runtime.storage.product_tables import balance
from runtime.storage.row_writing import Writer

KEY = ("ledger", "grain", "product", "warehouse", "partner", "ref_form", "ref_line")
WRITER = Writer(balance)
CHUNK = 500
_NAMES = ", ".join(KEY)
_MATCH = " AND ".join(f"b.{name} = k.{name}" for name in KEY)
_COLUMNS = f"{', '.join(f'b.{name}' for name in KEY)}, b.quantity, b.value"
_TYPES = ", ".join(f"{name} {'text' if name in ('ledger', 'grain', 'ref_form') else 'bigint'}" for name in KEY)
# A look-up per key in the order of the keys, whatever the planner believes about the size of the table: it can neither
# turn into a scan nor lock in another order. OFFSET 0 keeps the planner from joining otherwise.
_EACH = (
    f"FROM json_to_recordset(%s::json) AS k({_TYPES}) CROSS JOIN LATERAL (SELECT * FROM sys_balance b WHERE {_MATCH}"
)
READ_POSTGRES = f"SELECT {_COLUMNS} {_EACH} OFFSET 0) b"
LOCK_POSTGRES = f"SELECT {_COLUMNS} {_EACH} FOR UPDATE) b"


def lock_balances(connection: sa.Connection, keys: Iterable[BalanceKey]) -> Mapping[BalanceKey, Balance]:
    """Lock and read the balances of ``keys`` until the end of the transaction; a missing one is empty.

    To be called once per transaction, with every key it will change.
    """
    wanted = sorted(set(keys))
    if connection.dialect.name == "sqlite":
        found = _read(connection, wanted)
    else:
        WRITER.insert_missing(connection, [(*key, EMPTY.quantity, EMPTY.value, 0) for key in wanted])
        found = _read(connection, wanted, LOCK_POSTGRES)
    return MappingProxyType({key: found.get(key, EMPTY) for key in wanted})


def read_balances(connection: sa.Connection, keys: Iterable[BalanceKey]) -> Mapping[BalanceKey, Balance]:
    """The balances as they are, without a lock; a missing one is empty."""
    wanted = sorted(set(keys))
    found = _read(connection, wanted)
    return MappingProxyType({key: found.get(key, EMPTY) for key in wanted})


def save_balances(connection: sa.Connection, balances: Mapping[BalanceKey, Balance]) -> None:
    """Store balances that this transaction has locked."""
    rows = [(*key, balances[key].quantity, balances[key].value, 1) for key in sorted(balances)]
    WRITER.upsert(connection, rows, ("quantity", "value"), bump="version")


def _read(
    connection: sa.Connection, keys: Sequence[BalanceKey], postgres: str = READ_POSTGRES
) -> dict[BalanceKey, Balance]:
    found: dict[BalanceKey, Balance] = {}
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        if connection.dialect.name == "sqlite":
            rows = fetched(connection, _read_sqlite(len(chunk)), [value for key in chunk for value in key])
        else:
            given = json.dumps([dict(zip(KEY, key, strict=True)) for key in chunk])
            rows = fetched(connection, postgres, (given,))
        for row in rows:
            found[BalanceKey(*row[:7])] = Balance(unscaled(row[7], QUANTITY_SCALE), unscaled(row[8], MONEY_SCALE))
    return found


def _read_sqlite(number: int) -> str:
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * number)
    return f"WITH k({_NAMES}) AS (VALUES {values}) SELECT {_COLUMNS} FROM k JOIN sys_balance b ON {_MATCH}"
