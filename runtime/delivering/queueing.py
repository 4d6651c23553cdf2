"""From an effect to rows of ``sys_delivery``, in the transaction that marks the effect done.

What is queued is rendered: the words of the day, in the reader's language, with the address of the page. Addresses of
channels and secrets are looked up when it is sent, so that a corrected one helps what is waiting already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from engine.effects import CallWebhook, Notify
from engine.labels import Language
from runtime.delivering.choices import KEY, choices_from_json
from runtime.delivering.routing import Draft, Recipient, Way, routed
from runtime.hookspecs import Plugins
from runtime.jobs.contract import Workspace
from runtime.jobs.deliver import Writer, effect_of
from runtime.storage import deliveries, endpoints, messages, people
from runtime.storage.database import Connection
from runtime.storage.deliveries import Delivery
from runtime.storage.outbox import OutboxRow

OUTBOUND = "outbound"
PART, DIGESTED = "digest_part", "digest"


def message_id() -> str:
    """A fresh id; a row keeps it for every attempt."""
    return f"msg_{uuid4().hex}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queueing:
    """Writes deliveries. ``public_url``: where people find the pages; ``language``: of messages to groups."""

    plugins: Plugins
    clock: Callable[[], datetime]
    public_url: str
    language: Language

    def writers(self) -> Mapping[str, Writer]:
        """By kind of effect, for `runtime.jobs.deliver.Performing`."""
        return {Notify.kind: self.notify, CallWebhook.kind: self.call}

    def notify(self, connection: Connection, workspace: Workspace, row: OutboxRow) -> None:
        """Queue what leaves the house because of a notification."""
        effect = effect_of(row)
        assert isinstance(effect, Notify)
        ways = self.ways(connection)
        if not ways:
            return
        now = self.clock()
        users = messages.recipients(connection, effect.to.users, effect.to.roles, row.snapshot)
        recipients = [
            Recipient(
                user=each.user, name=each.name, language=each.language, choices=choices_from_json(each.preference)
            )
            for each in people.told(connection, users, KEY)
        ]
        drafts = routed(effect, recipients, ways, now, self.language)
        link = self._link(connection, workspace, effect, row) if drafts else ""
        deliveries.add(connection, [self._delivery(one, effect, row, link, now) for one in drafts])

    def call(self, connection: Connection, workspace: Workspace, row: OutboxRow) -> None:
        """Queue an event for an outbound address; it waits even where that is not set up yet."""
        effect = effect_of(row)
        assert isinstance(effect, CallWebhook)
        now = self.clock()
        payload = {"data": dict(effect.data), "at": row.created_at.isoformat()}
        deliveries.add(
            connection,
            [
                Delivery(
                    outbox=row.id or 0,
                    channel=OUTBOUND,
                    address=effect.to,
                    event=effect.event,
                    payload=payload,
                    message_id=message_id(),
                    created_at=now,
                    next_at=now,
                )
            ],
        )

    def ways(self, connection: Connection) -> Mapping[str, Way]:
        """The channels that are set up and switched on."""
        return {
            each.key: Way(channel=self.plugins.channels[each.key], about=frozenset(each.options.get("about", ())))
            for each in endpoints.every(connection, "channel")
            if each.active and each.key in self.plugins.channels
        }

    def _delivery(self, one: Draft, effect: Notify, row: OutboxRow, link: str, now: datetime) -> Delivery:
        payload: dict[str, Any] = {
            "title": effect.title.text(one.language),
            "body": effect.body.text(one.language) if effect.body is not None else "",
            "link": link,
            "person": one.person,
            "mentions": list(one.mentions),
            "language": one.language,
            "at": row.created_at.isoformat(),
            "about": effect.about,
        }
        return Delivery(
            outbox=row.id or 0,
            channel=one.channel,
            address=one.address,
            user=one.user,
            event=PART if one.digest else effect.about,
            payload=payload,
            message_id=message_id(),
            created_at=now,
            next_at=one.due,
        )

    def _link(self, connection: Connection, workspace: Workspace, effect: Notify, row: OutboxRow) -> str:
        app = people.app_of(connection, row.snapshot)
        if not self.public_url or not app:
            return ""
        parts = [effect.form, str(effect.document)] if effect.form and effect.document else ["messages"]
        path = "/".join(quote(each, safe="") for each in (workspace.key, app, *parts))
        return f"{self.public_url.rstrip('/')}/w/{path}"
