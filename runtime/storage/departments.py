"""Departments: a tree of names, each with a head. A department is never above itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa

from engine.problems import Refused, problem
from runtime.storage.product_tables import department
from runtime.storage.row_writing import add_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department; ``head`` is a user id."""

    id: int
    name: str
    parent: int | None
    head: int | None


def create_department(connection: sa.Connection, name: str, parent: int | None = None, head: int | None = None) -> int:
    """Add a department; returns its id."""
    return add_row(connection, department, {"name": name, "parent": parent, "head_user": head})


def update_department(
    connection: sa.Connection, department_id: int, name: str, parent: int | None, head: int | None
) -> None:
    """Change a department. Raises ``Refused`` (``storage.department_cycle``) when it would come to lie below itself."""
    if parent is not None and parent in below(connection, department_id):
        raise Refused([problem("storage.department_cycle", "parent")])
    values = {"name": name, "parent": parent, "head_user": head}
    connection.execute(department.update().where(department.c.id == department_id).values(values))


def departments(connection: sa.Connection) -> tuple[Department, ...]:
    """All departments in the order they were made."""
    rows = connection.execute(sa.select(department).order_by(department.c.id))
    return tuple(Department(id=row.id, name=row.name, parent=row.parent, head=row.head_user) for row in rows)


def below(connection: sa.Connection, department_id: int | None) -> frozenset[int]:
    """The department and all below it; empty for None."""
    if department_id is None:
        return frozenset()
    tree = sa.select(sa.literal(department_id, sa.BigInteger()).label("id")).cte("tree", recursive=True)
    tree = tree.union(sa.select(department.c.id).join(tree, department.c.parent == tree.c.id))
    return frozenset(connection.execute(sa.select(tree.c.id)).scalars())


def department_head(connection: sa.Connection, department_id: int | None) -> int | None:
    """Head of the department, or of the nearest one above that has a head."""
    by_id = {each.id: each for each in departments(connection)}
    seen: set[int] = set()
    while department_id is not None and department_id in by_id and department_id not in seen:
        seen.add(department_id)
        here = by_id[department_id]
        if here.head is not None:
            return here.head
        department_id = here.parent
    return None


def department_names(connection: sa.Connection, ids: Iterable[int]) -> Mapping[int, str]:
    """Names by id."""
    query = sa.select(department.c.id, department.c.name).where(department.c.id.in_(sorted(set(ids))))
    return MappingProxyType({row[0]: row[1] for row in connection.execute(query)})


def find_departments(connection: sa.Connection, names: Iterable[str]) -> Mapping[str, int]:
    """Ids by name; a name two departments share is not found."""
    query = (
        sa.select(department.c.name, sa.func.min(department.c.id))
        .where(department.c.name.in_(sorted(set(names))))
        .group_by(department.c.name)
        .having(sa.func.count() == 1)
    )
    return MappingProxyType({row[0]: row[1] for row in connection.execute(query)})
