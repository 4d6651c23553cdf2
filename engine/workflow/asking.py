"""Arriving at a node that asks people: who is asked, whose agreement is taken for granted, what is left of the mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.definitions.workflow import ApproveStep, FillStep
from engine.problems import problem
from engine.workflow.answers import NEVER, Unanswerable
from engine.workflow.course import Course
from engine.workflow.layout import Layout
from engine.workflow.says import settle, verdict
from engine.workflow.state import Asked, Due, Passed, Path, SeatState, Token, TokenState


def arrive(course: Course, step: ApproveStep | FillStep, path: Path, *, fresh: bool, back: Path | None) -> bool:
    """Come to the node at ``path``; whether it is passed at once. Raises ``Unanswerable``.

    ``fresh``: it was sent back here, so that nobody's earlier agreement counts. ``back``: where it goes on afterwards.
    """
    asked = course.answers.persons(step.key)
    due = deadlines(course, step)
    if asked is None:
        token = course.place(path, step.key, TokenState.NAMES, due)
        course.tokens[token.id] = replace(token, back=back)
        course.resolve.append(token.id)
        return False
    people = chosen_ones(course, step, asked)
    if not people:
        return True
    token = course.place(path, step.key, TokenState.PEOPLE, due)
    course.tokens[token.id] = replace(token, back=back)
    return ask(course, token, step, people, fresh=fresh)


def deadlines(course: Course, step: ApproveStep | FillStep) -> tuple[Due, ...]:
    """The moments at which something happens when nobody acts."""
    if not step.deadlines:
        return ()
    moments = course.answers.moments(step.key, course.at)
    return tuple(Due(number=number, at=moment) for number, moment in enumerate(moments) if moment < NEVER)


def chosen_ones(course: Course, step: ApproveStep | FillStep, asked: Sequence[Asked]) -> tuple[Asked, ...]:
    """Those who are asked: each once, without the submitter where the node excludes him; empty means 'pass the node'.

    Raises:
        Unanswerable: nobody is found and the node does not go on without.
    """
    people = _permitted(course, step, asked)
    if not people and step.empty == "admin":
        people = _permitted(course, step, [Asked(user=user) for user in course.answers.administrators()])
    if not people and step.empty != "skip":
        raise Unanswerable(problem("workflow.nobody", node=step.label))
    return people


def ask(course: Course, token: Token, step: ApproveStep | FillStep, people: Sequence[Asked], *, fresh: bool) -> bool:
    """Open the seats of the node; whether it is passed at once because every agreement needed is granted."""
    earlier = frozenset() if fresh else _agreed_before(course, step, token.path)
    for one in people:
        seat = course.seat(token.id, one)
        user = _granting(course, step, one, earlier)
        if user is not None:
            course.seats[seat.id] = replace(seat, user=user, state=SeatState.AGREED, granted=True, decided_at=course.at)
    if verdict(course, token.id, step) == "agreed":
        pass_by(course, token, step)
        return True
    settle(course, token, step)
    return False


def pass_by(course: Course, token: Token, step: ApproveStep | FillStep) -> None:
    """Leave the node agreed: remember who agreed, stop asking the others."""
    seats = course.at_token(token.id)
    asked = tuple(seat.id for seat in seats if not seat.granted and seat.state is not SeatState.QUEUED)
    agreed = (seat.user for seat in seats if seat.state is SeatState.AGREED and seat.user is not None)
    users = tuple(dict.fromkeys(agreed))
    course.passed.append(Passed(path=token.path, node=step.key, users=users, seats=asked))
    course.remove(token.id)


def _permitted(course: Course, step: ApproveStep | FillStep, asked: Sequence[Asked]) -> tuple[Asked, ...]:
    found: dict[tuple[int | None, str], Asked] = {}
    for one in asked:
        if step.own == "exclude" and course.before.starter in (one.user, one.behalf):
            continue
        found.setdefault((one.user, one.role if one.user is None else ""), one)
    return tuple(found.values())


def _granting(course: Course, step: ApproveStep | FillStep, asked: Asked, earlier: frozenset[int]) -> int | None:
    """The user whose agreement is taken for granted instead of asking."""
    starter = course.before.starter
    willing = {*earlier, *([starter] if step.own == "skip" else [])}
    if asked.user is None:
        return next((user for user in sorted(willing) if course.answers.holds(user, asked.role)), None)
    if step.own == "skip" and asked.behalf == starter:
        return asked.user
    return asked.user if asked.user in willing else None


def _agreed_before(course: Course, step: ApproveStep | FillStep, path: Path) -> frozenset[int]:
    """审批去重: who agreed at earlier approving nodes of this round. Whoever must write or fill something is asked."""
    dedupe = course.layout.definition.dedupe
    if dedupe == "never" or not isinstance(step, ApproveStep) or step.comment != "optional" or step.required:
        return frozenset()
    earlier = [one for one in course.passed if not course.layout.beside(one.path, path)]
    counted = earlier[-1:] if dedupe == "adjacent" else earlier
    return frozenset(user for one in counted if _approving(course.layout, one.node) for user in one.users)


def _approving(layout: Layout, node: str) -> bool:
    return isinstance(layout.asking(node), ApproveStep)
