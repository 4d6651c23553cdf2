"""Changes that wait for agreement (先批后改): the typed values as they came, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runtime.storage.process_tables import proposal
from runtime.storage.row_writing import add_row

APPLIED = "applied"
REFUSED = "refused"
CONFLICT = "conflict"  # agreed, but the record had changed meanwhile: an administrator decides


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRow:
    """A change ``user`` asked for.

    Attributes:
        version: of the record the person had before their eyes. patch: what they typed, as JSON.
        outcome: ``applied``, ``refused``, or ``conflict`` (which stays open for an administrator).
    """

    run: int
    form: str
    document: int
    version: int
    patch: Mapping[str, Any]
    created_at: datetime
    user: int
    id: int | None = None
    ended_at: datetime | None = None
    outcome: str | None = None


def add(connection: sa.Connection, row: ProposalRow) -> int:
    """Store a proposal; returns its id."""
    return add_row(
        connection,
        proposal,
        {
            "run": row.run,
            "form": row.form,
            "document": row.document,
            "version": row.version,
            "patch": dict(row.patch),
            "created_at": row.created_at,
            "user": row.user,
        },
    )


def of_run(connection: sa.Connection, run: int) -> ProposalRow | None:
    """The latest proposal the run decides on."""
    query = sa.select(proposal).where(proposal.c.run == run).order_by(proposal.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else ProposalRow(**row)


def by_id(connection: sa.Connection, proposal_id: int) -> ProposalRow | None:
    """One proposal, or None."""
    row = connection.execute(sa.select(proposal).where(proposal.c.id == proposal_id)).mappings().one_or_none()
    return None if row is None else ProposalRow(**row)


def open_of(connection: sa.Connection, form: str, document: int) -> ProposalRow | None:
    """The proposal that waits for agreement on the document, or None."""
    query = (
        sa.select(proposal)
        .where(proposal.c.form == form, proposal.c.document == document, proposal.c.ended_at.is_(None))
        .order_by(proposal.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else ProposalRow(**row)


def end(connection: sa.Connection, proposal_id: int, at: datetime | None, outcome: str) -> None:
    """Say what became of a proposal; without ``at`` it stays open."""
    statement = proposal.update().where(proposal.c.id == proposal_id)
    connection.execute(statement.values(ended_at=at, outcome=outcome))


def in_conflict(connection: sa.Connection, after: int = 0, limit: int = 100) -> tuple[ProposalRow, ...]:
    """Agreed changes that could not be made, oldest first."""
    query = (
        sa.select(proposal)
        .where(proposal.c.outcome == CONFLICT, proposal.c.ended_at.is_(None), proposal.c.id > after)
        .order_by(proposal.c.id)
        .limit(limit)
    )
    return tuple(ProposalRow(**row) for row in connection.execute(query).mappings())
