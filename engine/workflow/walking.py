"""Going from step to step until something must be waited for. What each step means: docs/workflow.md."""

from __future__ import annotations

from dataclasses import replace

from engine.definitions.workflow import (
    ActionStep,
    Branching,
    BranchStep,
    EndStep,
    InclusiveStep,
    NotifyStep,
    ParallelStep,
    Step,
    SubflowStep,
    WaitStep,
    arms_of,
)
from engine.problems import problem
from engine.workflow.advanced import Copied
from engine.workflow.answers import NEVER, Unanswerable
from engine.workflow.asking import arrive
from engine.workflow.course import Course
from engine.workflow.layout import PEOPLE
from engine.workflow.state import Due, Join, Path, RunStatus, TokenState


def walk(course: Course, path: Path | None, *, fresh: bool = False, back: Path | None = None) -> None:
    """Enter the step at ``path`` and go on until every place waits, or the run ends."""
    while path is not None and course.status is RunStatus.RUNNING:
        here, step = path, course.layout.at(path)
        try:
            path = _enter(course, here, step, fresh, back)
        except Unanswerable as failed:
            if course.strict:
                raise
            course.stick(here, course.layout.key(here), failed.problem)
            return
        fresh, back = False, None


def begin_walk(course: Course) -> None:
    """From the very beginning."""
    if course.layout.flow.steps:
        walk(course, (0,))
    else:
        course.finish(RunStatus.APPROVED)


def leave(course: Course, path: Path) -> None:
    """The step at ``path`` is done; its token is gone already."""
    walk(course, after(course, path))


def after(course: Course, path: Path) -> Path | None:
    """What comes behind the step at ``path``; None when the run waits for other arms, or has ended."""
    while course.status is RunStatus.RUNNING:
        sibling = course.layout.next_sibling(path)
        if sibling is not None:
            return sibling
        if len(path) == 1:
            course.finish(RunStatus.APPROVED)
            return None
        path, arm = path[:-2], path[-2]
        if path in course.joins and not _joined(course, path, arm):
            return None
    return None


def _enter(course: Course, path: Path, step: Step, fresh: bool, back: Path | None) -> Path | None:
    """One step: the path to enter next, or None where the run waits."""
    if isinstance(step, PEOPLE):
        if not arrive(course, step, path, fresh=fresh, back=back):
            return None
        return back if back is not None else after(course, path)
    if isinstance(step, BranchStep | InclusiveStep | ParallelStep):
        return _branch(course, path, step)
    if isinstance(step, EndStep):
        rejected = step.end == "rejected"
        course.finish(RunStatus.REJECTED if rejected else RunStatus.APPROVED, final=rejected)
        return None
    if isinstance(step, WaitStep):
        return after(course, path) if _waited(course, path, step) else None
    if isinstance(step, SubflowStep):
        if step.wait != "none":
            token = course.place(path, step.key, TokenState.CHILDREN)
            course.subflows.append((token.id, step))
            return None
        course.subflows.append((0, step))
    elif isinstance(step, NotifyStep):
        asked = course.answers.persons(step.key)
        if asked is None:
            course.resolve.append(course.place(path, step.key, TokenState.NAMES).id)
            return None
        if asked:
            course.copied.append(Copied(node=step.key, to=asked))
    elif isinstance(step, ActionStep):
        course.answers.doing(step.key)
        course.actions.append(step)
    return after(course, path)


def _branch(course: Course, path: Path, step: Branching) -> Path | None:
    arms = arms_of(step)
    started = tuple(range(len(arms))) if isinstance(step, ParallelStep) else course.answers.holding(path)
    if isinstance(step, BranchStep):
        started = started[:1]
        if started and arms[started[0]].steps:
            return (*path, started[0], 0)
    if not started or isinstance(step, BranchStep):
        return after(course, path)
    course.joins[path] = Join(path=path, started=started)
    for arm in started:
        if arms[arm].steps:
            walk(course, (*path, arm, 0))
        elif _joined(course, path, arm):
            return after(course, path)
        if path not in course.joins:
            break  # enough arms have ended already; what is behind has been walked
    return None


def _joined(course: Course, path: Path, arm: int) -> bool:
    """Note that the arm has ended; whether the step at ``path`` goes on, everything else in it being closed."""
    join = course.joins[path]
    join = replace(join, ended=(*join.ended, arm))
    course.joins[path] = join
    step = course.layout.at(path)
    wanted = step.join if isinstance(step, ParallelStep) else "all"
    needed = len(join.started) if wanted == "all" else 1 if wanted == "any" else min(wanted, len(join.started))
    if len(join.ended) < needed:
        return False
    course.clear(path)
    return True


def _waited(course: Course, path: Path, step: WaitStep) -> bool:
    """Whether there is nothing to wait for any more."""
    timed = step.hours is not None or step.until is not None
    moments = course.answers.moments(step.key, course.at) if timed else ()
    due = tuple(Due(number=-1, at=moment) for moment in moments[:1] if moment < NEVER)
    if not due and step.event is None:
        raise Unanswerable(problem("workflow.wait_never", node=step.label))
    if due and due[0].at <= course.at:
        return True
    course.place(path, step.key, TokenState.TIME if step.event is None else TokenState.EVENT, due)
    return False
