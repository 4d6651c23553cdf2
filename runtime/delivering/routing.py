"""Which messages leave the house because of one notification: pure, from who gets it and what they have chosen.

The author's ``channels`` take precedence over everybody's choice; without them each person's choice decides, and where
nothing was chosen the kinds the administrator ticked for the channel. A channel that reaches persons sends one message
each, at the time the person allows. A group gets one message, at once, which calls those who are not left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.effects import Notify
from engine.labels import Label, Language
from runtime.delivering.choices import DIGEST, NOW, OFF, Choices
from runtime.hookspecs import Channel

NAMES_MOST = 20
JOINT = Label("、", ", ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person who is told, and what they have chosen."""

    user: int
    name: str
    language: Language
    choices: Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A channel that is set up. ``about``: kinds that go over it where a person has chosen nothing."""

    channel: Channel
    about: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be queued: over which channel, to whom, in which words, when."""

    channel: str
    address: str
    user: int
    person: str
    mentions: tuple[str, ...]
    language: Language
    due: datetime
    digest: bool


def routed(
    effect: Notify, recipients: Sequence[Recipient], ways: Mapping[str, Way], now: datetime, language: Language
) -> tuple[Draft, ...]:
    """The messages ``effect`` makes; ``language``: that of groups."""
    wanted = effect.channels or tuple(ways)
    drafts: list[Draft] = []
    for key in dict.fromkeys(wanted):
        way = ways.get(key)
        if way is None:
            continue
        modes = {each.user: _mode(effect, each, way) for each in recipients}
        reached = [each for each in recipients if modes[each.user] != OFF]
        if way.channel.personal:
            drafts += _one_each(way.channel, reached, modes, now)
        elif reached:
            drafts.append(_to_group(way.channel, reached, now, language))
    return tuple(drafts)


def _mode(effect: Notify, recipient: Recipient, way: Way) -> str:
    if effect.channels:
        return NOW
    chosen = recipient.choices.mode(effect.about, way.channel.key)
    return chosen if chosen is not None else NOW if effect.about in way.about else OFF


def _one_each(
    channel: Channel, reached: Iterable[Recipient], modes: Mapping[int, str], now: datetime
) -> Iterable[Draft]:
    for each in reached:
        address = each.choices.reached_by(channel.reached_by)
        if address:
            mode = modes[each.user]
            yield Draft(
                channel=channel.key,
                address=address,
                user=each.user,
                person=each.name,
                mentions=(),
                language=each.language,
                due=each.choices.due(now, mode),
                digest=mode == DIGEST,
            )


def _to_group(channel: Channel, reached: Sequence[Recipient], now: datetime, language: Language) -> Draft:
    called = [each.choices.mobile for each in reached if not each.choices.is_quiet(now)]
    names = [each.name for each in reached]
    more = [f"+{len(names) - NAMES_MOST}"] if len(names) > NAMES_MOST else []
    return Draft(
        channel=channel.key,
        address=channel.key,
        user=0,
        person=JOINT.text(language).join(names[:NAMES_MOST] + more),
        mentions=tuple(dict.fromkeys(filter(None, called))),
        language=language,
        due=now,
        digest=False,
    )
