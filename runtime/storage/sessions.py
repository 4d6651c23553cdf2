"""Sessions and API keys: made, used, ended (`visitors` finds them). Only digests are kept: a stolen copy opens none.

A session ends when nobody used it for a while, at sign-out, and when the password changes; a key when it is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from runtime.storage.product_tables import api_key, session
from runtime.storage.row_writing import add_row

KEY_PREFIX = "sl_"
SHOWN = 8
# Every page would otherwise write; a minute's precision is enough to know when a session was last used.
TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that has not ended; ``token_hash`` names it in `touch` and `end`."""

    token_hash: str
    user: int
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key as its owner sees it again: by its first characters."""

    id: int
    prefix: str
    user: int
    label: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def digest(token: str) -> str:
    """What is kept of a token. Tokens are long and random, so a plain digest cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


def start(connection: sa.Connection, user_id: int, at: datetime, lasts: timedelta) -> tuple[str, Session]:
    """Start a session; returns the token for the cookie, which is nowhere kept, and the session."""
    token = secrets.token_urlsafe(32)
    made = Session(
        token_hash=digest(token),
        user=user_id,
        csrf=secrets.token_urlsafe(24),
        created_at=at,
        seen_at=at,
        expires_at=at + lasts,
    )
    values = {name: getattr(made, name) for name in Session.__slots__}
    connection.execute(session.insert(), values)
    return token, made


def needs_touch(found: Session, at: datetime) -> bool:
    """Whether `touch` has something to write."""
    return at - found.seen_at >= TOUCH_EVERY


def touch(connection: sa.Connection, found: Session, at: datetime, lasts: timedelta) -> None:
    """The session was used: it lasts from now on."""
    statement = session.update().where(session.c.token_hash == found.token_hash)
    connection.execute(statement.values(seen_at=at, expires_at=at + lasts))


def end(connection: sa.Connection, token: str) -> None:
    """Sign out."""
    connection.execute(session.delete().where(session.c.token_hash == digest(token)))


def end_of_user(connection: sa.Connection, user_id: int) -> int:
    """End every session of the user; returns how many."""
    return connection.execute(session.delete().where(session.c.user == user_id)).rowcount


def remove_expired(connection: sa.Connection, at: datetime) -> int:
    """Forget sessions that ended by themselves; returns how many."""
    return connection.execute(session.delete().where(session.c.expires_at <= at)).rowcount


def create_key(connection: sa.Connection, user_id: int, label: str, at: datetime) -> tuple[str, int]:
    """Make an API key of the user; returns the key, which is shown once and nowhere kept, and its id."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    values = {
        "key_hash": digest(key),
        "prefix": key[: len(KEY_PREFIX) + SHOWN],
        "user": user_id,
        "label": label,
        "created_at": at,
    }
    return key, add_row(connection, api_key, values)


def needs_note(found: ApiKey, at: datetime) -> bool:
    """Whether `note_key_used` has something to write."""
    return found.last_used_at is None or at - found.last_used_at >= TOUCH_EVERY


def note_key_used(connection: sa.Connection, key_id: int, at: datetime) -> None:
    """Note when the key was last used."""
    connection.execute(api_key.update().where(api_key.c.id == key_id).values(last_used_at=at))


def revoke_key(connection: sa.Connection, user_id: int, key_id: int, at: datetime) -> bool:
    """Revoke a key of the user; False when there is no such key."""
    statement = api_key.update().where(
        api_key.c.id == key_id, api_key.c.user == user_id, api_key.c.revoked_at.is_(None)
    )
    return connection.execute(statement.values(revoked_at=at)).rowcount > 0


def keys_of(connection: sa.Connection, user_id: int) -> tuple[ApiKey, ...]:
    """Keys of the user, newest first."""
    names = ApiKey.__slots__
    query = sa.select(*(api_key.c[name] for name in names)).where(api_key.c.user == user_id)
    rows = connection.execute(query.order_by(api_key.c.id.desc())).mappings()
    return tuple(ApiKey(**row) for row in rows)
