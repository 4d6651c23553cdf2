"""Files nobody refers to: uploads whose record was never saved, and what records named once and name no more.

A reference is any id in an attachment or image field of the published app, in a column that a definition gave up or
that belongs to another app of the workspace (it may come back with its values), in an import, a decision, a signature
or a change that waits for agreement. History is none: nobody can open a file from there.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from runtime.storage.app_tables import AppTables
from runtime.storage.ddl import ARCHIVE
from runtime.storage.files import FILE_TYPES, path_of
from runtime.storage.imports import files_in_use
from runtime.storage.process_tables import proposal
from runtime.storage.product_tables import file
from runtime.storage.signatures import signatures_in_use
from runtime.storage.workflow_runs import attached

NAMED = re.compile(r'"([0-9a-f]{32})"')
RECORDS = ("t_", f"{ARCHIVE}t_")
VALUES = ("f_", f"{ARCHIVE}f_")


def referred(connection: sa.Connection, tables: AppTables) -> set[str]:
    """Ids in any attachment or image field of any record, files of imports, those of decisions and signatures."""
    found: set[str] = {*files_in_use(connection), *signatures_in_use(connection), *attached(connection)}
    for of_form in tables.forms.values():
        places = [(of_form.rows, of_form.form.fields)]
        places += [(rows, of_form.form.tables[key].fields) for key, rows in of_form.line_rows.items()]
        for rows, fields in places:
            for key, column in rows.fields.items():
                if fields[key].type_name in FILE_TYPES:
                    for value in connection.execute(sa.select(column).where(column.is_not(None))).scalars():
                        found.update((value,) if isinstance(value, str) else value)
    return found


def orphans(connection: sa.Connection, tables: AppTables, before: datetime, most: int) -> tuple[str, ...]:
    """At most ``most`` ids of files made before ``before`` that nothing refers to, the oldest first.

    Choose ``before`` so that no upload of before then can still be waiting for its record to be saved.
    """
    old = sa.select(file.c.id).where(file.c.created_at < before).order_by(file.c.created_at, file.c.id)
    candidates = connection.execute(old).scalars().all()
    if not candidates:
        return ()
    used = referred(connection, tables)
    used.update(_proposed(connection), _elsewhere(connection, tables))
    return tuple(one for one in candidates if one not in used)[:most]


def forget(connection: sa.Connection, ids: Collection[str]) -> int:
    """Remove the rows of files; their bytes go when that is committed. Returns how many."""
    return connection.execute(file.delete().where(file.c.id.in_(sorted(ids)))).rowcount


def delete_bytes(folder: Path, ids: Collection[str]) -> None:
    """Remove the bytes of files whose rows are gone."""
    for one in ids:
        path_of(folder, one).unlink(missing_ok=True)


def delete_strays(connection: sa.Connection, folder: Path, before: datetime, most: int) -> int:
    """Remove at most ``most`` pieces of bytes from before then that have no row, as a crash leaves them; how many."""
    known = set(connection.execute(sa.select(file.c.id)).scalars())
    gone = 0
    for path in folder.glob("??/*"):
        if gone == most:
            break
        with contextlib.suppress(FileNotFoundError):
            if path.name not in known and path.stat().st_mtime < before.timestamp():
                path.unlink()
                gone += 1
    return gone


def _proposed(connection: sa.Connection) -> Iterator[str]:
    """Ids among the values of changes that are not decided yet."""
    waiting = sa.select(sa.type_coerce(proposal.c.patch, sa.Text)).where(proposal.c.ended_at.is_(None))
    for patch in connection.execute(waiting).scalars():
        yield from NAMED.findall(patch)


def _elsewhere(connection: sa.Connection, tables: AppTables) -> Iterator[str]:
    """Ids in columns of records the published app does not know."""
    inspector = sa.inspect(connection)
    for name in inspector.get_table_names():
        if not name.startswith(RECORDS):
            continue
        known = tables.metadata.tables.get(name)
        for column in inspector.get_columns(name):
            if not column["name"].startswith(VALUES) or not isinstance(column["type"], sa.Text):
                continue
            if known is not None and column["name"] in known.c:
                continue
            values: sa.ColumnClause[str] = sa.column(column["name"], sa.Text)
            lists = sa.select(values).select_from(sa.table(name)).where(values.like('["%'))
            for value in connection.execute(lists).scalars():
                yield from NAMED.findall(value)
