"""What the seats of a node amount to: who is asked next, and whether the node is agreed, rejected or still open.

The seats of a node form trees. A seat of the node itself is the root of a *say*; whoever it added (加签) belongs to it,
and its say counts only when all of them have agreed. The mode of the node then looks at the says, not at the seats.
Everything here is defined in docs/workflow.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from engine.definitions.workflow import ApproveStep, FillStep, Vote
from engine.workflow.course import LIVE, Course
from engine.workflow.state import Seat, SeatKind, SeatState, Token

Verdict: TypeAlias = Literal["agreed", "rejected", "open"]
AHEAD = (SeatKind.BEFORE, SeatKind.DELEGATED)  # what its parent waits for
ADDED = (SeatKind.BEFORE, SeatKind.AFTER, SeatKind.BESIDE)


def children(course: Course, seat: Seat) -> list[Seat]:
    """Those added at the seat; whoever was removed again (closed) or handed over (moved) does not count."""
    added = (each for each in course.at_token(seat.token) if each.parent == seat.id)
    return [each for each in added if _counts(course, each)]


def say(course: Course, seat: Seat) -> Verdict:
    """What the seat and everybody it added say together."""
    added = [say(course, each) for each in children(course, seat) if each.kind in ADDED]
    if seat.state is SeatState.REJECTED or "rejected" in added:
        return "rejected"
    return "agreed" if seat.state is SeatState.AGREED and all(each == "agreed" for each in added) else "open"


def roots(course: Course, token: int) -> list[Seat]:
    """The seats of the node itself, in their order; a seat taken over keeps its place."""
    found = [seat for seat in course.at_token(token) if seat.parent == 0 and _counts(course, seat)]
    return sorted(found, key=lambda seat: _first(course, seat))


def settle(course: Course, token: Token, step: ApproveStep | FillStep) -> None:
    """Ask whoever is next, and stop asking whoever no longer matters, until nothing changes."""
    changed = True
    while changed:
        changed = False
        for seat in course.at_token(token.id):
            if seat.state in LIVE and _beaten(course, seat):
                course.end_seat(seat.id, SeatState.CLOSED)
                changed = True
            elif seat.state is SeatState.QUEUED and _may_open(course, seat, step):
                course.seats[seat.id] = replace(seat, state=SeatState.OPEN)
                changed = True


def verdict(course: Course, token: int, step: ApproveStep | FillStep) -> Verdict:
    """Where the node stands."""
    says = [(seat, say(course, seat)) for seat in roots(course, token)]
    decisive = [what for seat, what in says if seat.kind is SeatKind.ESCALATED and what != "open"]
    if decisive:
        return decisive[0]
    mains = [(seat, what) for seat, what in says if seat.kind is SeatKind.MAIN]
    asked = [what for seat, what in mains if not seat.granted]
    if len(asked) == 1 and len(mains) > 0 and step.mode != "any":
        return asked[0]  # one person left over decides alone
    if isinstance(step, ApproveStep) and step.mode == "vote" and step.vote is not None:
        return _counted(step.vote, mains)
    every = [what for _, what in mains]
    if "rejected" in every:
        return "rejected"
    agreed = "agreed" in every if step.mode == "any" else all(what == "agreed" for what in every)
    return "agreed" if agreed else "open"


def _counted(vote: Vote, says: list[tuple[Seat, Verdict]]) -> Verdict:
    """The result, as soon as no further vote can change it."""
    if any(seat.veto and what == "rejected" for seat, what in says):
        return "rejected"
    weights = [(seat.weight if vote.weight is not None else 1, what) for seat, what in says]
    if not any(weight for weight, _ in weights):
        weights = [(1, what) for _, what in weights]  # weights that are all nought decide nothing
    total = sum(weight for weight, _ in weights)
    if vote.percent is not None:
        needed = -(-total * vote.percent // 100)
    else:
        needed = min(vote.weight if vote.weight is not None else vote.count or total, total)
    agreed = sum(weight for weight, what in weights if what == "agreed")
    still = sum(weight for weight, what in weights if what == "open")
    vetoes = any(seat.veto and what == "open" for seat, what in says)
    if agreed >= needed and not vetoes:
        return "agreed"
    return "rejected" if agreed + still < needed else "open"


def _first(course: Course, seat: Seat) -> int:
    while seat.instead:
        seat = course.seats[seat.instead]
    return seat.id


def _may_open(course: Course, seat: Seat, step: ApproveStep | FillStep) -> bool:
    if any(each.kind in AHEAD and say(course, each) == "open" for each in children(course, seat)):
        return False
    if seat.kind is SeatKind.AFTER:
        return course.seats[seat.parent].state is SeatState.AGREED
    if seat.kind is SeatKind.MAIN and step.mode == "sequence":
        ahead = (each for each in roots(course, seat.token) if each.kind is SeatKind.MAIN)
        for each in ahead:
            if each.id == seat.id:
                return True
            if say(course, each) != "agreed":
                return False
    return True


def _beaten(course: Course, seat: Seat) -> bool:
    """Whether the say it belongs to has been rejected already."""
    above: Seat | None = seat
    while above is not None:
        if say(course, above) == "rejected":
            return True
        above = course.seats.get(above.parent) if above.kind is not SeatKind.DELEGATED else None
    return False


def _counts(course: Course, seat: Seat) -> bool:
    """A seat closed because somebody it added rejected still says so."""
    if seat.state is SeatState.CLOSED:
        return say(course, seat) == "rejected"
    return seat.state is not SeatState.MOVED
