"""People and departments: who may come in, which roles they hold in which app, and where they belong.

Passwords are seen here only as hashes (`sign_in` makes and checks them). Whatever changes a credential ends the
sessions made with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from engine.actor import Actor
from engine.expressions.types import Row
from engine.problems import Refused, problem
from runtime.storage.departments import below, department_head, department_names, find_departments
from runtime.storage.product_tables import api_key, session, user, user_role
from runtime.storage.row_writing import add_row

__all__ = (
    "User",
    "actor_of",
    "create_user",
    "department_head",
    "department_names",
    "find_people",
    "holders",
    "people_rows",
    "roles_of",
    "set_password",
    "set_roles",
    "update_user",
    "user_by_id",
    "user_by_login",
    "user_names",
    "users",
)

COLUMNS = (
    "id", "login", "name", "password_hash", "language", "department", "active", "attributes", "created_at",
    "failed_count", "locked_until", "theme",
)  # fmt: skip
SELECT = sa.select(*(user.c[name] for name in COLUMNS))
BY_ID = SELECT.where(user.c.id == sa.bindparam("id"))
ROLES_OF = sa.select(user_role.c.role).where(
    user_role.c.user == sa.bindparam("user"), user_role.c.app == sa.bindparam("app")
)
CHANGEABLE = frozenset({"login", "name", "language", "department", "active", "attributes", "theme"})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. ``attributes`` is what ``me.<name>`` means beyond name and department, such as ``warehouse``."""

    id: int
    login: str
    name: str
    password_hash: str
    language: str
    department: int | None
    active: bool
    attributes: Mapping[str, Any]
    created_at: datetime
    failed_count: int
    locked_until: datetime | None
    theme: str


def create_user(
    connection: sa.Connection,
    *,
    login: str,
    name: str,
    password_hash: str,
    at: datetime,
    language: str = "zh",
    department: int | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> int:
    """Add an account; returns its id. Raises ``Refused`` (``storage.duplicate_login``) when the login is taken."""
    values = {
        "login": login,
        "name": name,
        "password_hash": password_hash,
        "language": language,
        "department": department,
        "active": True,
        "attributes": dict(attributes or {}),
        "created_at": at,
        "failed_count": 0,
        "theme": "auto",
    }
    try:
        return add_row(connection, user, values)
    except IntegrityError as error:
        raise Refused([problem("storage.duplicate_login", "login", login=login)], kind="conflict") from error


def update_user(connection: sa.Connection, user_id: int, **changes: Any) -> None:
    """Change an account; one that is no longer active loses its sessions and keys."""
    if not changes.keys() <= CHANGEABLE:
        raise ValueError(f"not changed here: {sorted(changes.keys() - CHANGEABLE)}")
    try:
        connection.execute(user.update().where(user.c.id == user_id).values(changes))
    except IntegrityError as error:
        login = str(changes.get("login", ""))
        raise Refused([problem("storage.duplicate_login", "login", login=login)], kind="conflict") from error
    if changes.get("active") is False:
        connection.execute(session.delete().where(session.c.user == user_id))
        connection.execute(api_key.delete().where(api_key.c.user == user_id))


def set_password(connection: sa.Connection, user_id: int, password_hash: str) -> None:
    """Store a new hash, lift a lock, and end every session of the user."""
    values = {"password_hash": password_hash, "failed_count": 0, "locked_until": None}
    connection.execute(user.update().where(user.c.id == user_id).values(values))
    connection.execute(session.delete().where(session.c.user == user_id))


def user_by_id(connection: sa.Connection, user_id: int) -> User | None:
    """The account, or None."""
    return _user(connection.execute(BY_ID, {"id": user_id}))


def user_by_login(connection: sa.Connection, login: str) -> User | None:
    """The account with this login, or None."""
    return _user(connection.execute(SELECT.where(user.c.login == login)))


def users(connection: sa.Connection, *, active_only: bool = False) -> tuple[User, ...]:
    """All accounts in the order they were made."""
    query = SELECT.order_by(user.c.id)
    if active_only:
        query = query.where(user.c.active.is_(sa.true()))
    return tuple(User(**row) for row in connection.execute(query).mappings())


def user_names(connection: sa.Connection, ids: Iterable[int]) -> Mapping[int, str]:
    """Names by id."""
    query = sa.select(user.c.id, user.c.name).where(user.c.id.in_(sorted(set(ids))))
    return MappingProxyType({row[0]: row[1] for row in connection.execute(query)})


def people_rows(connection: sa.Connection, ids: Iterable[int]) -> Mapping[int, Row]:
    """Accounts as expressions see them: name, department and attributes."""
    query = sa.select(user.c.id, user.c.name, user.c.department, user.c.attributes).where(
        user.c.id.in_(sorted(set(ids)))
    )
    return MappingProxyType(
        {
            row[0]: Row(row[0], MappingProxyType({"warehouse": None, **row[3], "name": row[1], "department": row[2]}))
            for row in connection.execute(query)
        }
    )


def find_people(connection: sa.Connection, target: str, texts: Iterable[str]) -> Mapping[str, int]:
    """Ids of members by login or name, or of departments by name (``target``: ``member`` or ``department``); a text
    that two of them answer to is not found."""
    wanted = sorted(set(texts))
    if target == "department":
        return find_departments(connection, wanted)
    query = sa.select(user.c.id, user.c.login, user.c.name).where(
        user.c.active.is_(sa.true()), sa.or_(user.c.login.in_(wanted), user.c.name.in_(wanted))
    )
    by_login: dict[str, int] = {}
    by_name: dict[str, list[int]] = {}
    for number, login, name in connection.execute(query):
        by_login[login] = number
        by_name.setdefault(name, []).append(number)
    single = {name: numbers[0] for name, numbers in by_name.items() if len(numbers) == 1}
    return MappingProxyType({text: number for text in wanted if (number := by_login.get(text) or single.get(text))})


def set_roles(connection: sa.Connection, user_id: int, app: str, roles: Iterable[str]) -> None:
    """Give the user exactly these roles of the app."""
    connection.execute(user_role.delete().where(user_role.c.user == user_id, user_role.c.app == app))
    rows = [{"user": user_id, "app": app, "role": role} for role in sorted(set(roles))]
    if rows:
        connection.execute(user_role.insert(), rows)


def roles_of(connection: sa.Connection, user_id: int, app: str) -> frozenset[str]:
    """Roles of the user in the app."""
    return frozenset(connection.execute(ROLES_OF, {"user": user_id, "app": app}).scalars())


def holders(connection: sa.Connection, app: str, roles: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
    """Active users by role, in order; a role nobody holds has an empty tuple."""
    wanted = sorted(set(roles))
    found: dict[str, list[int]] = {role: [] for role in wanted}
    if wanted:
        query = (
            sa.select(user_role.c.role, user_role.c.user)
            .join(user, user.c.id == user_role.c.user)
            .where(user_role.c.app == app, user_role.c.role.in_(wanted), user.c.active.is_(sa.true()))
            .order_by(user_role.c.user)
        )
        for role, number in connection.execute(query):
            found[role].append(number)
    return MappingProxyType({role: tuple(numbers) for role, numbers in found.items()})


def actor_of(connection: sa.Connection, user_id: int, app: str) -> Actor | None:
    """The user as an actor of the app, or None for an unknown or inactive account."""
    found = user_by_id(connection, user_id)
    if found is None or not found.active:
        return None
    return Actor(
        user=found.id,
        name=found.name,
        roles=roles_of(connection, found.id, app),
        department=found.department,
        departments=below(connection, found.department),
        language="en" if found.language == "en" else "zh",
        attributes=found.attributes,
    )


def _user(result: sa.CursorResult[Any]) -> User | None:
    row = result.mappings().one_or_none()
    return None if row is None else User(**row)
