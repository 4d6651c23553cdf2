"""Imports: what was read from which file into which form, how far it is, and enough to take a batch back.

A run counts its rows as it goes; each written record is noted with what it was before, so undoing needs nothing else.
How a person mapped a table's columns is remembered by the table's signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

import sqlalchemy as sa

from runtime.storage.product_tables import import_mapping, import_row, import_run
from runtime.storage.row_writing import Writer, add_row

State = Literal["draft", "checking", "waiting", "running", "done", "failed", "undoing", "undone"]
Act = Literal["created", "updated", "refused", "noted"]
COUNTS = ("total", "done", "created", "updated", "skipped", "failed")
ROWS = Writer(import_row, ("import", "row", "document", "action", "before"))
MAPPINGS = Writer(import_mapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRun:
    """One import. ``mapping`` is column → field path, ``options`` whatever the mode needs; counts are rows."""

    form: str
    file_name: str
    file_hash: str
    mode: str
    created_by: int
    created_at: datetime
    state: State = "waiting"
    total: int = 0
    done: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0
    mapping: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    finished_at: datetime | None = None
    undone_at: datetime | None = None
    error: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRow:
    """A note on a record: ``row`` of the file, what became of it, and ``before`` as JSON.

    ``created`` and ``updated`` keep what undoing needs; ``refused`` and ``noted`` (something to look at) have document
    0 and keep the problems.
    """

    row: int
    document: int
    action: Act
    before: Any = None


def start(connection: sa.Connection, run: ImportRun) -> int:
    """Note a new import; returns its id."""
    values = {name: getattr(run, name) for name in ImportRun.__slots__ if name != "id"}
    return add_row(connection, import_run, values)


def get(connection: sa.Connection, import_id: int, *, lock: bool = False) -> ImportRun | None:
    """One import, or None. With ``lock`` nobody else continues it before this transaction ends."""
    query = sa.select(import_run).where(import_run.c.id == import_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else ImportRun(**row)


def change(connection: sa.Connection, import_id: int, **values: Any) -> None:
    """Change what an import that has not begun is going to do: ``mode``, ``mapping``, ``options``."""
    connection.execute(import_run.update().where(import_run.c.id == import_id).values(values))


def latest(
    connection: sa.Connection, form: str | None = None, limit: int = 50, creator: int | None = None
) -> tuple[ImportRun, ...]:
    """Imports, newest first; those of one person with ``creator``."""
    query = sa.select(import_run).order_by(import_run.c.id.desc()).limit(limit)
    if creator is not None:
        query = query.where(import_run.c.created_by == creator)
    if form is not None:
        query = query.where(import_run.c.form == form)
    return tuple(ImportRun(**row) for row in connection.execute(query).mappings())


def of_file(connection: sa.Connection, form: str, file_hash: str) -> tuple[ImportRun, ...]:
    """Finished imports of the same file into the same form that were not taken back: a warning before a second one."""
    query = sa.select(import_run).where(
        import_run.c.form == form, import_run.c.file_hash == file_hash, import_run.c.state == "done"
    )
    return tuple(ImportRun(**row) for row in connection.execute(query.order_by(import_run.c.id)).mappings())


def set_state(
    connection: sa.Connection,
    import_id: int,
    state: State,
    *,
    at: datetime | None = None,
    error: str | None = None,
) -> None:
    """Move an import on; ``at`` is when it finished or was taken back."""
    values: dict[str, Any] = {"state": state, "error": error}
    if at is not None:
        values["undone_at" if state == "undone" else "finished_at"] = at
    connection.execute(import_run.update().where(import_run.c.id == import_id).values(values))


def count(connection: sa.Connection, import_id: int, **counts: int) -> None:
    """Set counts (``total``, ``done``, ``created`` …); to be called in the transaction that wrote the rows."""
    if not counts.keys() <= set(COUNTS):
        raise ValueError(f"no counts: {sorted(counts.keys() - set(COUNTS))}")
    connection.execute(import_run.update().where(import_run.c.id == import_id).values(counts))


def note_rows(connection: sa.Connection, import_id: int, rows: Iterable[ImportedRow]) -> None:
    """Note written records."""
    ROWS.insert(connection, [(import_id, each.row, each.document, each.action, each.before) for each in rows])


def rows_of(
    connection: sa.Connection,
    import_id: int,
    before_row: int | None = None,
    limit: int = 1000,
    acts: Iterable[Act] = ("created", "updated"),
) -> tuple[ImportedRow, ...]:
    """Written records from the last row backward, as undoing needs them; ``before_row``: continue above this row."""
    query = sa.select(import_row).where(import_row.c["import"] == import_id, import_row.c.action.in_(tuple(acts)))
    if before_row is not None:
        query = query.where(import_row.c.row < before_row)
    query = query.order_by(import_row.c.row.desc(), import_row.c.document.desc()).limit(limit)
    return tuple(
        ImportedRow(row=row["row"], document=row["document"], action=row["action"], before=row["before"])
        for row in connection.execute(query).mappings()
    )


def problem_rows(
    connection: sa.Connection,
    import_id: int,
    after_row: int = 0,
    limit: int = 1000,
    acts: Iterable[Act] = ("refused", "noted"),
) -> tuple[ImportedRow, ...]:
    """Notes on rows with problems, in the order of the sheet; ``after_row``: continue below this row."""
    query = sa.select(import_row).where(
        import_row.c["import"] == import_id, import_row.c.row > after_row, import_row.c.action.in_(tuple(acts))
    )
    found = connection.execute(query.order_by(import_row.c.row).limit(limit)).mappings()
    return tuple(
        ImportedRow(row=row["row"], document=row["document"], action=row["action"], before=row["before"])
        for row in found
    )


def forget_rows(
    connection: sa.Connection, import_id: int, acts: Iterable[Act] = ("created", "updated", "refused", "noted")
) -> None:
    """Forget notes of an import."""
    connection.execute(
        import_row.delete().where(import_row.c["import"] == import_id, import_row.c.action.in_(tuple(acts)))
    )


def forget_row(connection: sa.Connection, import_id: int, row: int, document: int) -> None:
    """Forget the note on one record, which was taken back."""
    connection.execute(
        import_row.delete().where(
            import_row.c["import"] == import_id, import_row.c.row == row, import_row.c.document == document
        )
    )


def files_in_use(connection: sa.Connection) -> frozenset[str]:
    """Ids of the files imports were read from; they are kept like those a record refers to."""
    kept = connection.execute(sa.select(import_run.c.options)).scalars()
    return frozenset(str(options["file"]) for options in kept if "file" in options)


def saved_mapping(connection: sa.Connection, form: str, signature: str) -> Mapping[str, Any] | None:
    """How somebody mapped a table with this signature before."""
    query = sa.select(import_mapping.c.mapping).where(
        import_mapping.c.form == form, import_mapping.c.signature == signature
    )
    found: Mapping[str, Any] | None = connection.execute(query).scalar_one_or_none()
    return found


def save_mapping(connection: sa.Connection, form: str, signature: str, mapping: Mapping[str, Any]) -> None:
    """Remember a mapping."""
    MAPPINGS.upsert(connection, [(form, signature, mapping)], ("mapping",))
