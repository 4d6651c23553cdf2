"""What comes by itself: deadlines, the end of a wait, events, children of a sub-flow, names from outside.

All of these may come twice or too late. What is not waited for any more changes nothing and is no problem.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.definitions.workflow import ApproveStep, Deadline, FillStep, NotifyStep, SubflowStep, WaitStep
from engine.workflow.advanced import Copied, Reminded
from engine.workflow.answers import NEVER, Unanswerable
from engine.workflow.asking import ask, chosen_ones
from engine.workflow.course import Course
from engine.workflow.deciding import go_on, onward
from engine.workflow.move import Move
from engine.workflow.returning import turn_down
from engine.workflow.signing import ask_instead, meant
from engine.workflow.state import (
    Asked,
    Child,
    Due,
    Run,
    RunStatus,
    SeatKind,
    SeatState,
    Token,
    TokenState,
)
from engine.workflow.walking import leave


def timer(course: Course, move: Move) -> Run | None:
    """A deadline or the end of a wait. None: it is void."""
    token = course.tokens.get(move.token)
    due = next((one for one in token.due if one.number == move.timer), None) if token is not None else None
    if token is None or due is None or move.at < due.at:
        return None
    rest = tuple(one for one in token.due if one.number != move.timer)
    token = course.tokens[token.id] = replace(token, due=rest)
    step = course.layout.asking(token.node)
    if step is None:
        course.remove(token.id)
        leave(course, token.path)
        return replace(course.before, last=None)
    return _deadline(course, token, step, move.timer)


def _deadline(course: Course, token: Token, step: ApproveStep | FillStep, number: int) -> Run:
    deadline = step.deadlines[number]
    if deadline.then == "agree":
        go_on(course, token, step)
        return replace(course.before, acted=True, last=None)
    if deadline.then == "reject":
        turn_down(course, token, step, wished_back=False)
        return replace(course.before, acted=True, last=None)
    people = () if deadline.then == "remind" else _others(course, token, number)
    if people and deadline.then == "transfer":
        course.tokens[token.id] = token = replace(token, state=TokenState.PEOPLE)
        ask_instead(course, token.id, people)
        return replace(course.before, last=None)
    if people:
        course.tokens[token.id] = replace(token, state=TokenState.PEOPLE)
        for one in people:
            course.seat(token.id, one, SeatKind.ESCALATED, SeatState.OPEN)
        return replace(course.before, last=None)
    _remind(course, token, deadline, number)
    return course.before


def _others(course: Course, token: Token, number: int) -> tuple[Asked, ...]:
    """Whom a deadline names and who is not asked yet; the administrators where it names nobody."""
    try:
        named = course.answers.persons(token.node, number) or ()
    except Unanswerable:
        named = ()
    asked = {(seat.user, seat.role) for seat in course.at_token(token.id) if seat.state is SeatState.OPEN}
    step = course.layout.asking(token.node)
    own = course.before.starter if step is not None and step.own == "exclude" else 0
    found = [one for one in named if one.user != own or one.user is None]
    if not found:
        found = [Asked(user=user) for user in course.answers.administrators() if user != own]
    return tuple(one for one in dict.fromkeys(found) if (one.user, one.role) not in asked)


def _remind(course: Course, token: Token, deadline: Deadline, number: int) -> None:
    for seat in course.at_token(token.id):
        if seat.state is SeatState.OPEN:
            course.reminded.append(Reminded(seat=seat.id, why="overdue"))
    if deadline.every is not None and deadline.then == "remind":
        try:
            moment = course.answers.again(token.node, number, course.at)
        except Unanswerable:
            return
        if moment < NEVER:
            course.tokens[token.id] = replace(token, due=(*token.due, Due(number=number, at=moment)))


def signal(course: Course, move: Move) -> Run | None:
    """An event; every place that waits for it (or only ``move.token``) goes on. None: nobody waits for it."""
    waiting = [
        token
        for token in course.tokens.values()
        if token.state is TokenState.EVENT and move.token in (0, token.id) and _event(course, token) == move.event
    ]
    for token in waiting:
        if token.id in course.tokens and course.status is RunStatus.RUNNING:
            course.remove(token.id)
            leave(course, token.path)
    return replace(course.before, last=None) if waiting else None


def child(course: Course, move: Move) -> Run | None:
    """Children were made (no ``result``), or one of them has ended with ``result``."""
    token = course.tokens.get(move.token)
    step = course.layout.flow.nodes.get(token.node) if token is not None else None
    if token is None or not isinstance(step, SubflowStep) or token.state is not TokenState.CHILDREN:
        return None
    known = {one.id: one.result for one in token.children}
    results = known | {number: move.result or known.get(number, "") for number in move.children}
    made = token.made or not move.result
    if results == known and made == token.made:
        return None
    children = tuple(Child(id=number, result=result) for number, result in results.items())
    course.tokens[token.id] = replace(token, children=children, made=made)
    _children_ended(course, course.tokens[token.id], step)
    return replace(course.before, last=None)


def _children_ended(course: Course, token: Token, step: SubflowStep) -> None:
    ended = [one.result for one in token.children if one.result]
    every = token.made and len(ended) == len(token.children)
    good = [result for result in ended if result == "approved" or step.rejected == "continue"]
    bad = len(ended) > len(good) if step.wait == "all" else every and bool(ended) and not good
    if bad:
        course.finish(RunStatus.REJECTED)
    elif every or (step.wait == "any" and good):
        course.answers.doing(step.key, [one.id for one in token.children if one.result == "approved"])
        course.remove(token.id)
        leave(course, token.path)


def named(course: Course, move: Move) -> Run | None:
    """An external resolver has answered: these are the people of the node. None: it is not waited for."""
    token = course.tokens.get(move.token)
    if token is None or token.state is not TokenState.NAMES:
        return None
    base = replace(course.before, last=None)
    step = course.layout.asking(token.node)
    try:  # live answers know now what was named, and whom else the node means
        users = course.answers.persons(token.node)
    except Unanswerable as failed:
        course.stick(token.path, token.node, failed.problem)
        return base
    if users is None:
        users = meant(course, token.id, move.users) if step is not None else _plainly(move.users)
    if step is None:
        told = course.layout.flow.nodes.get(token.node)
        if users and isinstance(told, NotifyStep):
            course.copied.append(Copied(node=token.node, to=users))
        course.remove(token.id)
        leave(course, token.path)
        return base
    try:
        people = chosen_ones(course, step, users)
    except Unanswerable as failed:
        course.stick(token.path, token.node, failed.problem)
        return base
    token = course.tokens[token.id] = replace(token, state=TokenState.PEOPLE)
    if not people:
        course.remove(token.id)
        onward(course, token.path, token.back)
    elif ask(course, token, step, people, fresh=token.back is not None):
        onward(course, token.path, token.back)
    return base


def _plainly(users: Iterable[int]) -> tuple[Asked, ...]:
    return tuple(Asked(user=user) for user in dict.fromkeys(users))


def _event(course: Course, token: Token) -> str | None:
    step = course.layout.flow.nodes.get(token.node)
    return step.event if isinstance(step, WaitStep) else None
