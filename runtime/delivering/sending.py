"""Sending what is queued: take some, send each over its channel, write down how it went.

A batch is taken by one worker at a time and settled in one transaction; whoever dies in between has sent some of it
without saying so, and they are sent again under their own ids. Failures are tried again at growing distances for more
than a day; then the row waits for a person. A line that does not answer rests (`circuits`), and once it answers
everything that waited for it is due at once. Nothing here touches documents: whether a message arrives changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import structlog

from runtime.delivering.circuits import Circuits
from runtime.delivering.digests import merged
from runtime.delivering.queueing import OUTBOUND, PART
from runtime.faults import NO_FAULTS, Faults
from runtime.hookspecs import Channel, Letter, Outside, Place, Plugins, Undelivered
from runtime.jobs.contract import Workspace
from runtime.storage import audit, deliveries, endpoints
from runtime.storage.database import Connection, in_transaction, read
from runtime.storage.deliveries import Delivery, Line
from runtime.storage.endpoints import Endpoint

AT_ONCE = 8
BATCH = 64
LEASE = timedelta(minutes=3)
HOUR = 3600
# Seconds between attempts; with them an address may be down for more than a day.
PAUSES = (5, 30, 120, 600, HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR)
JITTER = 0.2
WEBHOOK = "webhook"

_log = structlog.get_logger("stockloom.delivering")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an attempt went. ``untried``: the line rests; ``failure`` None: it arrived."""

    row: Delivery
    failure: Undelivered | None = None
    untried: bool = False


class Sender:
    """Sends for every workspace of a process. One per process: it remembers which lines rest."""

    def __init__(
        self,
        plugins: Plugins,
        outside: Outside,
        clock: Callable[[], datetime],
        zone: tzinfo,
        faults: Faults = NO_FAULTS,
    ) -> None:
        self._plugins = plugins
        self._outside = outside
        self._clock = clock
        self._zone = zone
        self._faults = faults
        self._circuits: dict[str, Circuits] = {}

    def send_due(self, workspace: Workspace, most: int = 100_000) -> int:
        """Try what is due in a workspace, at most so many. Returns how many arrived."""
        circuits = self._circuits.setdefault(workspace.key, Circuits())
        arrived = tried = 0
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sending") as pool:
            while tried < most:
                now = self._clock()
                resting = circuits.resting(now)
                taken = in_transaction(
                    workspace.database,
                    lambda connection, now=now, resting=resting: deliveries.take(  # type: ignore[misc]
                        connection, now, now + LEASE, BATCH, resting
                    ),
                )
                if not taken:
                    break
                tried += len(taken)
                self._faults.reach("sending")
                arrived += self._send(workspace, circuits, pool, taken)
        return arrived

    def try_now(self, one: Endpoint, row: Delivery) -> None:
        """Send one message to ``one`` without queueing it, whatever rests. Raises `Undelivered`."""
        self._channel(one).send(self._letter(row), _place(one, self._clock()), self._outside)

    def _send(
        self, workspace: Workspace, circuits: Circuits, pool: ThreadPoolExecutor, rows: Sequence[Delivery]
    ) -> int:
        parts = [row for row in rows if row.event == PART]
        for row in parts:
            in_transaction(
                workspace.database,
                lambda connection, row=row: merged(connection, row, self._clock()),  # type: ignore[misc]
            )
        whole = [row for row in rows if row.event != PART]
        with read(workspace.database) as connection:
            places = {(each.kind, each.key): each for each in endpoints.every(connection)}
        results = list(pool.map(lambda row: self._attempt(circuits, places, row), whole))
        self._faults.reach("sent")
        in_transaction(workspace.database, lambda connection: self._settle(connection, results))
        return sum(each.failure is None and not each.untried for each in results)

    def _attempt(self, circuits: Circuits, places: dict[tuple[Any, str], Endpoint], row: Delivery) -> Result:
        key = row.address if row.channel == OUTBOUND else row.channel
        endpoint = places.get((OUTBOUND if row.channel == OUTBOUND else "channel", key))
        if endpoint is None:
            return Result(row=row, failure=Undelivered("no address is set up for this", again=False))
        if not endpoint.active:
            return Result(row=row, failure=Undelivered("the address is switched off", again=False))
        line, now = line_of(row), self._clock()
        if not circuits.enter(line, now):
            return Result(row=row, untried=True)
        try:
            self._channel(endpoint).send(self._letter(row), _place(endpoint, now), self._outside)
        except Undelivered as failure:
            if failure.again:
                circuits.failed(line, now)
            else:
                circuits.answered(line)
            return Result(row=row, failure=failure)
        except Exception as error:  # a defect of a plugin must not keep the others' messages
            circuits.failed(line, now)
            _log.error("channel failed", channel=row.channel, delivery=row.id, reason=type(error).__name__)
            return Result(row=row, failure=Undelivered(f"the channel failed: {type(error).__name__}"))
        circuits.answered(line)
        return Result(row=row)

    def _settle(self, connection: Connection, results: Sequence[Result]) -> None:
        now = self._clock()
        arrived = [each.row for each in results if each.failure is None and not each.untried]
        deliveries.done(connection, [row.id for row in arrived], now)
        for line in {line_of(row) for row in arrived}:
            deliveries.hurry(connection, line, now)
        for each in results:
            if each.untried:
                deliveries.put_back(connection, each.row.id, now)
            elif each.failure is not None:
                self._settle_failure(connection, each.row, each.failure, now)

    def _settle_failure(self, connection: Connection, row: Delivery, failure: Undelivered, now: datetime) -> None:
        if failure.gone:
            self._switch_off(connection, row, now)
        if not failure.again or row.attempts > len(PAUSES):
            deliveries.given_up(connection, row.id, failure.reason, failure.status, now)
            return
        pause = PAUSES[row.attempts - 1]
        due = now + timedelta(seconds=pause * random.uniform(1, 1 + JITTER))
        deliveries.failed(connection, row.id, failure.reason, failure.status, due)

    def _switch_off(self, connection: Connection, row: Delivery, now: datetime) -> None:
        kind: endpoints.Kind = "outbound" if row.channel == OUTBOUND else "channel"
        found = endpoints.get(connection, kind, row.address if row.channel == OUTBOUND else row.channel)
        if found is not None and found.active:
            endpoints.change(connection, found.id, active=False)
            audit.note(connection, now, None, "endpoint_gone", {"kind": found.kind, "key": found.key})

    def _channel(self, endpoint: Endpoint) -> Channel:
        key = WEBHOOK if endpoint.kind == OUTBOUND else endpoint.key
        channel = self._plugins.channels.get(key)
        if channel is None:
            raise Undelivered("the plugin of this channel is not installed")
        return channel

    def _letter(self, row: Delivery) -> Letter:
        given = row.payload
        at = given.get("at")
        decided = datetime.fromisoformat(str(at)) if at else row.created_at
        return Letter(
            message_id=row.message_id,
            kind=str(given.get("about") or row.event),
            title=str(given.get("title", "")),
            body=str(given.get("body", "")),
            link=str(given.get("link", "")),
            person=str(given.get("person", "")),
            address=row.address,
            mentions=tuple(map(str, given.get("mentions", ()))),
            language="en" if given.get("language") == "en" else "zh",
            data=given.get("data", {}),
            at=decided.replace(tzinfo=self._zone),
            sent_at=int(self._clock().replace(tzinfo=self._zone).timestamp()),
        )


def line_of(row: Delivery) -> Line:
    """What fails and rests together: one receiver of webhooks, or a whole channel."""
    return (OUTBOUND, row.address) if row.channel == OUTBOUND else (row.channel, "")


def _place(endpoint: Endpoint, now: datetime) -> Place:
    return Place(address=endpoint.address, secrets=endpoint.secrets_at(now), options=endpoint.options)
