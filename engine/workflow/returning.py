"""Going back: 退回 to a passed node, 驳回 to the previous one, 拿回 by whoever decided last."""

from __future__ import annotations

from dataclasses import replace

from engine.definitions.workflow import ApproveStep, FillStep
from engine.workflow.course import LIVE, Course
from engine.workflow.move import Move
from engine.workflow.rights import straight, targets
from engine.workflow.state import Path, Run, RunStatus, Seat, SeatState, Token
from engine.workflow.walking import walk


def send_back(course: Course, token: Token, target: Path, *, come_back: bool) -> None:
    """The run stands at ``target`` again; everything in the same arm that was opened in between is closed.

    ``come_back`` (直接回到我这里): after ``target`` it goes on here, and what was passed in between stays passed.
    """
    scope = course.layout.scope(target)
    course.clear(scope)
    course.passed = [
        one
        for one in course.passed
        if one.path[: len(scope)] != scope or one.path < target or (come_back and one.path != target)
    ]
    walk(course, target, fresh=True, back=token.path if come_back else None)


def comes_back(course: Course, token: Token, target: Path, wished: bool) -> bool:
    """Whether it comes straight back, by what the node says and, where the person chooses, by what is wished."""
    step = course.layout.asking(token.node)
    always = step is not None and comes_back_by_definition(step)
    return straight(course.layout, token, target) and (always or wished)


def comes_back_by_definition(step: ApproveStep | FillStep) -> bool:
    """Whether the node leaves no choice."""
    return isinstance(step, ApproveStep) and step.after_return == "back"


def give_back(course: Course, move: Move, seat: Seat) -> Run:
    """退回 to ``move.node``."""
    token = course.tokens[seat.token]
    course.seats[seat.id] = replace(seat, user=move.by, state=SeatState.REJECTED, decided_at=course.at)
    target = course.layout.flow.paths[move.node]
    send_back(course, token, target, come_back=comes_back(course, token, target, move.back))
    return replace(course.before, acted=True, last=None)


def turn_down(course: Course, token: Token, step: ApproveStep | FillStep, *, wished_back: bool) -> None:
    """The node is rejected: what that means is said by ``reject``."""
    policy = step.reject if isinstance(step, ApproveStep) else "initiator"
    before = targets(course.layout, course.run(course.before), token) if policy == "previous" else ()
    if before:
        come_back = comes_back(course, token, before[-1], wished_back)
        send_back(course, token, before[-1], come_back=come_back)
    else:
        course.finish(RunStatus.REJECTED, final=policy == "end")


def take_back(course: Course, move: Move) -> Run:
    """拿回: the run stands as before the last decision; what was opened since is closed. Numbers are not used again."""
    assert course.before.last is not None
    before = course.before.last.before
    numbers = {token.id: token.id if token.id in course.tokens else course.number() for token in before.tokens}
    present = dict(course.tokens)
    course.tokens = {
        number: present[number] if number in present else replace(token, id=number)
        for token in before.tokens
        for number in [numbers[token.id]]
    }
    restored = {seat.id: replace(seat, token=numbers.get(seat.token, seat.token)) for seat in before.seats}
    since = [seat for seat in course.seats.values() if seat.id not in restored]
    course.seats |= restored
    for seat in since:
        if seat.state in LIVE:
            course.end_seat(seat.id, SeatState.CLOSED)
    course.joins = {join.path: join for join in before.joins}
    course.passed = list(before.passed)
    return replace(course.before, acted=before.acted, chosen=before.chosen, last=None)
