"""What a move leads to: the next run, and what follows for tasks, timers, people and other documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from engine.definitions.workflow import ActionStep, SubflowStep
from engine.problems import Problem
from engine.workflow.move import MoveKind
from engine.workflow.state import Asked, Entry, Run, Seat, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A moment at which the run must be told: deadline ``number`` of the node (from 0), or the end of a wait (-1)."""

    token: int
    node: str
    number: int
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """抄送: these people are told at this node."""

    node: str
    to: tuple[Asked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """Those asked at a seat are reminded (``overdue``) or urged by the submitter (``urged``)."""

    seat: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """The outcome of a move. With ``problems`` nothing else has changed.

    Attributes:
        run: as it is now. entry: the line of the log; None when the move was refused, or came too late to change
            anything (a void timer, an event nobody waits for), which is no problem.
        opened: seats that are asked from now on. ended: seats that are no longer asked (their state says why).
        arrived: tokens that came to a node just now. timers: to be set.
        cancelled: tokens that left; timers of theirs are void.
        copied, reminded: whom to tell. actions: steps whose consequences follow. subflows: children to make.
        resolve: tokens whose people an external resolver must name.
        granted: agreements taken for granted just now.
    """

    run: Run
    entry: Entry | None = None
    opened: tuple[Seat, ...] = ()
    ended: tuple[Seat, ...] = ()
    arrived: tuple[Token, ...] = ()
    cancelled: tuple[int, ...] = ()
    timers: tuple[Timer, ...] = ()
    copied: tuple[Copied, ...] = ()
    reminded: tuple[Reminded, ...] = ()
    actions: tuple[ActionStep, ...] = ()
    subflows: tuple[tuple[int, SubflowStep], ...] = ()
    resolve: tuple[int, ...] = ()
    granted: tuple[Seat, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at a run: the person, the roles held, whether they may administer runs, and when they look."""

    user: int
    roles: frozenset[str] = frozenset()
    admin: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One move a person may make, or why not.

    Attributes:
        kind, seat: the move and the seat it would use (0 for moves about the run). token: the place, for 改派.
        refused: why it is not available; None when it is.
        nodes: nodes it may name, by key (退回, 重新激活). straight: those of them from which it may come straight back
            (直接回到我这里). back: whether the person chooses that; without, the node's definition has chosen.
        users: people it may name, when not everybody (减签).
        places: of 加签. comment: ``optional``, ``required`` or ``signature``.
        chosen: for 提交 and 同意: nodes whose people this person must pick, with the role they must hold ("" for any)
            and how many at most.
    """

    kind: MoveKind
    seat: int = 0
    refused: Problem | None = None
    token: int = 0
    nodes: tuple[str, ...] = ()
    straight: tuple[str, ...] = ()
    back: bool = False
    users: tuple[int, ...] = ()
    places: tuple[str, ...] = ()
    comment: str = "optional"
    chosen: Mapping[str, tuple[str, int]] = field(default_factory=lambda: MappingProxyType({}))
