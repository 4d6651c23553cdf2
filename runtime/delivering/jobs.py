"""Sending as a job: a chore of every worker looks what is due and enqueues, whichever worker is free sends.

One process sends for one workspace in one job at a time; several workers send side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import structlog

from runtime.delivering.sending import Sender
from runtime.jobs.attempt import reason
from runtime.jobs.contract import Clock, Handler, JobContext, Jobs, OpenWorkspace, Payload
from runtime.jobs.housekeeping import Chore
from runtime.storage import deliveries
from runtime.storage.database import read

SEND = "send_messages"
LOOK_EVERY_S = 2.0
APART_S = 10

_log = structlog.get_logger("stockloom.delivering")


def sending_handlers(sender: Sender) -> Mapping[str, Handler]:
    """The handler of the kind ``send_messages``; its payload names a workspace."""
    busy: set[str] = set()
    lock = threading.Lock()

    def send(context: JobContext, payload: Payload) -> None:
        key = str(payload["workspace"])
        with lock:
            if key in busy:
                return  # what is due is being sent by this process already
            busy.add(key)
        try:
            sender.send_due(context.open_workspace(key))
        finally:
            with lock:
                busy.discard(key)

    return MappingProxyType({SEND: send})


def sending_chore(
    open_workspace: OpenWorkspace, workspaces: Callable[[], Iterable[str]], clock: Clock
) -> Callable[[Jobs], Chore]:
    """A look at what is due in every workspace. Workers that look at the same time enqueue the same job."""

    def chore(jobs: Jobs) -> Chore:
        def look() -> None:
            now = clock()
            turn = int((now - now.min).total_seconds()) // APART_S
            for key in workspaces():
                try:
                    with read(open_workspace(key).database) as connection:
                        due = deliveries.any_due(connection, now)
                    if due:
                        jobs.enqueue(SEND, {"workspace": key}, job_id=f"send:{key}:{turn}")
                except Exception as error:  # the next turn is the remedy
                    _log.warning("look at deliveries failed", workspace=key, reason=reason(error))

        return Chore(name="sending", every_s=LOOK_EVERY_S, run=look)

    return chore
