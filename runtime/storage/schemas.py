"""Schemas of a PostgreSQL server, one per workspace: make, list, drop, and the address that leads into one."""

from __future__ import annotations

from sqlalchemy import inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from runtime.storage.database import open_database, write


def create_schema(url: str, name: str) -> bool:
    """Make an empty schema on the server at ``url``; False when there is one of this name."""
    try:
        with open_database(url, pool_size=1) as server, write(server) as connection:
            connection.exec_driver_sql(f'CREATE SCHEMA "{name}"')
    except ProgrammingError:
        return False
    return True


def drop_schema(url: str, name: str) -> None:
    """Destroy a schema with everything in it; a missing one is ignored."""
    with open_database(url, pool_size=1) as server, write(server) as connection:
        connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')


def schema_names(url: str, prefix: str) -> tuple[str, ...]:
    """Schemas whose name begins with ``prefix``, without it, sorted."""
    with open_database(url, pool_size=1) as server, write(server) as connection:
        names = inspect(connection).get_schema_names()
    return tuple(sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix)))


def url_into(url: str, name: str) -> str:
    """The address ``url`` whose connections see the schema ``name`` and nothing else."""
    parsed = make_url(url)
    given = parsed.query.get("options", "")
    given = given if isinstance(given, str) else " ".join(given)
    options = f"{given} -c search_path={name}".strip()
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)
