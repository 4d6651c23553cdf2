"""How long the traces of finished work are kept: a nightly job forgets jobs, outbox rows, deliveries, keys
and sessions that ended by themselves.

What failed is kept until somebody retries or drops it, in both places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from runtime.jobs.contract import Clock, Handler, JobContext, Payload
from runtime.storage import deliveries, idempotency, outbox, received, rule_marks, rule_runs, sessions
from runtime.storage.database import Connection, in_transaction

RETENTION = "retention"
EVERY_NIGHT = "17 3 * * *"


def retention_handler(
    keys: Callable[[], Iterable[str]], delete_finished: Callable[[datetime], int], clock: Clock, days: int
) -> Handler:
    """The handler of the kind ``retention``. ``clock`` dates outbox rows; the engine's own rows have real time."""

    def forget(context: JobContext, payload: Payload) -> None:
        before = clock() - timedelta(days=days)
        names = tuple(keys())
        for number, key in enumerate(names):
            context.progress(number, len(names) + 1)
            database = context.open_workspace(key).database
            in_transaction(database, lambda connection: _forget(connection, before))
            in_transaction(database, lambda connection: sessions.remove_expired(connection, clock()))
        delete_finished(datetime.now(UTC) - timedelta(days=days))

    return forget


def _forget(connection: Connection, before: datetime) -> None:
    outbox.remove_done(connection, before)
    idempotency.forget(connection, before)
    deliveries.forget(connection, before)
    received.forget(connection, before)
    rule_runs.forget(connection, before)
    rule_marks.forget_dates(connection, before)
