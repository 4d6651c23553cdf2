"""Messages (消息): what people were told, and whether they have read it. Nothing waits for a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from engine.labels import Label
from runtime.storage.process_tables import message
from runtime.storage.product_tables import snapshot, user, user_role
from runtime.storage.row_reading import Reader
from runtime.storage.row_writing import Writer

COLUMNS = ("user", "title_zh", "title_en", "form", "document", "created_at", "kind", "body_zh", "body_en")
WRITER = Writer(message, COLUMNS)
USERS = Reader(user)
NO_BODY = Label("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One text to one user, about a document if there is one."""

    user: int
    title: Label
    form: str = ""
    document: int | None = None
    created_at: datetime
    id: int | None = None
    read_at: datetime | None = None
    kind: str = "rule"
    body: Label = NO_BODY


def add(connection: sa.Connection, messages: Iterable[Message]) -> None:
    """Tell people."""
    WRITER.insert(
        connection,
        [
            (
                each.user,
                each.title.zh,
                each.title.en,
                each.form,
                each.document,
                each.created_at,
                each.kind,
                each.body.zh,
                each.body.en,
            )
            for each in messages
        ],
    )


def of_user(
    connection: sa.Connection,
    user: int,
    after: int | None = None,
    limit: int = 50,
    unread_only: bool = False,
    kind: str = "",
) -> tuple[Message, ...]:
    """Messages to the user, newest first; ``after``: id of the last one of the page before."""
    query = sa.select(message).where(message.c.user == user).order_by(message.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(message.c.id < after)
    if unread_only:
        query = query.where(message.c.read_at.is_(None))
    if kind:
        query = query.where(message.c.kind == kind)
    return tuple(_message(row) for row in connection.execute(query).mappings())


def one(connection: sa.Connection, user: int, identity: int) -> Message | None:
    """One message to the user, or None."""
    query = sa.select(message).where(message.c.user == user, message.c.id == identity)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _message(row)


def count_unread(connection: sa.Connection, user: int, limit: int = 100) -> int:
    """How many messages the user has not read, counted up to ``limit``."""
    some = sa.select(message.c.id).where(message.c.user == user, message.c.read_at.is_(None)).limit(limit).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


def unread_by_kind(connection: sa.Connection, user: int) -> Mapping[str, int]:
    """How many messages of each kind the user has not read."""
    query = (
        sa.select(message.c.kind, sa.func.count())
        .where(message.c.user == user, message.c.read_at.is_(None))
        .group_by(message.c.kind)
    )
    return MappingProxyType({str(row[0]): int(row[1]) for row in connection.execute(query)})


def mark_read(
    connection: sa.Connection, user: int, at: datetime, ids: Sequence[int] | None = None, kind: str = ""
) -> int:
    """The user has read these messages (all of theirs, or of a kind, without ``ids``); returns how many were unread."""
    statement = message.update().where(message.c.user == user, message.c.read_at.is_(None))
    if ids is not None:
        statement = statement.where(message.c.id.in_(ids))
    if kind:
        statement = statement.where(message.c.kind == kind)
    return connection.execute(statement.values(read_at=at)).rowcount


def _message(row: sa.RowMapping) -> Message:
    values: dict[str, Any] = dict(row)
    title = Label(values.pop("title_zh"), values.pop("title_en"))
    return Message(title=title, body=Label(values.pop("body_zh"), values.pop("body_en")), **values)


def recipients(
    connection: sa.Connection, users: Iterable[int], roles: Iterable[str], snapshot_hash: str = ""
) -> tuple[int, ...]:
    """Active users among ``users``, and all who hold one of ``roles`` in the app of the snapshot; in order, each once.

    An unknown snapshot means the roles of any app.
    """
    named, held = sorted(users), sorted(roles)
    if not held:
        rows = USERS.rows(connection, ("id", "active"), "id", named)
        return tuple(sorted(number for number, active in rows if active))
    given = {"users": named, "roles": held, "hash": snapshot_hash}
    return tuple(connection.execute(RECIPIENTS, given).scalars())


def _recipients() -> sa.Select[Any]:
    app = sa.select(snapshot.c.app).where(snapshot.c.hash == sa.bindparam("hash")).scalar_subquery()
    holders = sa.select(user_role.c.user).where(
        user_role.c.role.in_(sa.bindparam("roles", expanding=True)),
        user_role.c.app == sa.func.coalesce(app, user_role.c.app),
    )
    named = user.c.id.in_(sa.bindparam("users", expanding=True))
    query = sa.select(user.c.id).where(user.c.active.is_(sa.true()), sa.or_(named, user.c.id.in_(holders)))
    return query.order_by(user.c.id)


RECIPIENTS = _recipients()
