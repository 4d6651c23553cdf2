"""A workspace that sends: channels set up, a clock that stands still, a receiver on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from engine.effects import Effect
from runtime.delivering.choices import KEY
from runtime.delivering.queueing import Queueing
from runtime.delivering.sending import Sender
from runtime.hookspecs import Plugins
from runtime.house import ZONE
from runtime.jobs.assembly import JobParts, inline_jobs
from runtime.jobs.deliver import Performing
from runtime.jobs.relay import relay
from runtime.plugin_loading import load_plugins
from runtime.safe_http import SafeOutside
from runtime.storage import deliveries, endpoints, preferences
from runtime.storage.database import in_transaction, read
from runtime.storage.deliveries import Delivery
from runtime.storage.endpoints import Endpoint
from tests.jobs.company import Company, company
from tests.outgoing.receivers import Receiver, receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(kw_only=True)
class Office:
    """The company, its way out, and one receiver everything is sent to."""

    acme: Company
    there: Receiver
    plugins: Plugins
    senders: list[Sender] = field(default_factory=list)

    def sender(self) -> Sender:
        """A sender as a worker has one."""
        outside = SafeOutside(allow_hosts=frozenset({self.there.host}), timeout_s=5)
        self.senders.append(Sender(self.plugins, outside, self.acme.clock, ZONE))
        return self.senders[-1]

    def set_up(self, kind: endpoints.Kind, key: str, **more: Any) -> int:
        """Enter an address."""
        given = {"address": f"{self.there.url}/{key}", "secret": SECRET if kind == "outbound" else "", **more}
        one = Endpoint(kind=kind, key=key, created_at=self.acme.now, **given)
        return in_transaction(self.acme.database, lambda connection: endpoints.add(connection, one))

    def change(self, identity: int, **changes: Any) -> None:
        """Change an address."""
        in_transaction(self.acme.database, lambda connection: endpoints.change(connection, identity, **changes))

    def chooses(self, user: int, **choices: Any) -> None:
        """What somebody has chosen."""
        in_transaction(
            self.acme.database, lambda connection: preferences.save(connection, user, KEY, _as_kept(choices))
        )

    def decide(self, *effects: Effect) -> list[int]:
        """Commit effects and perform them."""
        ids = self.acme.commit(*effects)
        queueing = Queueing(
            plugins=self.plugins, clock=self.acme.clock, public_url="https://erp.example.com/", language="zh"
        )
        parts = JobParts(
            open_workspace=lambda key: self.acme,
            workspaces=lambda: [self.acme.key],
            start_document=lambda *_: None,
            clock=self.acme.clock,
            performing=Performing(writers=queueing.writers()),
        )
        jobs = inline_jobs(parts)
        relay(jobs, self.acme, ids, self.acme.now)
        jobs.drain()
        assert jobs.parked() == ()
        return ids

    def queue(self, number: int, address: str = "crm", at: datetime | None = None) -> None:
        """Queue so many events for an outbound address."""
        now = at or self.acme.now
        rows = [
            Delivery(
                channel="outbound", address=address, event="e", payload={"data": {"n": each}},
                message_id=f"msg_{address}_{each}", created_at=now, next_at=now,
            )
            for each in range(number)
        ]  # fmt: skip
        in_transaction(self.acme.database, lambda connection: deliveries.add(connection, rows))

    def rows(self) -> tuple[Delivery, ...]:
        """Every delivery, oldest first."""
        with read(self.acme.database) as connection:
            return tuple(reversed(deliveries.latest(connection, limit=100_000)))

    def counts(self) -> Mapping[str, int]:
        """How many there are by state."""
        with read(self.acme.database) as connection:
            return {state: number for state, number in deliveries.counts(connection).items() if number}


def _as_kept(choices: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"modes": {}, "quiet": [], "digest_at": "08:30", "email": "", "mobile": "", **choices}


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    """The channels of the product."""
    return load_plugins().plugins


@pytest.fixture
def there() -> Iterator[Receiver]:
    """A receiver on this machine."""
    with receiver() as running:
        yield running


@pytest.fixture
def office(database_url: str, there: Receiver, plugins: Plugins) -> Iterator[Office]:
    """A workspace that sends, on both databases."""
    with company(database_url) as opened:
        yield Office(acme=opened, there=there, plugins=plugins)
