"""The people of a workspace as workflows see them, with one query per table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa

from engine.actor import ADMIN_ROLE
from engine.workflow.directory import Department, Directory, Person, StandIn
from runtime.storage.process_tables import stand_in
from runtime.storage.product_tables import department, user, user_role

PEOPLE = sa.select(user.c.id, user.c.login, user.c.name, user.c.department, user.c.active)
ROLES = sa.select(user_role.c.user, user_role.c.role).where(user_role.c.app == sa.bindparam("app"))
DEPARTMENTS = sa.select(department.c.id, department.c.parent, department.c.head_user)
STAND_INS = (
    sa.select(
        stand_in.c.id, stand_in.c.user, stand_in.c.to_user, stand_in.c.form, stand_in.c.from_at, stand_in.c.until_at
    )
    .where(stand_in.c.ended_at.is_(None), stand_in.c.from_at <= sa.bindparam("at"))
    .where(stand_in.c.until_at > sa.bindparam("at"))
    .order_by(stand_in.c.id)
)


def load_directory(
    connection: sa.Connection, app: str, at: datetime, admin_roles: Iterable[str] = (ADMIN_ROLE,)
) -> Directory:
    """Everybody, those who have left included, with the stand-ins that hold at ``at``.

    Args:
        app: whose roles are meant. admin_roles: holders of these may administer runs.
    """
    roles: dict[int, list[str]] = {}
    for number, role in connection.execute(ROLES, {"app": app}):
        roles.setdefault(number, []).append(role)
    shared: dict[tuple[str, ...], frozenset[str]] = {}  # most people hold what others hold
    people: dict[int, Person] = {}
    for number, login, name, place, active in connection.execute(PEOPLE):
        held = tuple(sorted(roles.get(number, ())))
        own = shared.setdefault(held, frozenset(held))
        people[number] = Person(id=number, login=login, name=name, department=place, active=active, roles=own)
    wanted = frozenset(admin_roles)
    return Directory(
        people=MappingProxyType(people),
        departments=MappingProxyType(
            {
                number: Department(id=number, parent=parent, head=head)
                for number, parent, head in connection.execute(DEPARTMENTS)
            }
        ),
        stand_ins=tuple(StandIn(**row) for row in connection.execute(STAND_INS, {"at": at}).mappings()),
        admins=tuple(number for number in sorted(people) if people[number].active and people[number].roles & wanted),
    )
