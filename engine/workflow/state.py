"""A run of a workflow as plain data: where it stands, who is asked, what has been passed.

The definition is a tree, so where a run stands is a set of positions in that tree. A ``Token`` stands at one step; a
``Join`` remembers which arms of a parallel or inclusive step have been started and have ended; a ``Seat`` is the say of
one person (or of a pool of people holding a role) at a node. Everything a run needs later is in it; the log beside it
(``Entry``) is enough to build it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from engine.problems import Problem
from engine.workflow.move import Move

FORMAT = 2  # of the stored form; 1 was a single position without seats
Path: TypeAlias = tuple[int, ...]  # step, arm, step, arm, … step: a position in the tree


class RunStatus(StrEnum):
    """Where a run stands as a whole. ``rejected``: sent back to the initiator; the document may be submitted again."""

    RUNNING = "running"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


class TokenState(StrEnum):
    """What a token waits for: ``people`` at an approving or filling node, a ``time``, an ``event``, ``children`` of a
    sub-flow, ``names`` from an external resolver, or nothing that will come by itself (``stuck``: an administrator)."""

    PEOPLE = "people"
    TIME = "time"
    EVENT = "event"
    CHILDREN = "children"
    NAMES = "names"
    STUCK = "stuck"


class SeatState(StrEnum):
    """``open``: asked now. ``queued``: will be asked later (依次, or behind an added signer). The rest has ended:
    ``agreed``, ``rejected``, ``moved`` (handed to another seat), ``closed`` (decided without it)."""

    OPEN = "open"
    QUEUED = "queued"
    AGREED = "agreed"
    REJECTED = "rejected"
    MOVED = "moved"
    CLOSED = "closed"


class SeatKind(StrEnum):
    """Why somebody is asked: by the node itself, 前加签, 后加签, 并加签, 委派 (then back to its parent), 升级."""

    MAIN = "main"
    BEFORE = "before"
    AFTER = "after"
    BESIDE = "beside"
    DELEGATED = "delegated"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One say at a node.

    Attributes:
        id, token: its number in the run, and the token it belongs to.
        user, role: who is asked: one user, or whoever holds the role first claims or decides (``user`` None).
        parent: the seat it was added by or returns to; 0 for those of the node itself.
        instead: the seat it took over from (转办, 改派), whose place in the order it has; 0 otherwise.
        behalf: the absent person this user stands in for (委托); None otherwise.
        also: further absent people the user stands in for at the same node; one decision speaks for all of them.
        weight: of its vote. veto: rejecting decides alone (一票否决). decided_at: when it ended.
        granted: agreed without being asked: the submitter's own node, or agreed earlier (审批去重).
    """

    id: int
    token: int
    user: int | None = None
    role: str = ""
    state: SeatState = SeatState.OPEN
    kind: SeatKind = SeatKind.MAIN
    parent: int = 0
    behalf: int | None = None
    weight: int = 1
    decided_at: datetime | None = None
    also: tuple[int, ...] = ()
    veto: bool = False
    instead: int = 0
    granted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A moment a token has set: deadline ``number`` of its node (from 0), or the end of a wait (-1)."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A document a sub-flow has made, and how its approval ended; ``""`` while it has not."""

    id: int
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One place where the run stands.

    Attributes:
        node: key of the step. arrived: when it came there.
        back: where it goes on after this node, when it was sent back with 直接回到我这里; None walks on as written.
        reason: why it is stuck.
        due: moments that are still to come; one that is not among them is void.
        children, made: of a sub-flow: its documents, and whether all of them have been made.
    """

    id: int
    path: Path
    node: str
    state: TokenState
    arrived: datetime
    back: Path | None = None
    reason: Problem | None = None
    due: tuple[Due, ...] = ()
    children: tuple[Child, ...] = ()
    made: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A parallel or inclusive step being walked: the arms that were started, and those that have ended."""

    path: Path
    started: tuple[int, ...]
    ended: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A node that was left in this round, and who agreed there (for returns and for 审批去重).

    ``seats``: those that were asked; none where everybody's agreement was taken for granted.
    """

    path: Path
    node: str
    users: tuple[int, ...] = ()
    seats: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run over one document.

    Attributes:
        workflow, snapshot: the definition it is pinned to, whatever is published later.
        starter: the submitter.
        chosen: people picked for nodes (自选), by node key.
        next_id: number of the next token or seat; numbers are never used twice in a run.
        round: counts submissions, 1 for the first; ``passed`` belongs to the present one.
        acted: whether anybody has decided in this round. final: rejected for good, see ``ApproveStep.reject``.
        urged_at: when the submitter urged last. entries: number of the last entry of its log.
        last: the decision that may be taken back.
    """

    workflow: str
    snapshot: str
    starter: int
    status: RunStatus = RunStatus.RUNNING
    tokens: tuple[Token, ...] = ()
    seats: tuple[Seat, ...] = ()
    joins: tuple[Join, ...] = ()
    passed: tuple[Passed, ...] = ()
    chosen: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    next_id: int = 1
    round: int = 1
    acted: bool = False
    final: bool = False
    urged_at: datetime | None = None
    entries: int = 0
    last: Last | None = None

    def open_seats(self) -> tuple[Seat, ...]:
        """Those who are asked now."""
        return tuple(seat for seat in self.seats if seat.state is SeatState.OPEN)

    def token(self, number: int) -> Token | None:
        """The token with this number, while the run stands there."""
        return next((token for token in self.tokens if token.id == number), None)

    def seat(self, number: int) -> Seat | None:
        """The seat with this number."""
        return next((seat for seat in self.seats if seat.id == number), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The decision somebody may take back (拿回): whose, at which seat, and the run as it stood before."""

    user: int
    seat: int
    before: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found out about the world while walking: enough to walk the same way again.

    Attributes:
        arms: per branching step (its path as text, "1.0.2"), the arms whose condition held.
        persons: per node, whom its definition meant then. moments: per node, the moment its wait ends or its
            deadlines fall due, in the order they are written. ``node#0`` is the ``to`` or the repetition of deadline 0,
            ``node>11,12`` people who were named there;
            the persons under "" are the administrators.
        holders: users that were seen to hold a role. failed: questions without an answer, by what was asked.
        run: after a migration, the run as it then stood; the log before it belongs to another definition.
    """

    arms: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    persons: Mapping[str, tuple[Asked, ...]] = field(default_factory=lambda: MappingProxyType({}))
    moments: Mapping[str, tuple[datetime, ...]] = field(default_factory=lambda: MappingProxyType({}))
    holders: tuple[tuple[int, str], ...] = ()
    failed: Mapping[str, Problem] = field(default_factory=lambda: MappingProxyType({}))
    run: Run | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One of those a node means: a user (perhaps standing in for ``behalf``), or everybody holding ``role``.

    Attributes:
        also: further absent people the user stands in for; they decide once for all of them.
        weight: of their vote; that of somebody who speaks for several is the sum.
        veto: whether rejecting decides alone (一票否决).
    """

    user: int | None = None
    role: str = ""
    behalf: int | None = None
    weight: int = 1
    also: tuple[int, ...] = ()
    veto: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log of a run: what was done, and what was found on the way. ``number`` counts from 1."""

    number: int
    move: Move
    found: Found
