"""What a rule remembers of a record between two judgements: its open alert, and when it fired last.

Both are kept under (rule, key). The key is the record, or what the rule's ``key`` says instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.definitions.rule import RuleDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is remembered under one key.

    Attributes:
        open: the alert of a rule with ``once`` is open. fired_at: when it fired last; None never.
    """

    open: bool = False
    fired_at: datetime | None = None


NO_MARKS = Marks()


def opens(rule: RuleDef, marks: Marks, *, true: bool) -> bool:
    """Whether an alert begins: the condition became true and none is open."""
    return rule.once and true and not marks.open


def recovers(rule: RuleDef, marks: Marks, *, true: bool) -> bool:
    """Whether the alert ends: the condition holds no more."""
    return rule.once and marks.open and not true


def silent(rule: RuleDef, marks: Marks, now: datetime) -> bool:
    """Whether the rule keeps quiet although its condition holds: its alert is open, or it fired not long ago."""
    if rule.once and marks.open:
        return True
    if rule.cooldown is None or marks.fired_at is None:
        return False
    return now < marks.fired_at + timedelta(hours=rule.cooldown)


def once_key(rule: RuleDef, key: str) -> str:
    """The key of the to-do that belongs to an alert; empty for rules without one."""
    return f"{rule.rule}:{key}" if rule.once else ""
