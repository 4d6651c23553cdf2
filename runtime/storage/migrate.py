"""Bring the product's own tables of a workspace to the newest revision, all or nothing."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from runtime.storage.database import Database, lock_publishing, read, write

FOLDER = Path(__file__).parent.parent / "migrations"
VERSION_TABLE = "sys_revision"


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
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_current(connection: sa.Connection) -> bool:
    """Whether the product tables are at the newest revision."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return set(context.get_current_heads()) == set(ScriptDirectory.from_config(config).get_heads())
