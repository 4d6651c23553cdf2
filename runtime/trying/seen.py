"""What a try has found, as plain data for a page, the API or a terminal: steps, conditions, values, effects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from engine.expressions import Path
from engine.expressions.tree import Step as TracedStep
from engine.labels import Label
from engine.problems import Problem

StepKind: TypeAlias = Literal[
    "submit", "condition", "asked", "granted", "copied", "action", "wait", "subflow", "names", "stuck", "end", "stop"
]
DEEPEST = 6
MOST_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLine:
    """One part of an expression and its value, ``depth`` steps inside the whole."""

    depth: int
    source: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition that was looked at.

    Attributes:
        label: of the arm it leads to. source: empty for an arm without condition. holds: None where it has no value,
            and ``failed`` says why. paths: what it reads.
    """

    source: str
    holds: bool | None
    label: Label | None = None
    trace: tuple[TraceLine, ...] = ()
    failed: Problem | None = None
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody asked or told: a user, or whoever holds ``role``; ``behalf``: whose say it is, the user's too."""

    user: int | None = None
    role: str = ""
    behalf: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """Something that would follow: the kind of an effect (or ``set``), what it is about, and for whom.

    ``paths``: everything its rule reads, so that what a person may not see is not told either.
    """

    kind: str
    what: Label
    people: tuple[Person, ...] = ()
    paths: frozenset[Path] = frozenset()
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStep:
    """One step of a try, in order. ``why``: of a place that is stuck, or the reason the try ends there."""

    kind: StepKind
    node: str = ""
    label: Label | None = None
    people: tuple[Person, ...] = ()
    conditions: tuple[Condition, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    note: str = ""
    why: Problem | None = None


def trace_lines(steps: Iterable[TracedStep], depth: int = 0) -> Iterator[TraceLine]:
    """The parts of a trace from the whole to its parts, not endlessly deep."""
    for step in steps:
        yield TraceLine(depth=depth, source=step.source, value=step.value)
        if depth < DEEPEST:
            yield from trace_lines(step.steps, depth + 1)
