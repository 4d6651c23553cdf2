"""Who comes in: passwords, sessions, API keys; and the administration of users and roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.permissions import is_administrator
from engine.problems import Refused, problem, suggestion
from runtime.facade.door import Door
from runtime.facade.door import enter as enter
from runtime.house import House
from runtime.storage import accounts, audit, sessions, visitors
from runtime.storage.database import Connection, asking, in_transaction, read
from runtime.storage.sign_in import Passwords
from runtime.storage.sign_in import sign_in as check_password

SHORTEST_PASSWORD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionToken:
    """What a signed-in browser holds: ``token`` in its cookie, ``csrf`` in its pages."""

    token: str
    csrf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDoor:
    """A session found by its token."""

    door: Door
    csrf: str
    theme: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """An account as an administrator sees it."""

    id: int
    login: str
    name: str
    roles: tuple[str, ...]
    department: int | None
    language: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """An API key of the person."""

    id: int
    prefix: str
    label: str
    created_at: datetime
    last_used_at: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody a member field may name."""

    id: int
    name: str
    login: str


def sign_in(house: House, workspace: str, login: str, password: str) -> SessionToken:
    """Check the password and start a session.

    Raises:
        Refused: ``unauthenticated`` for a wrong login or password, ``too_many`` while the account is locked.
    """
    place = house.workspace(workspace)
    now = house.now()
    try:
        user = check_password(place.database, passwords(house), login.strip(), password, now)
    except Refused as refused:
        locked = any(one.code == "storage.sign_in_locked" for one in refused.problems)
        _note(house, workspace, None, "sign_in_failed", {"login": login[:80]})
        raise Refused(refused.problems, "too_many" if locked else "unauthenticated") from refused
    token, session = in_transaction(
        place.database, lambda connection: sessions.start(connection, user.id, now, session_lasts(house))
    )
    return SessionToken(token=token, csrf=session.csrf)


def sign_out(house: House, workspace: str, token: str) -> None:
    """End a session."""
    in_transaction(house.workspace(workspace).database, lambda connection: sessions.end(connection, token))


def session_door(house: House, workspace: str, token: str) -> SessionDoor | None:
    """The door of a session, or None when it has ended."""
    place, now = house.workspace(workspace), house.now()
    with asking(place.database) as connection:
        found = visitors.by_session(connection, token, now)
        if found is None:
            return None
        published = house.apps.seen(connection, found.snapshot)
    session = found.by
    if sessions.needs_touch(session, now):
        lasts = session_lasts(house)
        in_transaction(place.database, lambda connection: sessions.touch(connection, session, now, lasts))
    door = Door(house=house, workspace=place, published=published, actor=found.actor)
    return SessionDoor(door=door, csrf=session.csrf, theme=found.theme)


def key_door(house: House, workspace: str, key: str) -> Door | None:
    """The door of an API key, or None when it does not exist or was revoked."""
    place, now = house.workspace(workspace), house.now()
    with asking(place.database) as connection:
        found = visitors.by_key(connection, key)
        if found is None:
            return None
        published = house.apps.seen(connection, found.snapshot)
    used = found.by
    if sessions.needs_note(used, now):
        in_transaction(place.database, lambda connection: sessions.note_key_used(connection, used.id, now))
    return Door(house=house, workspace=place, published=published, actor=found.actor)


def user_door(house: House, workspace: str, login: str) -> Door:
    """The door of a user by login, for the command line and stories, where the operator has been trusted already.

    Raises:
        Refused: ``missing`` when there is no such active user.
    """
    place = house.workspace(workspace)
    published = house.published(place)
    with read(place.database) as connection:
        user = accounts.user_by_login(connection, login)
        actor = accounts.actor_of(connection, user.id, published.bundle.app.app) if user else None
    if actor is None:
        raise Refused([problem("account.missing", login=login)], "missing")
    return Door(house=house, workspace=place, published=published, actor=actor)


def session_lasts(house: House) -> timedelta:
    """How long a session lives without use."""
    return timedelta(hours=house.settings.session_hours)


def passwords(house: House) -> Passwords:
    """The hasher; quick in test mode only."""
    return Passwords(fast=house.settings.test_mode)


def set_language(door: Door, language: str) -> None:
    """Choose one's language."""
    if language not in ("zh", "en"):
        raise Refused([problem("account.bad_language", "language", language=language)])
    _own(door, language=language)


def set_theme(door: Door, theme: str) -> None:
    """Choose light, dark or automatic."""
    if theme not in ("light", "dark", "auto"):
        raise Refused([problem("account.bad_theme", "theme", theme=theme)])
    _own(door, theme=theme)


def change_password(door: Door, old: str, new: str) -> None:
    """Change one's password; every session of the person ends.

    Raises:
        Refused: the old one is wrong, or the new one is too short.
    """
    hasher = passwords(door.house)
    with read(door.workspace.database) as connection:
        user = accounts.user_by_id(connection, door.actor.user)
    if user is None or not hasher.agrees(user.password_hash, old):
        raise Refused([problem("account.wrong_password", "old")])
    hashed = hasher.hash(_acceptable(new))
    in_transaction(
        door.workspace.database, lambda connection: accounts.set_password(connection, door.actor.user, hashed)
    )


def create_api_key(door: Door, label: str) -> str:
    """A new API key of the person, shown this once."""
    now = door.house.now()
    return in_transaction(
        door.workspace.database,
        lambda connection: sessions.create_key(connection, door.actor.user, label.strip()[:80] or "API", now)[0],
    )


def api_keys(door: Door) -> tuple[KeyView, ...]:
    """The person's keys."""
    with read(door.workspace.database) as connection:
        rows = sessions.keys_of(connection, door.actor.user)
    return tuple(
        KeyView(
            id=row.id,
            prefix=row.prefix,
            label=row.label,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            revoked=row.revoked_at is not None,
        )
        for row in rows
    )


def revoke_api_key(door: Door, key: int) -> None:
    """End one of the person's keys.

    Raises:
        Refused: ``missing`` when it is not theirs or already ended.
    """
    now = door.house.now()
    revoked = in_transaction(
        door.workspace.database, lambda connection: sessions.revoke_key(connection, door.actor.user, key, now)
    )
    if not revoked:
        raise Refused([problem("account.key_missing")], "missing")


def people(door: Door, text: str, limit: int = 20) -> tuple[Person, ...]:
    """Active users whose name or login contains ``text``."""
    wanted = text.strip().lower()
    with read(door.workspace.database) as connection:
        rows = accounts.users(connection, active_only=True)
    found = [row for row in rows if wanted in row.name.lower() or wanted in row.login.lower()]
    return tuple(Person(id=row.id, name=row.name, login=row.login) for row in found[:limit])


def users(door: Door) -> tuple[UserView, ...]:
    """Every account. Administrators only."""
    administrator_only(door)
    app = door.bundle.app.app
    with read(door.workspace.database) as connection:
        return tuple(
            UserView(
                id=row.id,
                login=row.login,
                name=row.name,
                roles=tuple(sorted(accounts.roles_of(connection, row.id, app))),
                department=row.department,
                language=row.language,
                active=row.active,
            )
            for row in accounts.users(connection)
        )


def create_user(
    door: Door,
    login: str,
    name: str,
    password: str,
    roles: Iterable[str],
    department: int | None = None,
    language: str = "zh",
    attributes: Mapping[str, object] | None = None,
) -> int:
    """Add an account. Administrators only.

    Raises:
        Refused: ``forbidden``; or a short password, an unknown role, a taken login.
    """
    administrator_only(door)
    return add_user(
        door.house,
        door.workspace.key,
        login=login,
        name=name,
        password=password,
        roles=_known_roles(door, roles),
        department=department,
        language=language,
        attributes=attributes,
    )


def add_user(
    house: House,
    workspace: str,
    *,
    login: str,
    name: str,
    password: str,
    roles: Iterable[str],
    department: int | None = None,
    language: str = "zh",
    attributes: Mapping[str, object] | None = None,
) -> int:
    """Add an account from the command line, the demo or a story, before anybody can sign in."""
    place = house.workspace(workspace)
    app = house.published(place).bundle.app.app
    hashed = passwords(house).hash(_acceptable(password))
    now = house.now()

    def work(connection: Connection) -> int:
        user = accounts.create_user(
            connection,
            login=login.strip(),
            name=name.strip() or login.strip(),
            password_hash=hashed,
            at=now,
            language=language,
            department=department,
            attributes=attributes,
        )
        accounts.set_roles(connection, user, app, roles)
        return user

    return in_transaction(place.database, work)


def set_roles(door: Door, user: int, roles: Iterable[str]) -> None:
    """Give a user exactly these roles. Administrators only."""
    administrator_only(door)
    wanted = _known_roles(door, roles)
    app = door.bundle.app.app
    in_transaction(door.workspace.database, lambda connection: accounts.set_roles(connection, user, app, wanted))
    _note(door.house, door.workspace.key, door.actor.user, "roles_changed", {"user": user, "roles": sorted(wanted)})


def set_active(door: Door, user: int, active: bool) -> None:
    """Let a user in, or keep them out; their sessions end. Administrators only."""
    administrator_only(door)

    def work(connection: Connection) -> None:
        accounts.update_user(connection, user, active=active)
        if not active:
            sessions.end_of_user(connection, user)

    in_transaction(door.workspace.database, work)


def administrator_only(door: Door) -> None:
    """Raise ``Refused`` (``forbidden``) for anybody else."""
    if not is_administrator(door.actor):
        raise Refused([problem("account.admin_only")], "forbidden")


def _known_roles(door: Door, roles: Iterable[str]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(roles))
    unknown = [
        problem("account.unknown_role", "roles", role=role, **suggestion(role, door.bundle.roles))
        for role in wanted
        if role not in door.bundle.roles
    ]
    if unknown:
        raise Refused(unknown)
    return wanted


def _acceptable(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise Refused([problem("account.short_password", "password", least=SHORTEST_PASSWORD)])
    return password


def _own(door: Door, **changes: object) -> None:
    in_transaction(
        door.workspace.database, lambda connection: accounts.update_user(connection, door.actor.user, **changes)
    )


def _note(house: House, workspace: str, user: int | None, event: str, detail: Mapping[str, object]) -> None:
    now = house.now()
    in_transaction(
        house.workspace(workspace).database, lambda connection: audit.note(connection, now, user, event, detail)
    )
