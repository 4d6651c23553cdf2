"""Moves about the run as a whole: 再次提交, 撤回, 终止, 重新激活, 催办, 评论."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.workflow.advanced import Reminded
from engine.workflow.course import Course
from engine.workflow.layout import Layout
from engine.workflow.move import Move
from engine.workflow.state import Run, RunStatus
from engine.workflow.walking import begin_walk, walk


def merged(run: Run, chosen: Mapping[str, tuple[int, ...]]) -> Mapping[str, tuple[int, ...]]:
    """What has been picked so far, and now."""
    return MappingProxyType({**run.chosen, **chosen})


def next_round(run: Run, starter: int) -> Run:
    """The run as it is when it is submitted again: nothing passed, nobody has acted."""
    return replace(run, starter=starter or run.starter, round=run.round + 1, acted=False, passed=(), last=None)


def start(course: Course, move: Move) -> Run:
    """提交 again, from the beginning."""
    course.status, course.final, course.strict = RunStatus.RUNNING, False, True
    begin_walk(course)
    return course.before


def withdraw(course: Course, move: Move) -> Run:
    """撤回 by the submitter."""
    course.finish(RunStatus.WITHDRAWN)
    return replace(course.before, last=None)


def terminate(course: Course, move: Move) -> Run:
    """终止 by an administrator."""
    course.finish(RunStatus.TERMINATED)
    return replace(course.before, last=None)


def reactivate(course: Course, move: Move) -> Run:
    """重新激活 at ``move.node``, or from the beginning. What was passed before that node stays passed."""
    if not move.node:
        return start(course, move)
    course.status, course.final, course.strict = RunStatus.RUNNING, False, True
    path = course.layout.flow.paths[move.node]
    course.passed = [one for one in course.passed if one.path < path]
    walk(course, path, fresh=True)
    return replace(course.before, last=None)


def reactivation_nodes(layout: Layout) -> tuple[str, ...]:
    """Where a run may be taken up again: nodes that ask people, outside of parallel and inclusive arms."""
    return tuple(
        key for key, path in layout.flow.paths.items() if layout.asking(key) is not None and layout.scope(path) == ()
    )


def urge(course: Course, move: Move) -> Run:
    """催办: whoever is asked (or only ``move.seat``) is reminded."""
    for seat in course.before.open_seats():
        if move.seat in (0, seat.id):
            course.reminded.append(Reminded(seat=seat.id, why="urged"))
    return replace(course.before, urged_at=course.at)


def comment(course: Course, move: Move) -> Run:
    """评论: only the log changes."""
    return course.before
