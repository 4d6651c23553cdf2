"""账龄: how long open amounts have been due, or have existed."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias

Basis: TypeAlias = Literal["due", "day"]
BUCKETS = ("not_due", "d30", "d60", "d90", "over")
LIMITS = (0, 30, 60, 90)


def bucket(since: date, today: date) -> str:
    """``not_due``, then 1–30, 31–60, 61–90 and more than 90 days past ``since`` (K08)."""
    age = (today - since).days
    return next((name for name, limit in zip(BUCKETS, LIMITS, strict=False) if age <= limit), BUCKETS[-1])
