"""Who is asked changes: 转办, 委派, 加签, 减签, 认领 and 放回, and an administrator's 改派."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from engine.workflow.answers import Unanswerable
from engine.workflow.asking import ask, deadlines
from engine.workflow.course import LIVE, Course
from engine.workflow.deciding import asking_step, conclude, onward
from engine.workflow.move import Move
from engine.workflow.says import settle
from engine.workflow.state import Asked, Run, Seat, SeatKind, SeatState, TokenState
from engine.workflow.walking import walk

PLACES = MappingProxyType({"before": SeatKind.BEFORE, "after": SeatKind.AFTER, "beside": SeatKind.BESIDE})


def meant(course: Course, token: int, users: Iterable[int]) -> tuple[Asked, ...]:
    """Whom naming these people means: those who stand in for them, unless they are asked already or may not be."""
    node = course.tokens[token].node
    named = tuple(dict.fromkeys(users))
    step = asking_step(course.layout, course.tokens[token])
    taken = {seat.user for seat in course.at_token(token) if seat.state in LIVE} | set(named)
    if step.own == "exclude":
        taken.add(course.before.starter)
    found: dict[int, Asked] = {user: Asked(user=user) for user in named}
    for user in named:
        stand_in = next(iter(course.answers.standing_in(node, (user,))), None)
        if stand_in is not None and stand_in.user is not None and stand_in.user not in taken:
            found[user] = stand_in
            taken.add(stand_in.user)
    return tuple(found.values())


def hand_over(course: Course, seat: Seat, user: int) -> None:
    """Another person takes the seat's place, with its weight and with whoever was added at it."""
    asked = replace(meant(course, seat.token, (user,))[0], weight=seat.weight, veto=seat.veto)
    new = course.seat(seat.token, asked, seat.kind, seat.state, parent=seat.parent, instead=seat.id)
    for each in course.at_token(seat.token):
        if each.parent == seat.id:
            course.seats[each.id] = replace(each, parent=new.id)
    course.end_seat(seat.id, SeatState.MOVED)


def transfer(course: Course, move: Move, seat: Seat) -> Run:
    """转办: somebody else decides instead."""
    taken = course.seats[seat.id] = replace(seat, user=move.by)
    hand_over(course, taken, move.users[0])
    return replace(course.before, last=None)


def delegate(course: Course, move: Move, seat: Seat) -> Run:
    """委派: somebody else is asked first; then the seat is asked again and decides itself."""
    course.seats[seat.id] = replace(seat, user=move.by, state=SeatState.QUEUED)
    asked = meant(course, seat.token, move.users)[0]
    course.seat(seat.token, asked, SeatKind.DELEGATED, SeatState.OPEN, parent=seat.id)
    return replace(course.before, last=None)


def add_sign(course: Course, move: Move, seat: Seat) -> Run:
    """加签: before (asked first, all of them), after (asked once the seat has agreed) or beside (at the same time)."""
    kind = PLACES[move.place]
    state = SeatState.QUEUED if kind is SeatKind.BEFORE else SeatState.OPEN
    course.seats[seat.id] = replace(seat, user=move.by, state=state)
    first = SeatState.QUEUED if kind is SeatKind.AFTER else SeatState.OPEN
    for asked in meant(course, seat.token, move.users):
        course.seat(seat.token, asked, kind, first, parent=seat.id)
    return replace(course.before, last=None)


def remove_sign(course: Course, move: Move, seat: Seat) -> Run:
    """减签: those named, and whoever they have added in turn, are no longer asked."""
    for each in course.at_token(seat.token):
        if each.parent == seat.id and not {each.user, each.behalf}.isdisjoint(move.users) and each.state in LIVE:
            _close_with_added(course, each)
    conclude(course, course.tokens[seat.token])
    return replace(course.before, last=None)


def claim(course: Course, move: Move, seat: Seat) -> Run:
    """认领: one holder of the role takes it."""
    course.seats[seat.id] = replace(seat, user=move.by)
    return replace(course.before, last=None)


def release(course: Course, move: Move, seat: Seat) -> Run:
    """放回: every holder of the role is asked again."""
    course.seats[seat.id] = replace(seat, user=None)
    return replace(course.before, last=None)


def reassign(course: Course, move: Move) -> Run:
    """改派 by an administrator: another person at a seat, other people at a node, or a stuck place tried once more."""
    base = replace(course.before, last=None)
    if move.seat:
        hand_over(course, course.seats[move.seat], move.users[0])
        return base
    token = course.tokens[move.token]
    if not move.users:
        course.remove(token.id)
        course.strict = True
        walk(course, token.path, fresh=token.back is not None, back=token.back)
        return base
    step = asking_step(course.layout, token)
    course.end_seats(token.id, SeatState.MOVED)
    due = token.due
    if token.state is not TokenState.PEOPLE:
        try:
            due = deadlines(course, step)
        except Unanswerable:
            due = ()  # people are named now; they are not kept waiting for a date
    course.tokens[token.id] = replace(token, state=TokenState.PEOPLE, reason=None, due=due)
    if ask(course, token, step, meant(course, token.id, move.users), fresh=True):
        onward(course, token.path, token.back)
    return base


def ask_instead(course: Course, token: int, people: tuple[Asked, ...]) -> None:
    """Everybody asked at the node is replaced by these (逾期转办)."""
    step = asking_step(course.layout, course.tokens[token])
    course.end_seats(token, SeatState.MOVED)
    for one in people:
        course.seat(token, one)
    settle(course, course.tokens[token], step)


def _close_with_added(course: Course, seat: Seat) -> None:
    course.end_seat(seat.id, SeatState.CLOSED)
    for each in course.at_token(seat.token):
        if each.parent == seat.id and each.state in LIVE:
            _close_with_added(course, each)
