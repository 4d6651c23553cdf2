"""What a person has chosen: which kinds of message reach them over which channel, and when they want to be left alone.

Nothing chosen means what the administrator set for the channel. The message centre always gets everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from engine.problems import Problem, problem

KEY = "notices"
ABOUT = ("task", "urged", "overdue", "copied", "result", "rule", "system")
OFF, NOW, DIGEST = "off", "now", "digest"
MODES = (OFF, NOW, DIGEST)
EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,250}[A-Za-z0-9])?")
MOBILE = re.compile(r"\+?[0-9]{5,15}")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
DIGEST_AT = time(8, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """One person's choices.

    Attributes:
        modes: kind of message → channel → ``off``, ``now`` or ``digest``; what is missing was not chosen.
        quiet: from and until which time of day nothing is sent; None for never.
        digest_at: when digests are sent.
        email, mobile: how channels reach the person; empty: not at all.
    """

    modes: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    quiet: tuple[time, time] | None = None
    digest_at: time = DIGEST_AT
    email: str = ""
    mobile: str = ""

    def mode(self, about: str, channel: str) -> str | None:
        """What was chosen for this kind over this channel."""
        return self.modes.get(about, {}).get(channel)

    def reached_by(self, what: str) -> str:
        """The person's address for a channel that needs ``what``."""
        return self.email if what == "email" else self.mobile

    def is_quiet(self, now: datetime) -> bool:
        """Whether the person wants to be left alone just now."""
        if self.quiet is None:
            return False
        start, end = self.quiet
        at = now.time()
        return start <= at < end if start < end else at >= start or at < end

    def due(self, now: datetime, mode: str) -> datetime:
        """When a message decided now is sent: at once or with the next digest, and not in the quiet hours."""
        at = _next(now, self.digest_at) if mode == DIGEST else now
        return _next(at, self.quiet[1]) if self.quiet is not None and self.is_quiet(at) else at


NOTHING_CHOSEN = Choices()


def choices_json(given: Choices) -> Mapping[str, Any]:
    """The form kept among a person's preferences."""
    return {
        "modes": {about: dict(channels) for about, channels in given.modes.items()},
        "quiet": [_text(each) for each in given.quiet] if given.quiet is not None else [],
        "digest_at": _text(given.digest_at),
        "email": given.email,
        "mobile": given.mobile,
    }


def choices_from_json(kept: Any) -> Choices:
    """Inverse of `choices_json`; anything unreadable counts as not chosen."""
    if not isinstance(kept, Mapping):
        return NOTHING_CHOSEN
    quiet = tuple(filter(None, map(_time, kept.get("quiet") or ())))
    return Choices(
        modes=MappingProxyType(dict(kept.get("modes") or {})),
        quiet=(quiet[0], quiet[1]) if len(quiet) == 2 else None,
        digest_at=_time(kept.get("digest_at")) or DIGEST_AT,
        email=str(kept.get("email") or ""),
        mobile=str(kept.get("mobile") or ""),
    )


def choices_entered(
    modes: Mapping[str, Mapping[str, str]], quiet_from: str, quiet_until: str, digest_at: str, email: str, mobile: str
) -> Choices | tuple[Problem, ...]:
    """What somebody entered as texts, or everything that is wrong with it. Equal ends of the quiet hours: none."""
    problems: list[Problem] = []
    if email and not EMAIL.fullmatch(email):
        problems.append(problem("notice.bad_email", "email", value=email[:100]))
    if mobile and not MOBILE.fullmatch(mobile):
        problems.append(problem("notice.bad_mobile", "mobile", value=mobile[:100]))
    clock = {"quiet_from": quiet_from, "quiet_until": quiet_until, "digest_at": digest_at}
    times = {name: _time(text) for name, text in clock.items()}
    problems += [
        problem("notice.bad_time", name, value=text[:20]) for name, text in clock.items() if text and not times[name]
    ]
    if bool(quiet_from) != bool(quiet_until):
        problems.append(problem("notice.half_quiet", "quiet_until" if quiet_from else "quiet_from"))
    if problems:
        return tuple(problems)
    start, end = times["quiet_from"], times["quiet_until"]
    return Choices(
        modes=MappingProxyType({about: dict(each) for about, each in modes.items() if about in ABOUT}),
        quiet=(start, end) if start is not None and end is not None and start != end else None,
        digest_at=times["digest_at"] or DIGEST_AT,
        email=email,
        mobile=mobile,
    )


def _next(now: datetime, at: time) -> datetime:
    """The next moment the clock shows ``at``, not ``now`` itself."""
    today = datetime.combine(now.date(), at)
    return today if today > now else today + timedelta(days=1)


def _text(at: time) -> str:
    return f"{at:%H:%M}"


def _time(text: object) -> time | None:
    found = CLOCK.fullmatch(text) if isinstance(text, str) else None
    return time(int(found[1]), int(found[2])) if found else None
