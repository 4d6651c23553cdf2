"""Whether a node is decided: the says of those asked → agreed, rejected or still open. 或签, 会签, 依次, 票决.

A vote ends as soon as its outcome is certain, whatever those who have not decided would say.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from engine.definitions.workflow import ApproveStep, FillStep, Vote
from engine.workflow.state import Seat, SeatState

UNDECIDED = (SeatState.OPEN, SeatState.QUEUED)
COUNTED = (*UNDECIDED, SeatState.AGREED, SeatState.REJECTED)


class Outcome(StrEnum):
    """What a node has come to."""

    AGREED = "agreed"
    REJECTED = "rejected"
    OPEN = "open"


def decided(step: ApproveStep | FillStep, seats: Iterable[Seat]) -> Outcome:
    """The outcome at a node.

    Args:
        seats: those whose say counts. Seats that were handed over or closed are passed over. One that is left over
            decides alone, whatever the mode; without any the node stays open.
    """
    votes = [seat for seat in seats if seat.state in COUNTED]
    agreed = [seat for seat in votes if seat.state is SeatState.AGREED]
    rejected = [seat for seat in votes if seat.state is SeatState.REJECTED]
    if not votes:
        return Outcome.OPEN
    if any(seat.veto for seat in rejected):
        return Outcome.REJECTED
    if len(votes) == 1 or step.mode == "any":
        return _first(agreed, rejected)
    if isinstance(step, ApproveStep) and step.mode == "vote" and step.vote is not None:
        return _counted(step.vote, votes, agreed, rejected)
    if rejected:
        return Outcome.REJECTED
    return Outcome.AGREED if len(agreed) == len(votes) else Outcome.OPEN


def _first(agreed: list[Seat], rejected: list[Seat]) -> Outcome:
    """Whoever decides first decides."""
    if rejected:
        return Outcome.REJECTED
    return Outcome.AGREED if agreed else Outcome.OPEN


def _counted(vote: Vote, votes: list[Seat], agreed: list[Seat], rejected: list[Seat]) -> Outcome:
    weighed = vote.weight is not None
    total, yes, no = (sum(seat.weight if weighed else 1 for seat in some) for some in (votes, agreed, rejected))
    needed = _needed(vote, total)
    if yes >= needed:
        return Outcome.AGREED
    return Outcome.REJECTED if total - no < needed else Outcome.OPEN


def _needed(vote: Vote, total: int) -> int:
    """Agreements, or weight, needed. A list that has shrunk below that needs all that is left of it."""
    if vote.percent is not None:
        return -(-total * vote.percent // 100)
    wanted = vote.weight if vote.weight is not None else vote.count
    return min(wanted if wanted is not None else total, total)
