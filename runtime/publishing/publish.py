"""Publish a bundle: its tables, its snapshot, and that it is current, in one transaction or not at all.

Whoever publishes waits for whoever is publishing. When the database does not compare equal with the bundle's tables
afterwards, everything is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from engine.definitions.compiled import AppBundle
from engine.evolution import Change
from engine.problems import Refused, problem
from runtime.publishing.override import Despite, check_override, note_override
from runtime.publishing.plan import Plan, plan, plan_in
from runtime.storage import ddl, snapshots
from runtime.storage.app_tables import app_tables
from runtime.storage.database import Connection, Database, in_transaction, lock_publishing


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What was published: the snapshot's hash and number, the hash it followed, and what changed in the tables."""

    hash: str
    number: int
    before: str | None
    changes: tuple[Change, ...]


def publish(
    database: Database,
    bundle: AppBundle,
    publisher: str,
    at: datetime,
    forced: Iterable[str] = (),
    despite: Despite | None = None,
) -> Publication:
    """Make ``bundle`` the current state of its app.

    Args:
        publisher: name of the person, kept with the snapshot.
        forced: tables and ``table.column`` whose data may be destroyed instead of archived.
        despite: who publishes in spite of red tests, and why; it goes to the audit log.

    Raises ``Refused``: ``publish.red_tests``; ``publish.not_yours``, ``publish.nobody`` and ``publish.reason_needed``
    where ``despite`` is of somebody who may not, or says nothing; ``storage.cost_locked``, ``storage.decimals_locked``,
    ``storage.not_unique``, ``storage.table_taken``, or ``storage.publish_difference`` when the tables did not become
    what they should.
    """
    if bundle.red_tests and despite is None:
        raise Refused([problem("publish.red_tests", count=len(bundle.red_tests)), *bundle.red_tests], kind="conflict")
    prepared = plan(database, bundle)  # compiling the current bundle takes a while; nobody should wait for it

    def work(connection: Connection) -> Publication:
        lock_publishing(connection)
        if bundle.red_tests and despite is not None:
            check_override(connection, bundle, despite)
        unchanged = snapshots.current_hash(connection, bundle.app.app) == prepared.current
        done = _perform(
            connection, bundle, prepared if unchanged else plan_in(connection, bundle), publisher, at, forced
        )
        if bundle.red_tests and despite is not None:
            note_override(connection, bundle, despite, at)
        return done

    return in_transaction(database, work)


def _perform(
    connection: Connection, bundle: AppBundle, planned: Plan, publisher: str, at: datetime, forced: Iterable[str]
) -> Publication:
    if planned.problems:
        raise Refused(planned.problems, kind="conflict")
    tables = app_tables(bundle)
    before = None if planned.before is None else app_tables(planned.before)
    ddl.apply(connection, before, tables, frozenset(forced))
    left = ddl.difference(connection, tables)
    if left:
        told = "; ".join(str(each)[:200] for each in left[:5])
        raise Refused([problem("storage.publish_difference", difference=told)], kind="conflict")
    app = bundle.app
    number = snapshots.save(
        connection,
        snapshot_hash=bundle.hash,
        app=app.app,
        version=app.version,
        files=bundle.files,
        publisher=publisher,
        at=at,
    )
    snapshots.set_current(connection, app.app, bundle.hash, at)
    return Publication(hash=bundle.hash, number=number, before=planned.current, changes=planned.changes)
