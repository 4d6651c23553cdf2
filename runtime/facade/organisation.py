"""The departments of a company and who is in charge of them."""

from __future__ import annotations

from runtime.facade.accounts import administrator_only
from runtime.facade.door import Door
from runtime.house import House
from runtime.storage import departments as department_rows
from runtime.storage.database import Connection, in_transaction, read
from runtime.storage.departments import Department


def departments(door: Door) -> tuple[Department, ...]:
    """The departments of the company."""
    with read(door.workspace.database) as connection:
        return department_rows.departments(connection)


def create_department(door: Door, name: str, parent: int | None = None, head: int | None = None) -> int:
    """Add a department. Administrators only."""
    administrator_only(door)
    return add_department(door.house, door.workspace.key, name, parent, head)


def add_department(house: House, workspace: str, name: str, parent: int | None = None, head: int | None = None) -> int:
    """Add a department from the command line, the demo or a story."""
    return in_transaction(
        house.workspace(workspace).database,
        lambda connection: department_rows.create_department(connection, name, parent, head),
    )


def put_in_charge(house: House, workspace: str, department: int, head: int) -> None:
    """Make a person the head of a department, from the demo or a story."""

    def work(connection: Connection) -> None:
        found = next(one for one in department_rows.departments(connection) if one.id == department)
        department_rows.update_department(connection, department, found.name, found.parent, head)

    in_transaction(house.workspace(workspace).database, work)
