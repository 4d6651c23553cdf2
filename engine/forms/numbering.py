"""单据编号: a pattern such as ``PO{biz_date:%Y%m%d}-{seq:4}`` becomes a counter name and, with its value, a number.

Only ``biz_date``, ``today`` and ``seq`` may stand between braces. The counter runs per pattern and per what the date
part prints, so a daily pattern starts at 1 every day. Numbers are given when a document is first saved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

PART = re.compile(r"\{(biz_date|today|seq)(?::([^{}]{1,20}))?\}")


@dataclass(frozen=True, slots=True)
class Numbering:
    """A pattern bound to a date: ``prefix`` + sequence of ``width`` digits + ``suffix``; the counter is the rest."""

    prefix: str
    width: int
    suffix: str

    @property
    def period(self) -> str:
        """What distinguishes this counter from the pattern's others."""
        return f"{self.prefix}#{self.suffix}"

    def number(self, sequence: int) -> str:
        """The document number with ``sequence``; more digits than the width are kept."""
        return f"{self.prefix}{sequence:0{self.width}d}{self.suffix}"


@lru_cache(maxsize=256)
def numbering(pattern: str, biz_date: date, today: date) -> Numbering:
    """Bind ``pattern`` (already checked) to dates: the same for all documents of a day."""
    dates = {"biz_date": biz_date, "today": today}
    width = 4

    def printed(match: re.Match[str]) -> str:
        nonlocal width
        if match[1] == "seq":
            width = int(match[2] or 4)
            return "\0"
        return dates[match[1]].strftime(match[2] or "%Y%m%d")

    prefix, _, suffix = PART.sub(printed, pattern).partition("\0")
    return Numbering(prefix, width, suffix)
