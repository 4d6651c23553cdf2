"""What Alembic runs: the revisions, over the connection that `runtime.storage.migrate` hands in.

There is no configuration file and no connection of its own, so migrating is part of the caller's transaction.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from runtime.storage.product_tables import ALL_TABLES

connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=ALL_TABLES, version_table="sys_revision", transactional_ddl=True
)
context.run_migrations()
