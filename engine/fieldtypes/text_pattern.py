"""Regular expressions an author may write for a text field: a small, bounded part of the language.

Python's engine backtracks, so a careless pattern can hold a server for hours. Only literals, classes, groups,
alternatives and quantifiers are allowed, and the number of ways a text of 200 characters can be matched is counted
beforehand: above ``WAYS`` the pattern is refused. Look-around, back references, flags and named groups are not offered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

LONGEST_PATTERN = 200
LONGEST_TEXT = 200
WAYS = 8_000_000
ESCAPES = frozenset("dDwWsS.\\+*?()[]{}|^$-/")
COUNT = re.compile(r"\{(\d{1,3})(,(\d{0,3}))?\}")

Fault: TypeAlias = Literal["definition.pattern_too_long", "definition.pattern_unsafe", "definition.pattern_invalid"]


class Unsafe(Exception):
    """The pattern uses something that is not offered, is not well formed, or may take too long."""


def fault(pattern: str) -> Fault | None:
    """Why ``pattern`` may not be used, as the code of the problem; None when it may."""
    if len(pattern) > LONGEST_PATTERN:
        return "definition.pattern_too_long"
    try:
        reader = _Reader(pattern)
        ways = reader.alternatives()
        if reader.at < len(pattern) or ways > WAYS:
            return "definition.pattern_unsafe"
        re.compile(pattern)
    except Unsafe:
        return "definition.pattern_unsafe"
    except (re.error, OverflowError, RecursionError):
        return "definition.pattern_invalid"
    return None


def matches(pattern: str, text: str) -> bool:
    """Whether the whole ``text`` matches. Only for patterns without ``fault``; longer texts than 200 never match."""
    return len(text) <= LONGEST_TEXT and re.fullmatch(pattern, text) is not None


@dataclass(slots=True)
class _Reader:
    """Walks a pattern once, multiplying the choices a backtracking engine would have."""

    pattern: str
    at: int = 0
    depth: int = 0

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def alternatives(self) -> int:
        ways = self.sequence()
        while self.peek() == "|":
            self.at += 1
            ways += self.sequence()
        return ways

    def sequence(self) -> int:
        ways = 1
        while self.peek() not in ("", "|", ")"):
            one, repeatable = self.atom()
            ways = min(ways * self.quantified(one, repeatable), WAYS + 1)
        return ways

    def atom(self) -> tuple[int, bool]:
        character = self.peek()
        self.at += 1
        if character == "(":
            return self.group(), True
        if character == "[":
            self.character_class()
        elif character == "\\":
            if self.peek() not in ESCAPES:
                raise Unsafe
            self.at += 1
        elif character in ("^", "$"):
            return 1, False
        elif character in ("*", "+", "?", "{", "}", "]"):
            raise Unsafe
        return 1, True

    def group(self) -> int:
        if self.peek() == "?":
            if not self.pattern.startswith("?:", self.at):
                raise Unsafe
            self.at += 2
        self.depth += 1
        if self.depth > 10:
            raise Unsafe
        ways = self.alternatives()
        self.depth -= 1
        if self.peek() != ")":
            raise Unsafe
        self.at += 1
        return ways

    def character_class(self) -> None:
        if self.peek() == "^":
            self.at += 1
        start = self.at
        while self.peek() != "]":
            if not self.peek() or self.peek() == "[":
                raise Unsafe
            if self.peek() == "\\":
                self.at += 1
                if self.peek() not in ESCAPES:
                    raise Unsafe
            self.at += 1
        if self.at == start:
            raise Unsafe
        self.at += 1

    def quantified(self, one: int, repeatable: bool) -> int:
        least, most = self.count()
        if (least, most) == (1, 1):
            return one
        if not repeatable:
            raise Unsafe
        if self.peek() == "?":  # lazy: the same choices in another order
            self.at += 1
        if self.peek() and self.peek() in "*+?{":
            raise Unsafe
        if most > 1 and one > 1:  # a repeated choice multiplies with itself
            return min(int(one ** min(most, 24)) * (most - least + 1), WAYS + 1)
        return one * (most - least + 1)

    def count(self) -> tuple[int, int]:
        character = self.peek()
        if character and character in "*+?":
            self.at += 1
            return {"*": (0, LONGEST_TEXT), "+": (1, LONGEST_TEXT), "?": (0, 1)}[character]
        if character == "{":
            match = COUNT.match(self.pattern, self.at)
            if match is None:
                raise Unsafe
            self.at = match.end()
            least = int(match[1])
            most = least if match[2] is None else int(match[3] or LONGEST_TEXT)
            if not least <= most <= LONGEST_TEXT:
                raise Unsafe
            return least, most
        return 1, 1
