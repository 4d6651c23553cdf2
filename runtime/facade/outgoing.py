"""发送记录: what went out, what waits, what was given up; and sending it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from engine.problems import Refused, problem
from runtime.facade.door import Door
from runtime.facade.endpoints import administrator
from runtime.storage import accounts, audit, deliveries
from runtime.storage.database import Connection, in_transaction, read
from runtime.storage.deliveries import STATES, Delivery

# What the house itself says of a delivery that failed, as it is kept, and the message that tells it. Anything else was
# said by the other side, and is shown as it was said.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no address is set up for this": "no_address",
        "the address is switched off": "switched_off",
        "the address is not a public one": "not_public",
        "the address is none": "not_an_address",
        "only https is allowed": "only_https",
        "no answer in time": "no_answer",
        "the name was not found": "no_such_name",
        "no trust": "no_trust",
        "Connection refused": "refused",
        "the mail server refused the login": "login_refused",
        "the plugin of this channel is not installed": "no_plugin",
        "the channel failed": "channel_failed",
        "the answer is not JSON": "not_json",
        "the answer is not an object": "not_json",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One message to one address.

    Attributes:
        title: what it says, or the event of a webhook. person: who it is for.
        next_at: of the next attempt, while it waits. error: of the last one.
    """

    id: int
    message_id: str
    state: str
    channel: str
    channel_label: str
    address: str
    person: str
    event: str
    title: str
    attempts: int
    status: int
    error: str
    created_at: datetime
    next_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """A page of the list, newest first; ``next``: to ask for the following one with."""

    rows: tuple[DeliveryView, ...]
    counts: dict[str, int]
    next: int | None


def delivery_page(
    door: Door, state: str = "", channel: str = "", text: str = "", after: int | None = None, limit: int = 50
) -> DeliveryPage:
    """Messages to the outside. Administrators only."""
    administrator(door)
    wanted = state if state in STATES else ""
    with read(door.workspace.database) as connection:
        rows = deliveries.latest(
            connection, state=wanted, channel=channel, text=text.strip()[:100], after=after, limit=limit
        )
        names = accounts.user_names(connection, [row.user for row in rows if row.user])
        counts = dict(deliveries.counts(connection))
    views = tuple(_view(door, row, names.get(row.user, "")) for row in rows)
    return DeliveryPage(rows=views, counts=counts, next=rows[-1].id if len(rows) == limit else None)


def channels(door: Door) -> dict[str, str]:
    """Names of what messages go out by, for the filter."""
    found = {key: one.label.text(door.language) for key, one in door.house.plugins.channels.items()}
    return {**found, "outbound": door.house.catalogue.ui("endpoints.kind_outbound", door.language)}


def replay(door: Door, delivery: int | None = None) -> int:
    """Send one that was given up again, or all of them; each keeps its id. Returns how many. Administrators only.

    Raises:
        Refused: ``missing`` when that one was not given up.
    """
    administrator(door)
    now = door.house.now()

    def work(connection: Connection) -> int:
        number = deliveries.replay(connection, now, delivery)
        if number:
            audit.note(
                connection, now, door.actor.user, "deliveries_replayed", {"delivery": delivery, "number": number}
            )
        return number

    number = in_transaction(door.workspace.database, work)
    if delivery is not None and not number:
        raise Refused([problem("delivery.not_dead")], "missing")
    return number


def _view(door: Door, row: Delivery, person: str) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        message_id=row.message_id,
        state=row.state,
        channel=row.channel,
        channel_label=channels(door).get(row.channel, row.channel),
        address=row.address,
        person=person or str(row.payload.get("person", "")),
        event=row.event,
        title=str(row.payload.get("title") or row.event),
        attempts=row.attempts,
        status=row.status,
        error=_reason(door, row.error),
        created_at=row.created_at,
        next_at=row.next_at,
        done_at=row.done_at,
    )


def _reason(door: Door, kept: str) -> str:
    """Why a delivery failed, in the reader's language as far as the house said it."""
    said, _, more = kept.partition(": ")
    key = REASONS.get(said)
    if key is None:
        return kept
    told = door.house.catalogue.ui(f"deliveries.reason_{key}", door.language)
    return f"{told}（{more}）" if more and door.language == "zh" else f"{told} ({more})" if more else told
