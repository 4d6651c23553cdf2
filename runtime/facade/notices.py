"""消息通知: what a person wants to be told of, over which channel, and when not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.problems import Refused
from runtime.delivering.choices import ABOUT as ABOUT
from runtime.delivering.choices import (
    DIGEST,
    KEY,
    MODES,
    NOW,
    OFF,
    Choices,
    choices_entered,
    choices_from_json,
    choices_json,
)
from runtime.facade.door import Door
from runtime.storage import endpoints, preferences
from runtime.storage.database import in_transaction, read


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeChannel:
    """A channel of the company. ``modes``: what may be chosen; ``reached_by``: ``email`` or ``mobile``."""

    key: str
    label: str
    personal: bool
    reached_by: str
    modes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSettings:
    """What a person has chosen, with what holds where nothing was chosen.

    Attributes:
        modes: kind of message → channel → ``off``, ``now`` or ``digest``.
        quiet_from, quiet_until, digest_at: times of day, ``HH:MM``, empty for none.
    """

    kinds: tuple[str, ...]
    channels: tuple[NoticeChannel, ...]
    modes: Mapping[str, Mapping[str, str]]
    quiet_from: str
    quiet_until: str
    digest_at: str
    email: str
    mobile: str


def notice_settings(door: Door) -> NoticeSettings:
    """The person's choices."""
    known = door.house.plugins.channels
    with read(door.workspace.database) as connection:
        choices = choices_from_json(preferences.get(connection, door.actor.user, KEY))
        places = [each for each in endpoints.every(connection, "channel") if each.active and each.key in known]
    channels = tuple(
        NoticeChannel(
            key=each.key,
            label=known[each.key].label.text(door.language),
            personal=known[each.key].personal,
            reached_by=known[each.key].reached_by,
            modes=MODES if known[each.key].personal else (OFF, NOW),
        )
        for each in places
    )
    about = {each.key: frozenset(each.options.get("about", ())) for each in places}
    modes = {
        kind: {one.key: choices.mode(kind, one.key) or (NOW if kind in about[one.key] else OFF) for one in channels}
        for kind in ABOUT
    }
    kept = choices_json(choices)
    quiet = kept["quiet"] or ["", ""]
    return NoticeSettings(
        kinds=ABOUT,
        channels=channels,
        modes=modes,
        quiet_from=quiet[0],
        quiet_until=quiet[1],
        digest_at=kept["digest_at"],
        email=choices.email,
        mobile=choices.mobile,
    )


def save_notice_settings(
    door: Door,
    modes: Mapping[str, Mapping[str, str]],
    *,
    quiet_from: str = "",
    quiet_until: str = "",
    digest_at: str = "",
    email: str = "",
    mobile: str = "",
) -> None:
    """Keep the person's choices; a channel that is not set up keeps what was chosen for it before.

    Raises:
        Refused: every entry that cannot be understood.
    """
    allowed = {one.key: one.modes for one in notice_settings(door).channels}
    with read(door.workspace.database) as connection:
        before = choices_from_json(preferences.get(connection, door.actor.user, KEY))
    merged = {
        kind: {
            **before.modes.get(kind, {}),
            **{
                key: mode
                for key, mode in modes.get(kind, {}).items()
                if key in allowed and mode in allowed[key] and mode in (OFF, NOW, DIGEST)
            },
        }
        for kind in ABOUT
    }
    made = choices_entered(merged, quiet_from, quiet_until, digest_at, email.strip(), mobile.strip())
    if not isinstance(made, Choices):
        raise Refused(made)
    kept = choices_json(made)
    in_transaction(door.workspace.database, lambda connection: preferences.save(connection, door.actor.user, KEY, kept))
