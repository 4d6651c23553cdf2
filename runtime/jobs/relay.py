"""From the outbox to the job engine, right after the commit.

The row's id is the job's id, so handing a row over twice is the same as once. Where many rows come together, those that
are only written in the house go in bundles, one job each: keeping a job costs several times what such an effect does.

A relay that fails or dies loses nothing: the row stays marked as not handed over and the sweep finds it. Posting never
waits for the engine: `BackgroundRelay` takes the ids and returns; a thread hands them over, many at a time when many
come.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import structlog

from engine.effects import CallWebhook, Notify
from runtime.jobs.attempt import reason
from runtime.jobs.contract import Clock, Jobs, Payload, Workspace
from runtime.storage import outbox
from runtime.storage.database import in_transaction, read

DELIVER = "deliver"
MOST_AT_ONCE = 200
MANY = 8
BUNDLE = 25
BUNDLED = frozenset({Notify.kind, CallWebhook.kind})

_log = structlog.get_logger("stockloom.jobs")


def delivery_id(workspace: str, outbox_id: int) -> str:
    """The id of the job that performs an outbox row."""
    return f"{workspace}:{outbox_id}"


def rows_of(payload: Payload) -> Sequence[int]:
    """The outbox rows a job of this payload performs."""
    return [int(each) for each in payload.get("bundle") or (payload["outbox"],)]


def bundle_id(workspace: str, ids: Sequence[int]) -> str:
    """The id of the job that performs these rows."""
    told = sha256(",".join(map(str, ids)).encode()).hexdigest()[:16]
    return f"{workspace}:{ids[0]}:{told}"


def relay(jobs: Jobs, workspace: Workspace, ids: Sequence[int], at: datetime, *, alone: bool = False) -> None:
    """Hand committed outbox rows to the engine and mark them. Doing it again changes nothing.

    Args:
        alone: a job for each, also where there are many.
    """
    if not ids:
        return
    together: Sequence[int] = ()
    if len(ids) >= MANY and not alone:
        with read(workspace.database) as connection:
            together = outbox.of_kinds(connection, ids, BUNDLED)
    for each in sorted(set(ids).difference(together)):
        payload = {"workspace": workspace.key, "outbox": each}
        jobs.enqueue(DELIVER, payload, job_id=delivery_id(workspace.key, each))
    for first in range(0, len(together), BUNDLE):
        bundle = together[first : first + BUNDLE]
        jobs.enqueue(
            DELIVER, {"workspace": workspace.key, "bundle": bundle}, job_id=bundle_id(workspace.key, bundle)
        )  # fmt: skip
    in_transaction(workspace.database, lambda connection: outbox.mark_handed(connection, ids, at))


class BackgroundRelay:
    """Hands over in a thread of its own. One per process; close it before the engine."""

    def __init__(self, jobs: Jobs, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._given: queue.SimpleQueue[tuple[Workspace, Sequence[int]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="jobs-relay", daemon=True)
        self._thread.start()

    def hand_over(self, workspace: Workspace, ids: Sequence[int]) -> None:
        """Take committed outbox ids; returns at once and never raises."""
        if ids:
            self._given.put((workspace, tuple(ids)))

    def close(self) -> None:
        """Hand over what was given so far, then stop."""
        self._given.put(None)
        self._thread.join(30)

    def _loop(self) -> None:
        going_on = True
        while going_on:
            workspaces: dict[str, Workspace] = {}
            waiting: dict[str, list[int]] = {}
            given = self._given.get()
            while given is not None:
                workspaces[given[0].key] = given[0]
                waiting.setdefault(given[0].key, []).extend(given[1])
                if self._given.empty() or sum(map(len, waiting.values())) >= MOST_AT_ONCE:
                    break
                given = self._given.get()
            going_on = given is not None
            for key, ids in waiting.items():
                try:
                    relay(self._jobs, workspaces[key], ids, self._clock())
                except Exception as error:  # the sweep hands over what stays behind
                    _log.warning("hand-over failed", workspace=key, rows=len(ids), reason=reason(error))
