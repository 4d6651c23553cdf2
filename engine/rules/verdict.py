"""What a rule decided, as data: for the transaction, for the outbox, for the log and for whoever tries it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias

from engine.effects import Effect
from engine.expressions import Path
from engine.problems import Problem
from engine.rules.facts import plain, told

# The words of ``sys_rule_run.verdict``. ``warned`` fired too, but waits for a confirmation.
RuleOutcome: TypeAlias = Literal["fired", "quiet", "silent", "rejected", "warned", "failed", "cut"]


def _nothing() -> Mapping[str, object]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A sentence to confirm; with ``reason`` the person must say why as well."""

    problem: Problem
    reason: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetField:
    """A value a rule sets on its own record, in the same transaction.

    Attributes:
        path: ``price`` or ``lines.price``. line: position of the line from 0; -1 for the header.
        value: as documents hold it.
    """

    path: str
    value: object
    line: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationDue:
    """A step of ``escalate``: when the rule's to-do under ``key`` is still open at ``due_at``, it follows."""

    number: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule decided on one record.

    Attributes:
        key: what marks are kept under (``product:7``, or what the rule's ``key`` says).
        outcome: ``quiet`` its condition does not hold; ``silent`` it holds, but its alert is open or it cools down;
            ``failed`` it could not be judged, ``cut`` the chain was too long (``error`` says why); else it fired.
        fired: it fired, whatever came of it.
        opens, closes: whether the alert under ``key`` begins or has recovered.
        remember: the moment of firing is to be kept under ``key``, for ``cooldown``.
        problems: rejections; any of them undoes the transaction. warnings: to be confirmed. sets: to be written.
        effects: for the outbox. escalations: for the clock.
        names, reads, inputs: what it was judged on, which of it its condition and table read, and the inputs of the
            table. results: of the table. error: why it failed.
    """

    rule: str
    key: str = ""
    outcome: RuleOutcome = "quiet"
    fired: bool = False
    opens: bool = False
    closes: bool = False
    remember: bool = False
    effects: tuple[Effect, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Warned, ...] = ()
    sets: tuple[SetField, ...] = ()
    escalations: tuple[EscalationDue, ...] = ()
    names: Mapping[str, object] = field(default_factory=_nothing)
    reads: tuple[Path, ...] = ()
    inputs: Mapping[str, object] = field(default_factory=_nothing)
    results: tuple[Mapping[str, object], ...] = ()
    error: Problem | None = None
    chain: tuple[str, ...] = ()
    trigger: str = ""

    @property
    def facts(self) -> Mapping[str, object]:
        """Values its condition and table read, as JSON can say them. Most verdicts are quiet and nobody asks."""
        return {**told(self.names, self.reads), **{name: plain(value) for name, value in self.inputs.items()}}


def refusals(verdicts: Iterable[Verdict], *, confirmed: bool, reason: str) -> Iterator[Problem]:
    """What stands in the way of a submission: every rejection; every warning that was not confirmed; a missing reason.

    Warnings keep their severity, so that a page can tell what a confirmation settles from what it does not.
    """
    for verdict in verdicts:
        yield from verdict.problems
        for warned in verdict.warnings:
            if not confirmed or (warned.reason and not reason.strip()):
                yield warned.problem
