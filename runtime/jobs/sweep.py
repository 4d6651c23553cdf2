"""What a crash left behind: outbox rows that were committed and never handed over, or handed over and lost.

The grace keeps the sweep out of the way of the relay, which is usually a few milliseconds behind the commit. A row that
was handed over long ago and is still not done is handed over again: either its job exists, and nothing changes, or the
job database was lost or restored from a backup, and this is how its effects are found again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog

from runtime.jobs.attempt import reason
from runtime.jobs.contract import Clock, Jobs, OpenWorkspace, Workspace
from runtime.jobs.relay import relay
from runtime.storage import outbox
from runtime.storage.database import read

SWEEP_EVERY_S = 15.0
GRACE = timedelta(seconds=5)
LOST_AFTER = timedelta(hours=1)
MOST_AT_ONCE = 500

_log = structlog.get_logger("stockloom.jobs")


def sweep(jobs: Jobs, workspace: Workspace, now: datetime) -> int:
    """Hand over what was left behind in one workspace; ``now`` on the workspace's clock. Returns how many rows."""
    swept = 0
    while True:
        with read(workspace.database) as connection:
            rows = outbox.pending(connection, MOST_AT_ONCE, handed_before=now - LOST_AFTER)
        ids = [row.id for row in rows if row.id is not None and row.created_at <= now - GRACE]
        relay(jobs, workspace, ids, now, alone=True)  # found again although the job they were in was given up
        swept += len(ids)
        if not ids or len(rows) < MOST_AT_ONCE:
            return swept


def sweep_all(jobs: Jobs, keys: Callable[[], Iterable[str]], open_workspace: OpenWorkspace, clock: Clock) -> int:
    """`sweep` every workspace; one that cannot be opened does not keep the others waiting."""
    swept = 0
    for key in keys():
        try:
            swept += sweep(jobs, open_workspace(key), clock())
        except Exception as error:  # the next turn is the remedy
            _log.warning("sweep failed", workspace=key, reason=reason(error))
    if swept:
        _log.info("swept", rows=swept)
    return swept
