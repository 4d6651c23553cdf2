"""How goods of one product are told apart, as people write it: by status and by serial number."""

from __future__ import annotations

import re

GOOD = "ok"
BETWEEN_SERIALS = re.compile(r"[\s,，;；、]+")


def serials_in(text: str | None) -> tuple[str, ...]:
    """The serial numbers listed in ``text``, in order; separated by spaces, commas or line breaks."""
    return tuple(number for number in BETWEEN_SERIALS.split(text or "") if number)


def kept_status(status: str | None) -> str:
    """A status as balances are kept by: goods of no status are good, and the other way about."""
    return "" if status is None or status == GOOD else status
