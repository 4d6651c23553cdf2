"""Deciding at a seat: 同意 and 驳回, and what a node does when it has its result."""

from __future__ import annotations

from dataclasses import replace

from engine.definitions.workflow import ApproveStep, FillStep
from engine.workflow.asking import pass_by
from engine.workflow.course import Course
from engine.workflow.layout import Layout
from engine.workflow.move import Move
from engine.workflow.returning import turn_down
from engine.workflow.says import settle, verdict
from engine.workflow.state import Last, Path, Run, RunStatus, Seat, SeatState, Token
from engine.workflow.walking import after, walk


def asking_step(layout: Layout, token: Token) -> ApproveStep | FillStep:
    """The node of a token that asks people. Raises ``LookupError`` for any other."""
    step = layout.asking(token.node)
    if step is None:
        raise LookupError(token.node)
    return step


def agree(course: Course, move: Move, seat: Seat) -> Run:
    """同意, 办理完成; the opinion of somebody asked by delegation goes back to whoever asked."""
    course.seats[seat.id] = replace(seat, user=move.by, state=SeatState.AGREED, decided_at=course.at)
    conclude(course, course.tokens[seat.token])
    final = course.status is not RunStatus.RUNNING or course.actions or course.subflows
    last = None if final else Last(user=move.by, seat=seat.id, before=replace(course.before, last=None))
    return replace(course.before, acted=True, last=last)


def reject(course: Course, move: Move, seat: Seat) -> Run:
    """驳回, or a vote against."""
    course.seats[seat.id] = replace(seat, user=move.by, state=SeatState.REJECTED, decided_at=course.at)
    conclude(course, course.tokens[seat.token], wished_back=move.back)
    return replace(course.before, acted=True, last=None)


def conclude(course: Course, token: Token, *, wished_back: bool = False) -> None:
    """Ask whoever is next at the node, or go on where it has its result."""
    step = asking_step(course.layout, token)
    result = verdict(course, token.id, step)
    if result == "agreed":
        go_on(course, token, step)
    elif result == "rejected":
        turn_down(course, token, step, wished_back=wished_back)
    else:
        settle(course, token, step)


def go_on(course: Course, token: Token, step: ApproveStep | FillStep) -> None:
    """The node is agreed: onward, or straight back to where it was sent back from."""
    pass_by(course, token, step)
    onward(course, token.path, token.back)


def onward(course: Course, path: Path, back: Path | None) -> None:
    """From a node that is done."""
    if back is not None:
        walk(course, back, fresh=True)
    else:
        walk(course, after(course, path))
