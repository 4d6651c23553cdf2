"""Who stands behind a token, and what is published for them: everything a request begins with, asked at once.

Each request would otherwise ask five small questions one after the other, which on a database server costs as much as
a page of a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from engine.actor import Actor
from runtime.storage.departments import below
from runtime.storage.product_tables import api_key, current, session, user, user_role
from runtime.storage.questions import Question
from runtime.storage.sessions import ApiKey, Session, digest

T = TypeVar("T", Session, ApiKey)
SEPARATOR = ","
# As text: what is bound here would be written into the statement anew each time.
WRITTEN_SEPARATOR: Any = sa.literal_column(f"'{SEPARATOR}'", sa.Text())
ACCOUNT = ("name", "language", "department", "attributes", "theme")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor(Generic[T]):
    """An active account and how it came in.

    Attributes:
        by: the session or key. snapshot: hash of what is published now, None when nothing is. theme: light, dark, auto.
    """

    by: T
    actor: Actor
    theme: str
    snapshot: str | None


def _asked(by: sa.Table, kind: type[T], *conditions: sa.ColumnElement[bool]) -> Question:
    """The session or key, its account, the app published last, and the roles in it."""
    now = sa.select(current.c.hash, current.c.app).order_by(current.c.since.desc(), current.c.app).limit(1).subquery()
    roles = (
        sa.select(sa.func.aggregate_strings(user_role.c.role, WRITTEN_SEPARATOR))
        .where(user_role.c.user == user.c.id, user_role.c.app == now.c.app)
        .scalar_subquery()
    )
    account = (user.c[name].label(f"user_{name}") for name in ACCOUNT)
    proof = (by.c[name] for name in kind.__slots__)
    return Question(
        sa.select(*proof, *account, now.c.hash.label("snapshot"), roles.label("roles"))
        .join_from(by, user, user.c.id == by.c.user)
        .outerjoin(now, sa.true())
        .where(user.c.active.is_(sa.true()), *conditions)
    )


BY_SESSION = _asked(
    session, Session, session.c.token_hash == sa.bindparam("hash"), session.c.expires_at > sa.bindparam("at")
)
BY_KEY = _asked(api_key, ApiKey, api_key.c.key_hash == sa.bindparam("hash"), api_key.c.revoked_at.is_(None))


def by_session(connection: sa.Connection, token: str, at: datetime) -> Visitor[Session] | None:
    """The person with this session, unless it has ended or the account is no longer active."""
    return _visitor(connection, Session, BY_SESSION.ask(connection, hash=digest(token), at=at))


def by_key(connection: sa.Connection, token: str) -> Visitor[ApiKey] | None:
    """The person with this API key, unless it was revoked or the account is no longer active."""
    return _visitor(connection, ApiKey, BY_KEY.ask(connection, hash=digest(token)))


def _visitor(connection: sa.Connection, kind: type[T], rows: Sequence[Sequence[Any]]) -> Visitor[T] | None:
    if not rows:
        return None
    (row,) = rows  # tokens are unique
    own = len(kind.__slots__)
    by: T = kind(**dict(zip(kind.__slots__, row[:own], strict=True)))
    name, language, department, attributes, theme, snapshot, roles = row[own:]
    actor = Actor(
        user=by.user,
        name=name,
        roles=frozenset(roles.split(SEPARATOR)) if roles else frozenset(),
        department=department,
        departments=below(connection, department),
        language="en" if language == "en" else "zh",
        attributes=attributes,
    )
    return Visitor(by=by, actor=actor, theme=theme, snapshot=snapshot)
