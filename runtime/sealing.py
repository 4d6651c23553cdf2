"""Sealing: the heads of all chains that grew go into one chain of the workspace, at intervals and at a closing.

A digest kept elsewhere (printed, mailed, written down) proves later that nothing before it was rewritten as a whole:
``stockloom verify --anchor`` looks for it. Sealing writes its own tables only and takes no lock that a posting takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from engine.ledger.chain import digest
from runtime.jobs.contract import Clock, Handler, JobContext, Payload
from runtime.storage import seals
from runtime.storage.database import Connection, Database, in_transaction
from runtime.storage.seals import Seal

SEAL = "seal"


def seal(database: Database, now: datetime) -> Seal | None:
    """Seal one workspace; the newest seal when nothing was posted since, None when nothing ever was."""
    return in_transaction(database, lambda connection: seal_within(connection, now))


def seal_within(connection: Connection, now: datetime) -> Seal | None:
    """`seal` in the caller's transaction. A closing calls it last, so that what it closed is bound."""
    seals.hold(connection)
    last = seals.last(connection)
    heads = seals.changed_heads(connection)
    if not heads:
        return last
    previous = last.digest if last else ""
    return seals.append(connection, now, previous, digest(previous, heads), heads)


def sealing_handler(keys: Callable[[], Iterable[str]], clock: Clock) -> Handler:
    """The handler of the kind ``seal``: every workspace, one after the other. Doing it twice makes no second seal."""

    def seal_all(context: JobContext, payload: Payload) -> None:
        names = tuple(keys())
        for number, key in enumerate(names):
            context.progress(number, len(names))
            seal(context.open_workspace(key).database, clock())

    return seal_all
