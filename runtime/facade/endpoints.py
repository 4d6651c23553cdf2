"""外发地址: channels, receivers of webhooks and our own inbound addresses, as administrators set them up.

A secret is shown once, when the house makes it; afterwards nobody sees it. An address that moves to another host takes
no secret along: a made one is replaced, another must be entered again. Every change is in the security log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, get_args
from urllib.parse import urlsplit

from engine.labels import Label
from engine.permissions import is_administrator
from engine.problems import Problem, Refused, problem
from runtime import standard_webhooks
from runtime.delivering.choices import ABOUT, choices_from_json
from runtime.delivering.choices import KEY as CHOICES
from runtime.delivering.queueing import message_id
from runtime.delivering.sending import WEBHOOK
from runtime.facade.door import Door
from runtime.hookspecs import Channel, Option, Place, Undelivered
from runtime.storage import audit, endpoints, preferences
from runtime.storage.database import Connection, in_transaction, read
from runtime.storage.deliveries import Delivery
from runtime.storage.endpoints import Endpoint, Kind

KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST = 2000
LONGEST_KEY = 60
SHOWN_OF_ADDRESS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """An address without its secrets.

    Attributes:
        label: of the channel, or what the app calls the webhook; ``key`` where it calls it nothing.
        address: shortened where it is a secret itself. has_secret: whether one is set.
        replaced_at: when the secret was replaced, while the one before still counts.
        options: what was entered besides. about: kinds that go over the channel where a person chose nothing.
    """

    id: int
    kind: Kind
    key: str
    label: str
    address: str
    has_secret: bool
    made: bool
    replaced_at: datetime | None
    options: Mapping[str, str]
    about: tuple[str, ...]
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """A sort of address that can be set up: what is to be entered for it.

    Attributes:
        kind, key: of the endpoint; ``key`` is empty where it is to be entered.
        names: what the app declares and nobody has set up yet, to choose the key from.
    """

    kind: Kind
    key: str
    label: str
    address: str
    example: str
    secret: str
    made: bool
    options: tuple[Option, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What an administrator entered. ``secret`` None: as it was."""

    address: str = ""
    secret: str | None = None
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    about: tuple[str, ...] = ()


def administrator(door: Door) -> None:
    """Refuse everybody but administrators."""
    if not is_administrator(door.actor):
        raise Refused([problem("account.admin_only")], "forbidden")


def all_endpoints(door: Door) -> tuple[EndpointView, ...]:
    """Every address. Administrators only."""
    administrator(door)
    with read(door.workspace.database) as connection:
        return tuple(_view(door, each) for each in endpoints.every(connection))


def sorts(door: Door) -> tuple[Sort, ...]:
    """What can be set up: channels that are not yet, and webhooks in both directions. Administrators only."""
    present = {(each.kind, each.key) for each in all_endpoints(door)}
    words = door.house.catalogue
    channels = [
        _channel_sort(door, channel)
        for key, channel in door.house.plugins.channels.items()
        if ("channel", key) not in present
    ]
    outbound = tuple(key for key in door.bundle.app.webhooks.outbound if ("outbound", key) not in present)
    inbound = tuple(key for key in door.bundle.app.webhooks.inbound if ("inbound", key) not in present)
    web = door.house.plugins.channels.get(WEBHOOK)
    if web is not None:
        label = words.ui("endpoints.kind_outbound", door.language)
        channels.append(replace(_channel_sort(door, web), kind="outbound", key="", label=label, names=outbound))
    label = words.ui("endpoints.kind_inbound", door.language)
    channels.append(
        Sort(kind="inbound", key="", label=label, address="", example="", secret="", made=True, names=inbound)
    )
    return tuple(channels)


def add_endpoint(door: Door, kind: str, key: str, entered: Entered) -> str:
    """Set an address up; returns the secret the house made, empty where it made none. Administrators only.

    Raises:
        Refused: a name that is none or taken, an address that is not allowed, settings that cannot work.
    """
    administrator(door)
    channel = _channel(door, kind, key)
    name = key.strip()
    problems = _wrong_key(kind, name)
    secret = standard_webhooks.new_secret() if _made(kind, channel) else (entered.secret or "").strip()
    place = Place(address=entered.address.strip(), secrets=(secret,) if secret else (), options=entered.options)
    problems += _wrong_place(door, channel, place)
    if problems:
        raise Refused(problems)
    one = Endpoint(
        kind=_kind(kind),
        key=name,
        address=place.address,
        secret=secret,
        options=_options(channel, entered),
        user=door.actor.user,
        created_at=door.house.now(),
    )
    _write(door, "endpoint_added", one, lambda connection: endpoints.add(connection, one))
    return secret if _made(kind, channel) else ""


def change_endpoint(door: Door, identity: int, entered: Entered) -> str:
    """Change an address and what was entered besides; returns a secret the house had to make. Administrators only.

    Raises:
        Refused: as `add_endpoint`; and ``endpoint.secret_again`` where another host would get the secret of this one.
    """
    administrator(door)
    one = _found(door, identity)
    channel = _channel(door, one.kind, one.key)
    address = entered.address.strip() or one.address
    moved = _host(address) != _host(one.address)
    made = _made(one.kind, channel)
    secret = one.secret if entered.secret is None or made else entered.secret.strip()
    if moved and one.secret and not made and entered.secret is None:
        raise Refused([problem("endpoint.secret_again", "secret")])
    fresh = standard_webhooks.new_secret() if moved and made else ""
    secret = fresh or secret
    place = Place(address=address, secrets=(secret,) if secret else (), options=entered.options)
    if problems := _wrong_place(door, channel, place):
        raise Refused(problems)
    changes: dict[str, Any] = {"address": address, "secret": secret, "options": _options(channel, entered)}
    if fresh or moved:
        changes |= {"old_secret": "", "replaced_at": None}
    _write(door, "endpoint_changed", one, lambda connection: endpoints.change(connection, identity, **changes))
    return fresh


def replace_secret(door: Door, identity: int) -> str:
    """A new secret, shown this once; the one before counts for a day more. Administrators only.

    Raises:
        Refused: ``endpoint.not_made`` where the secret is not the house's to make.
    """
    administrator(door)
    one = _found(door, identity)
    if not _made(one.kind, _channel(door, one.kind, one.key)):
        raise Refused([problem("endpoint.not_made")])
    fresh = standard_webhooks.new_secret()
    changes = {"secret": fresh, "old_secret": one.secret, "replaced_at": door.house.now()}
    _write(door, "endpoint_secret_replaced", one, lambda connection: endpoints.change(connection, identity, **changes))
    return fresh


def switch_endpoint(door: Door, identity: int, active: bool) -> None:
    """Switch an address on or off; off, what is sent there waits among what was given up. Administrators only."""
    administrator(door)
    one = _found(door, identity)
    event = "endpoint_switched_on" if active else "endpoint_switched_off"
    _write(door, event, one, lambda connection: endpoints.change(connection, identity, active=active))


def remove_endpoint(door: Door, identity: int) -> None:
    """Forget an address and its secrets. Administrators only."""
    administrator(door)
    one = _found(door, identity)
    _write(door, "endpoint_removed", one, lambda connection: endpoints.remove(connection, identity))


def try_endpoint(door: Door, identity: int) -> None:
    """Send a test message now. Administrators only.

    Raises:
        Refused: ``endpoint.failed`` with what the receiver said; ``endpoint.no_own_address`` where the channel reaches
            persons and the administrator has entered no address of their own.
    """
    administrator(door)
    one = _found(door, identity)
    channel = _channel(door, one.kind, one.key)
    if one.kind == "inbound" or channel is None:
        raise Refused([problem("endpoint.only_sends")])
    now = door.house.now()
    words = door.house.catalogue
    row = Delivery(
        channel=one.key,
        address=_own_address(door, channel) if channel.personal else one.key,
        user=door.actor.user,
        event="test",
        payload={
            "title": words.ui("endpoints.test_title", door.language),
            "body": words.ui("endpoints.test_body", door.language, name=door.actor.name),
            "person": door.actor.name if channel.personal else "",
            "language": door.language,
        },
        message_id=message_id(),
        created_at=now,
        next_at=now,
    )
    try:
        door.house.sender.try_now(one, row)
    except Undelivered as failure:
        raise Refused([problem("endpoint.failed", reason=failure.reason)], "conflict") from failure


def _own_address(door: Door, channel: Channel) -> str:
    with read(door.workspace.database) as connection:
        choices = choices_from_json(preferences.get(connection, door.actor.user, CHOICES))
    address = choices.reached_by(channel.reached_by)
    if not address:
        raise Refused([problem("endpoint.no_own_address")])
    return address


def _view(door: Door, one: Endpoint) -> EndpointView:
    channel = _channel(door, one.kind, one.key, strict=False)
    hides = channel is not None and channel.hides_address
    fresh = len(one.secrets_at(door.house.now())) > 1
    return EndpointView(
        id=one.id,
        kind=one.kind,
        key=one.key,
        label=_label(door, one, channel),
        address=_shortened(one.address) if hides else one.address,
        has_secret=bool(one.secret),
        made=_made(one.kind, channel),
        replaced_at=one.replaced_at if fresh else None,
        options={key: str(value) for key, value in one.options.items() if key != "about"},
        about=tuple(one.options.get("about", ())),
        active=one.active,
        created_at=one.created_at,
    )


def _label(door: Door, one: Endpoint, channel: Channel | None) -> str:
    webhooks = door.bundle.app.webhooks
    outbound, inbound = webhooks.outbound.get(one.key), webhooks.inbound.get(one.key)
    if one.kind == "outbound" and outbound is not None:
        return outbound.label.text(door.language)
    if one.kind == "inbound" and inbound is not None:
        return inbound.label.text(door.language)
    return channel.label.text(door.language) if channel is not None and one.kind == "channel" else one.key


def _channel_sort(door: Door, channel: Channel) -> Sort:
    def word(label: Label | None) -> str:
        return label.text(door.language) if label is not None else ""

    return Sort(
        kind="channel",
        key=channel.key,
        label=word(channel.label),
        address=word(channel.address),
        example=channel.example,
        secret="" if channel.made else word(channel.secret),
        made=channel.made,
        options=channel.options,
    )


def _channel(door: Door, kind: str, key: str, *, strict: bool = True) -> Channel | None:
    """The channel that sends to an address; None for an inbound one."""
    if kind == "inbound":
        return None
    found = door.house.plugins.channels.get(WEBHOOK if kind == "outbound" else key)
    if found is None and strict:
        raise Refused([problem("endpoint.unknown_channel", "key", key=key[:LONGEST_KEY])])
    return found


def _made(kind: str, channel: Channel | None) -> bool:
    return kind == "inbound" or (channel is not None and channel.made)


def _kind(kind: str) -> Kind:
    for each in KINDS:
        if each == kind:
            return each
    raise Refused([problem("endpoint.unknown_kind", "kind", kind=kind[:LONGEST_KEY])])


def _wrong_key(kind: str, key: str) -> list[Problem]:
    _kind(kind)
    fits = key.isascii() and key.replace("_", "").isalnum() and key == key.lower() and len(key) <= LONGEST_KEY
    return [] if fits else [problem("endpoint.bad_key", "key", key=key[:LONGEST_KEY], most=LONGEST_KEY)]


def _wrong_place(door: Door, channel: Channel | None, place: Place) -> list[Problem]:
    if channel is None:
        return []
    if not place.address or len(place.address) > LONGEST or not place.address.isprintable():
        return [problem("endpoint.bad_address", "address")]
    problems = [
        problem("endpoint.fill_in", f"option_{option.key}", name=option.label)
        for option in channel.options
        if option.required and not place.options.get(option.key)
    ]
    if not problems:
        problems = [problem("endpoint.wrong", "address", say=said) for said in channel.check(place)]
    if not channel.personal and not problems:
        try:
            door.house.outside.check(place.address)
        except Undelivered as failure:
            problems.append(problem("endpoint.not_allowed", "address", reason=failure.reason))
    return problems


def _options(channel: Channel | None, entered: Entered) -> dict[str, Any]:
    known = {option.key for option in channel.options} if channel is not None else set()
    kept: dict[str, Any] = {key: value.strip()[:LONGEST] for key, value in entered.options.items() if key in known}
    return {**kept, "about": [each for each in ABOUT if each in entered.about]}


def _host(address: str) -> str:
    return urlsplit(address).netloc.lower() if "://" in address else address.partition(":")[0].lower()


def _shortened(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/…{address[-SHOWN_OF_ADDRESS:]}" if parts.netloc else "…"


def _found(door: Door, identity: int) -> Endpoint:
    with read(door.workspace.database) as connection:
        found = endpoints.by_id(connection, identity)
    if found is None:
        raise Refused([problem("endpoint.missing")], "missing")
    return found


def _write(door: Door, event: str, one: Endpoint, change: Any) -> None:
    def work(connection: Connection) -> None:
        change(connection)
        detail = {"kind": one.kind, "key": one.key}
        audit.note(connection, door.house.now(), door.actor.user, event, detail)

    in_transaction(door.workspace.database, work)
