"""Bring the product's own tables of a workspace to the newest revision, all or nothing."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from runtime.storage.database import Database, lock_publishing, read, write

FOLDER = Path(__file__).parent.parent / "migrations"
VERSION_TABLE = "sys_revision"
# Written down, so that opening a workspace that has it needs neither Alembic nor the revisions themselves.
NEWEST = "0004"


def migrate(database: Database) -> None:
    """Run every revision the workspace lacks, in one transaction. Of several processes one does it, the others wait."""
    with read(database) as connection:
        if is_current(connection):
            return
    with write(database) as connection:
        lock_publishing(connection)
        migrate_in(connection)


def migrate_in(connection: sa.Connection) -> None:
    """As `migrate`, in the caller's transaction."""
    from alembic import command  # deferred: only a workspace that lacks a revision needs it
    from alembic.config import Config  # deferred: as above

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_current(connection: sa.Connection) -> bool:
    """Whether the product tables are at the newest revision."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return False
    newest = sa.select(sa.column("version_num", sa.Text())).select_from(sa.table(VERSION_TABLE))
    return set(connection.execute(newest).scalars()) == {NEWEST}
