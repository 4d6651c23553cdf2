"""Seals: the heads of the chains at a moment, bound to the seal before (see engine/ledger/chain). Never changed.

Whoever seals holds the lock of the seals, so of two at the same moment one finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import sqlalchemy as sa

from runtime.storage import named_locks
from runtime.storage.ledger_tables import balance, seal, seal_head
from runtime.storage.row_writing import Writer, add_row

HEADS = Writer(seal_head)
Head: TypeAlias = tuple[str, int, str]
_CHANGED = (
    sa.select(balance.c.key, balance.c.entries, balance.c.head)
    .where(
        balance.c.head != "",
        ~sa.exists().where(
            seal_head.c.key == balance.c.key,
            seal_head.c.entries == balance.c.entries,
            seal_head.c.head == balance.c.head,
        ),
    )
    .order_by(balance.c.key)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One seal.

    Attributes:
        chains: how many heads it binds: of the chains that had grown since the seal before.
        previous: digest of the seal before, empty for the first. digest: its own, in hexadecimal.
    """

    id: int
    sealed_at: datetime
    chains: int
    previous: str
    digest: str


def hold(connection: sa.Connection) -> None:
    """Wait until nobody else seals; held until the end of the transaction."""
    named_locks.hold(connection, "seal")


def last(connection: sa.Connection) -> Seal | None:
    """The newest seal."""
    row = connection.execute(sa.select(seal).order_by(seal.c.id.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else Seal(**row)


def changed_heads(connection: sa.Connection) -> tuple[Head, ...]:
    """Key, entries and head of every chain that no seal has bound as it now is, in the order of keys."""
    return tuple((row[0], row[1], row[2]) for row in connection.execute(_CHANGED))


def append(connection: sa.Connection, at: datetime, previous: str, digest: str, heads: Sequence[Head]) -> Seal:
    """Keep a seal with its heads."""
    values = {"sealed_at": at, "chains": len(heads), "previous": previous, "digest": digest}
    number = add_row(connection, seal, values)
    HEADS.insert(connection, [(number, *head) for head in heads])
    return Seal(id=number, sealed_at=at, chains=len(heads), previous=previous, digest=digest)


def every(connection: sa.Connection) -> tuple[Seal, ...]:
    """All seals, oldest first."""
    return tuple(Seal(**row) for row in connection.execute(sa.select(seal).order_by(seal.c.id)).mappings())


def heads(connection: sa.Connection) -> Iterator[tuple[int, Head]]:
    """Every bound head with the id of its seal, in the order of seals and keys."""
    query = sa.select(seal_head.c.seal, seal_head.c.key, seal_head.c.entries, seal_head.c.head)
    query = query.order_by(seal_head.c.seal, seal_head.c.key).execution_options(yield_per=2000)
    for row in connection.execute(query):
        yield row[0], (row[1], row[2], row[3])
