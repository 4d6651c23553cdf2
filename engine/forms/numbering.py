"""单据编号: a pattern such as ``PO{biz_date:%Y%m%d}-{seq:4}`` becomes a counter name and, with its value, a number.

Only ``biz_date``, ``today`` and ``seq`` may stand between braces. The counter runs per pattern and per what the date
part prints, so a daily pattern starts at 1 every day. Numbers are given when a document is first saved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from engine.problems import Problem, problem

PART = re.compile(r"\{(biz_date|today|seq)(?::([^{}]{1,20}))?\}")
DATE_FORMAT = re.compile(r"^(%[Yymd]|[-./])+$")


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


def numbering(pattern: str, biz_date: date, today: date) -> Numbering:
    """Bind ``pattern`` (already checked) to dates."""
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


def pattern_problems(pattern: str) -> tuple[Problem, ...]:
    """What is wrong with a pattern: stray braces, an unknown part, a bad date format, not exactly one ``seq``."""
    found: list[Problem] = []
    parts = list(PART.finditer(pattern))
    rest = PART.sub("", pattern)
    if "{" in rest or "}" in rest:
        found.append(problem("numbering.unknown_part", text=rest))
    sequences = [part for part in parts if part[1] == "seq"]
    if len(sequences) != 1:
        found.append(problem("numbering.one_seq", count=len(sequences)))
    found.extend(
        problem("numbering.bad_width", text=part[0])
        for part in sequences
        if part[2] and not (part[2].isdigit() and 1 <= int(part[2]) <= 9)
    )
    found.extend(
        problem("numbering.bad_date", text=part[0])
        for part in parts
        if part[1] != "seq" and part[2] and not DATE_FORMAT.match(part[2])
    )
    return tuple(found)
