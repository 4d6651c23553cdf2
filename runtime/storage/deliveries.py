"""Messages on their way out: one row per message and address, kept until it arrived or was given up.

A row is taken for a while (its ``next_at`` is moved) by whoever sends it, so two workers never send one at once; a
worker that dies gives it back by letting that time pass. The message id never changes. What was given up (``dead``)
stays until a person replays it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from runtime.storage.ids import allocate
from runtime.storage.process_tables import delivery
from runtime.storage.row_writing import Writer

State: TypeAlias = Literal["waiting", "done", "dead"]
STATES: tuple[State, ...] = ("waiting", "done", "dead")
COLUMNS = (
    "id", "outbox", "channel", "address", "user", "event", "payload", "message_id", "state", "attempts", "created_at",
    "next_at", "done_at", "status", "error",
)  # fmt: skip
WRITER = Writer(delivery, COLUMNS)
LONGEST_ERROR = 500

Line: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one address.

    Attributes:
        outbox: the effect it came from; 0 for a digest or a test.
        channel: of the plugin, or ``outbound``. address: where to; the key of the endpoint where that knows it.
        user: who it is for, 0 for a group or a webhook. event: kind of message, or of the webhook.
        payload: what is sent, rendered.
    """

    outbox: int = 0
    channel: str
    address: str
    user: int = 0
    event: str
    payload: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    message_id: str
    state: State = "waiting"
    attempts: int = 0
    created_at: datetime
    next_at: datetime
    done_at: datetime | None = None
    status: int = 0
    error: str = ""
    id: int = 0


def add(connection: sa.Connection, rows: Sequence[Delivery]) -> Sequence[int]:
    """Queue messages; returns their ids in order."""
    ids = allocate(connection, len(rows))
    names = COLUMNS[1:]
    WRITER.insert(
        connection, [(number, *(getattr(row, name) for name in names)) for number, row in zip(ids, rows, strict=True)]
    )
    return ids


def take(
    connection: sa.Connection, now: datetime, until: datetime, limit: int, resting: Sequence[Line] = ()
) -> tuple[Delivery, ...]:
    """Take due messages for oneself until then, oldest first, each with its attempt counted.

    ``resting``: (channel, address) that are left alone, an empty address meaning all of the channel.
    """
    due = (
        sa.select(delivery.c.id)
        .where(delivery.c.state == "waiting", delivery.c.next_at <= now, *(sa.not_(_on(line)) for line in resting))
        .order_by(delivery.c.next_at, delivery.c.id)
        .limit(limit)
    )
    if connection.dialect.name != "sqlite":
        due = due.with_for_update(skip_locked=True)
    ids = list(connection.execute(due).scalars())
    if not ids:
        return ()
    mine = delivery.c.id.in_(ids)
    # Without its error a row is not hurried while somebody is sending it.
    taken = {"next_at": until, "attempts": delivery.c.attempts + 1, "error": ""}
    connection.execute(delivery.update().where(mine).values(taken))
    rows = {row["id"]: Delivery(**row) for row in connection.execute(sa.select(delivery).where(mine)).mappings()}
    return tuple(rows[each] for each in ids)


def siblings(connection: sa.Connection, one: Delivery, event: str) -> tuple[Delivery, ...]:
    """The waiting messages of ``event`` to the same person over the same channel, oldest first, locked."""
    query = (
        sa.select(delivery)
        .where(
            delivery.c.state == "waiting",
            delivery.c.channel == one.channel,
            delivery.c.user == one.user,
            delivery.c.event == event,
        )
        .order_by(delivery.c.id)
        .with_for_update()
    )
    return tuple(Delivery(**row) for row in connection.execute(query).mappings())


def done(connection: sa.Connection, ids: Sequence[int], at: datetime, status: int = 0) -> None:
    """These arrived."""
    values = {"state": "done", "done_at": at, "status": status, "error": ""}
    connection.execute(delivery.update().where(delivery.c.id.in_(ids), delivery.c.state == "waiting").values(values))


def failed(connection: sa.Connection, identity: int, error: str, status: int, next_at: datetime) -> None:
    """An attempt failed; the next is at ``next_at``."""
    _settle(connection, identity, error=error[:LONGEST_ERROR], status=status, next_at=next_at)


def given_up(connection: sa.Connection, identity: int, error: str, status: int, at: datetime) -> None:
    """No further attempt: it waits for a person."""
    _settle(connection, identity, state="dead", error=error[:LONGEST_ERROR], status=status, done_at=at)


def put_back(connection: sa.Connection, identity: int, next_at: datetime) -> None:
    """It was not tried after all."""
    _settle(connection, identity, next_at=next_at, attempts=delivery.c.attempts - 1)


def hurry(connection: sa.Connection, line: Line, now: datetime) -> int:
    """Whoever failed before on this line is due at once: it answers again. Returns how many."""
    waiting = sa.and_(delivery.c.state == "waiting", delivery.c.attempts > 0, delivery.c.error != "")
    later = delivery.c.next_at > now + timedelta(seconds=5)
    return connection.execute(delivery.update().where(_on(line), waiting, later).values(next_at=now)).rowcount


def replay(connection: sa.Connection, now: datetime, identity: int | None = None) -> int:
    """Send one that was given up again, or all of them, under their own ids. Returns how many."""
    statement = delivery.update().where(delivery.c.state == "dead")
    if identity is not None:
        statement = statement.where(delivery.c.id == identity)
    return connection.execute(
        statement.values(state="waiting", attempts=0, next_at=now, done_at=None, status=0)
    ).rowcount


def get(connection: sa.Connection, identity: int) -> Delivery | None:
    """One row, or None."""
    row = connection.execute(sa.select(delivery).where(delivery.c.id == identity)).mappings().one_or_none()
    return None if row is None else Delivery(**row)


def latest(
    connection: sa.Connection,
    *,
    state: str = "",
    channel: str = "",
    text: str = "",
    after: int | None = None,
    limit: int = 50,
) -> tuple[Delivery, ...]:
    """Newest first; ``text``: part of the address, the event or the error; ``after``: last id of the page before."""
    query = sa.select(delivery).order_by(delivery.c.id.desc()).limit(limit)
    if state:
        query = query.where(delivery.c.state == state)
    if channel:
        query = query.where(delivery.c.channel == channel)
    if text:
        places = (delivery.c.address, delivery.c.event, delivery.c.error)
        query = query.where(sa.or_(*(place.icontains(text, autoescape=True) for place in places)))
    if after is not None:
        query = query.where(delivery.c.id < after)
    return tuple(Delivery(**row) for row in connection.execute(query).mappings())


def counts(connection: sa.Connection) -> Mapping[str, int]:
    """How many there are by state."""
    query = sa.select(delivery.c.state, sa.func.count()).group_by(delivery.c.state)
    found = dict.fromkeys(STATES, 0)
    return MappingProxyType({**found, **{str(row[0]): int(row[1]) for row in connection.execute(query)}})


def any_due(connection: sa.Connection, now: datetime) -> bool:
    """Whether something waits to be sent."""
    query = sa.select(delivery.c.id).where(delivery.c.state == "waiting", delivery.c.next_at <= now).limit(1)
    return connection.execute(query).first() is not None


def forget(connection: sa.Connection, before: datetime) -> int:
    """Forget what arrived before then; returns how many."""
    return connection.execute(delivery.delete().where(delivery.c.state == "done", delivery.c.done_at < before)).rowcount


def _settle(connection: sa.Connection, identity: int, **values: Any) -> None:
    connection.execute(delivery.update().where(delivery.c.id == identity, delivery.c.state == "waiting").values(values))


def _on(line: Line) -> sa.ColumnElement[bool]:
    channel, address = line
    same = delivery.c.channel == channel
    return sa.and_(same, delivery.c.address == address) if address else same
