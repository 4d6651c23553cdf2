"""The log of runs: one row per move, append-only, enough to build a run again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.workflow.move import MoveKind
from runtime.storage.process_tables import run, run_entry
from runtime.storage.row_writing import Writer

COLUMNS = ("run", "number", "kind", "by", "at", "move", "found")
WRITER = Writer(run_entry, COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One move of a run: ``move`` and ``found`` as the engine writes them; ``number`` counts from 1 within the run."""

    run: int
    number: int
    kind: str
    by: int
    at: datetime
    move: Mapping[str, Any]
    found: Mapping[str, Any]


def append(connection: sa.Connection, rows: Iterable[EntryRow]) -> None:
    """Append moves. Two moves of one run under one number are refused by the primary key."""
    WRITER.insert(
        connection, [(row.run, row.number, row.kind, row.by, row.at, dict(row.move), dict(row.found)) for row in rows]
    )


def entries_of(connection: sa.Connection, runs: Iterable[int]) -> Mapping[int, tuple[EntryRow, ...]]:
    """The moves of each run, oldest first; one query for all of them."""
    wanted = sorted(set(runs))
    found: dict[int, list[EntryRow]] = {number: [] for number in wanted}
    query = sa.select(run_entry).where(run_entry.c.run.in_(wanted)).order_by(run_entry.c.run, run_entry.c.number)
    for row in connection.execute(query).mappings() if wanted else ():
        found[row["run"]].append(EntryRow(**row))
    return {number: tuple(rows) for number, rows in found.items()}


def without_beginning(connection: sa.Connection) -> int:
    """How many open runs have a log that does not reach back to their beginning (of a release that kept none)."""
    begun = sa.exists().where(
        run_entry.c.run == run.c.id, run_entry.c.number == 1, run_entry.c.kind == str(MoveKind.START)
    )
    query = sa.select(sa.func.count()).select_from(run).where(run.c.finished_at.is_(None), run.c.entries > 0, ~begun)
    return int(connection.execute(query).scalar_one())
