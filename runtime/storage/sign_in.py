"""Passwords and signing in: argon2 hashes, and a lock after repeated failures that every process sees.

Hashing takes a good part of a second on purpose, so it never happens inside a transaction. An unknown login costs the
same time and gives the same answer as a wrong password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from engine.problems import Refused, problem
from runtime.storage.accounts import User, user_by_login
from runtime.storage.database import Database, in_transaction, read
from runtime.storage.product_tables import user

FREE_FAILURES = 5
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(minutes=30)
LONGEST_PASSWORD = 256


@dataclass(frozen=True, slots=True)
class Passwords:
    """Makes and checks hashes. ``fast`` is for tests only: seconds of hashing would tell nothing there."""

    fast: bool = False
    _hasher: PasswordHasher = field(init=False, repr=False)

    def __post_init__(self) -> None:
        hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1) if self.fast else PasswordHasher()
        object.__setattr__(self, "_hasher", hasher)

    def hash(self, password: str) -> str:
        """A salted hash of ``password``."""
        return self._hasher.hash(password[:LONGEST_PASSWORD])

    def agrees(self, password_hash: str, password: str) -> bool:
        """Whether ``password`` made ``password_hash``."""
        try:
            return self._hasher.verify(password_hash, password[:LONGEST_PASSWORD])
        except (Argon2Error, InvalidHashError):
            return False

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return not self.fast and self._hasher.check_needs_rehash(password_hash)


def sign_in(database: Database, passwords: Passwords, login: str, password: str, at: datetime) -> User:
    """The user behind login and password.

    Raises ``Refused``, kind ``forbidden``: ``storage.sign_in_failed``, or ``storage.sign_in_locked`` after repeated
    failures, in which case not even the right password is accepted until ``until``.
    """
    with read(database) as connection:
        found = user_by_login(connection, login)
    if found is not None and found.locked_until is not None and found.locked_until > at:
        raise Refused([problem("storage.sign_in_locked", until=found.locked_until)], kind="forbidden")
    if found is None:
        passwords.hash(password)
        raise Refused([problem("storage.sign_in_failed")], kind="forbidden")
    user_id, good = found.id, passwords.agrees(found.password_hash, password) and found.active
    if not good:
        in_transaction(database, lambda connection: _failed(connection, user_id, at))
        raise Refused([problem("storage.sign_in_failed")], kind="forbidden")
    fresh = passwords.hash(password) if passwords.outdated(found.password_hash) else None
    if found.failed_count or found.locked_until is not None or fresh is not None:
        in_transaction(database, lambda connection: _succeeded(connection, user_id, fresh))
    return found


def _failed(connection: sa.Connection, user_id: int, at: datetime) -> None:
    """Count a failure; from the fifth on each locks the account twice as long as the one before."""
    connection.execute(user.update().where(user.c.id == user_id).values(failed_count=user.c.failed_count + 1))
    count = connection.execute(sa.select(user.c.failed_count).where(user.c.id == user_id)).scalar_one()
    if count >= FREE_FAILURES:
        length = min(FIRST_LOCK * 2 ** min(count - FREE_FAILURES, 10), LONGEST_LOCK)
        connection.execute(user.update().where(user.c.id == user_id).values(locked_until=at + length))


def _succeeded(connection: sa.Connection, user_id: int, fresh: str | None) -> None:
    values: dict[str, object] = {"failed_count": 0, "locked_until": None}
    if fresh is not None:
        values["password_hash"] = fresh
    connection.execute(user.update().where(user.c.id == user_id).values(values))
