"""Runs of workflows: plain data kept as JSON, pinned to the snapshot they started with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runtime.storage.process_tables import run
from runtime.storage.row_reading import Reader
from runtime.storage.row_writing import Writer, add_row

READER = Reader(run)
WRITER = Writer(run)
SAVED = ("state", "finished_at", "result", "stuck", "entries", "snapshot")
RUN_OF = (
    sa.select(run)
    .where(run.c.form == sa.bindparam("form"), run.c.document == sa.bindparam("document"))
    .order_by(run.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run of a workflow over a document; open while ``finished_at`` is None.

    Attributes:
        stuck: code of the reason while any place is stuck. entries: length of its log.
    """

    id: int
    form: str
    document: int
    workflow: str
    snapshot: str
    state: Mapping[str, Any]
    started_at: datetime
    started_by: int
    finished_at: datetime | None
    result: str | None
    parent_run: int = 0
    parent_token: int = 0
    stuck: str = ""
    entries: int = 0


def start_run(
    connection: sa.Connection,
    *,
    form: str,
    document: int,
    workflow: str,
    snapshot: str,
    state: Mapping[str, Any],
    at: datetime,
    user: int,
    parent: tuple[int, int] = (0, 0),
) -> StoredRun:
    """Store a new run. ``parent``: the run and place of a sub-flow that waits for its end."""
    values: dict[str, Any] = {
        "form": form,
        "document": document,
        "workflow": workflow,
        "snapshot": snapshot,
        "state": dict(state),
        "started_at": at,
        "started_by": user,
        "parent_run": parent[0],
        "parent_token": parent[1],
    }
    return StoredRun(id=add_row(connection, run, values), finished_at=None, result=None, **values)


def save_run(connection: sa.Connection, stored: StoredRun) -> None:
    """Store how far a run is: state, end, why it is stuck, length of its log, snapshot."""
    values = (dict(stored.state), *(getattr(stored, name) for name in SAVED[1:]), stored.id)
    WRITER.update(connection, SAVED, ("id",), [values])


def run_by_id(connection: sa.Connection, run_id: int) -> StoredRun | None:
    """One run, or None."""
    found = READER.rows(connection, WRITER.columns, "id", [run_id])
    return StoredRun(**dict(zip(WRITER.columns, found[0], strict=True))) if found else None


def open_run_of(connection: sa.Connection, form: str, document: int) -> StoredRun | None:
    """The run that is open over the document, or None."""
    query = (
        sa.select(run)
        .where(run.c.form == form, run.c.document == document, run.c.finished_at.is_(None))
        .order_by(run.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else StoredRun(**row)


def children_of(connection: sa.Connection, parent_run: int) -> tuple[StoredRun, ...]:
    """The runs of the documents a sub-flow has made, oldest first."""
    query = sa.select(run).where(run.c.parent_run == parent_run).order_by(run.c.id)
    return tuple(StoredRun(**row) for row in connection.execute(query).mappings())


def open_runs(
    connection: sa.Connection,
    after: int = 0,
    limit: int = 200,
    workflow: str = "",
    stuck: bool = False,
    ids: Sequence[int] | None = None,
) -> tuple[StoredRun, ...]:
    """Runs that have not ended, by id; of one workflow, only those that are stuck, or only these."""
    query = sa.select(run).where(run.c.finished_at.is_(None), run.c.id > after).order_by(run.c.id).limit(limit)
    if workflow:
        query = query.where(run.c.workflow == workflow)
    if stuck:
        query = query.where(run.c.stuck != "")
    if ids is not None:
        query = query.where(run.c.id.in_(ids))
    return tuple(StoredRun(**row) for row in connection.execute(query).mappings())


def run_of(connection: sa.Connection, form: str, document: int) -> StoredRun | None:
    """The latest run over the document, open or finished."""
    row = connection.execute(RUN_OF, {"form": form, "document": document}).mappings().one_or_none()
    return None if row is None else StoredRun(**row)
