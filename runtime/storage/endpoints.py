"""Addresses outside and their secrets: channels, receivers of webhooks, and our own inbound addresses.

They are of the installation, not of the app, so they are in no definition, snapshot or dump. A secret that was replaced
is accepted for a day more. Whoever shows an endpoint leaves the secrets out; nothing here prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from engine.problems import Refused, problem
from runtime.storage.process_tables import endpoint
from runtime.storage.row_writing import add_row

Kind: TypeAlias = Literal["channel", "outbound", "inbound"]
OVERLAP = timedelta(days=1)
EVERY = sa.select(endpoint).order_by(endpoint.c.kind, endpoint.c.key)
OF_KIND = EVERY.where(endpoint.c.kind == sa.bindparam("of_kind"))
CHANGEABLE = frozenset({"address", "secret", "old_secret", "replaced_at", "options", "active"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address. ``key``: the channel's, or the name definitions know it by; ``user``: who entered it."""

    kind: Kind
    key: str
    address: str = ""
    secret: str = field(default="", repr=False)
    old_secret: str = field(default="", repr=False)
    replaced_at: datetime | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    active: bool = True
    user: int = 0
    created_at: datetime
    id: int = 0

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """The secret, and the one before while it still counts; none where none is set."""
        fresh = self.replaced_at is not None and now < self.replaced_at + OVERLAP
        return tuple(each for each in (self.secret, self.old_secret if fresh else "") if each)


def add(connection: sa.Connection, one: Endpoint) -> int:
    """Store a new address; returns its id. Raises ``Refused`` (``endpoint.taken``) when there is one of this key."""
    values = {name: getattr(one, name) for name in Endpoint.__dataclass_fields__ if name != "id"}
    try:
        return add_row(connection, endpoint, {**values, "options": dict(one.options)})
    except IntegrityError as error:
        raise Refused([problem("endpoint.taken", "key", key=one.key)], kind="conflict") from error


def change(connection: sa.Connection, identity: int, **changes: Any) -> None:
    """Change an address."""
    if not changes.keys() <= CHANGEABLE:
        raise ValueError(f"not changed here: {sorted(changes.keys() - CHANGEABLE)}")
    connection.execute(endpoint.update().where(endpoint.c.id == identity).values(changes))


def remove(connection: sa.Connection, identity: int) -> None:
    """Forget an address."""
    connection.execute(endpoint.delete().where(endpoint.c.id == identity))


def get(connection: sa.Connection, kind: Kind, key: str) -> Endpoint | None:
    """The address of this kind and key, or None."""
    return _first(connection, endpoint.c.kind == kind, endpoint.c.key == key)


def by_id(connection: sa.Connection, identity: int) -> Endpoint | None:
    """The address with this id, or None."""
    return _first(connection, endpoint.c.id == identity)


def every(connection: sa.Connection, kind: Kind | None = None) -> tuple[Endpoint, ...]:
    """All addresses, or those of a kind, by key."""
    found = connection.execute(EVERY) if kind is None else connection.execute(OF_KIND, {"of_kind": kind})
    return tuple(Endpoint(**row) for row in found.mappings())


def _first(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> Endpoint | None:
    row = connection.execute(sa.select(endpoint).where(*conditions)).mappings().one_or_none()
    return None if row is None else Endpoint(**row)
