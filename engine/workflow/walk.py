"""``begin`` and ``make``: a run and a move in, the next run and everything that follows out. Pure.

Everything that can happen to a run comes through these two. What each move means stands in docs/workflow.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

from engine.definitions.compiled import CompiledWorkflow
from engine.problems import Problem, problem
from engine.workflow import deciding, returning, running, signing, timing
from engine.workflow.advanced import Advanced
from engine.workflow.answers import Answers, Unanswerable
from engine.workflow.course import Course
from engine.workflow.demands import choices, demands
from engine.workflow.layout import Layout
from engine.workflow.move import Move, MoveKind
from engine.workflow.recording import Recording
from engine.workflow.rights import PRODUCT_MOVES, SEAT_MOVES, Acting, adding_seats, refusal, seats_of
from engine.workflow.state import Run, Seat
from engine.workflow.walking import begin_walk

NOTHING: Mapping[str, tuple[int, ...]] = MappingProxyType({})
AT_SEAT: Mapping[MoveKind, Callable[[Course, Move, Seat], Run]] = MappingProxyType(
    {
        MoveKind.AGREE: deciding.agree,
        MoveKind.REJECT: deciding.reject,
        MoveKind.RETURN: returning.give_back,
        MoveKind.TRANSFER: signing.transfer,
        MoveKind.DELEGATE: signing.delegate,
        MoveKind.ADD_SIGN: signing.add_sign,
        MoveKind.REMOVE_SIGN: signing.remove_sign,
        MoveKind.CLAIM: signing.claim,
        MoveKind.RELEASE: signing.release,
    }
)
ABOUT_RUN: Mapping[MoveKind, Callable[[Course, Move], Run | None]] = MappingProxyType(
    {
        MoveKind.START: running.start,
        MoveKind.WITHDRAW: running.withdraw,
        MoveKind.TAKE_BACK: returning.take_back,
        MoveKind.TERMINATE: running.terminate,
        MoveKind.REACTIVATE: running.reactivate,
        MoveKind.URGE: running.urge,
        MoveKind.COMMENT: running.comment,
        MoveKind.REASSIGN: signing.reassign,
        MoveKind.TIMER: timing.timer,
        MoveKind.SIGNAL: timing.signal,
        MoveKind.CHILD: timing.child,
        MoveKind.NAMED: timing.named,
    }
)


def begin(
    flow: CompiledWorkflow,
    snapshot: str,
    starter: int,
    answers: Answers,
    at: datetime,
    chosen: Mapping[str, tuple[int, ...]] = NOTHING,
) -> Advanced:
    """Submit for the first time. With ``problems`` nothing has begun.

    Args:
        snapshot: name of the published state the run is pinned to. starter: the submitter.
        chosen: people picked for later nodes, by node key; ``answers`` must know them too.
    """
    layout, recording = Layout(flow), Recording(answers)
    run = Run(workflow=flow.definition.workflow, snapshot=snapshot, starter=starter)
    move = Move(kind=MoveKind.START, by=starter, at=at, chosen=chosen)
    problems = tuple(choices(layout, run, move, None, recording.holds))
    if problems:
        return Advanced(run=run, problems=problems)
    course = Course.of(layout, _with_choices(run, move), recording, at, strict=True)
    try:
        begin_walk(course)
    except Unanswerable as failed:
        return Advanced(run=run, problems=(failed.problem,))
    return course.advanced(course.before, move)


def make(flow: CompiledWorkflow, run: Run, move: Move, answers: Answers) -> Advanced:
    """Make one move. With ``problems``, or without an ``entry``, nothing has changed.

    A move at a seat that names none (``seat`` 0) uses the first seat of the person that allows it.
    """
    layout, recording = Layout(flow), Recording(answers)
    acting = Acting(user=move.by, holds=partial(recording.holds, move.by), admin=move.admin, at=move.at)
    seat = _seat(layout, run, move, acting)
    problems = _problems(layout, run, move, acting, seat, recording)
    if problems:
        return Advanced(run=run, problems=problems)
    restarts = move.kind is MoveKind.START or (move.kind is MoveKind.REACTIVATE and not move.node)
    starter = move.by if move.kind is MoveKind.START else run.starter
    before = _with_choices(running.next_round(run, starter) if restarts else run, move)
    course = Course.of(layout, before, recording, move.at, strict=move.kind is MoveKind.RETURN)
    try:
        if seat is not None and move.kind in AT_SEAT:
            base: Run | None = AT_SEAT[move.kind](course, move, seat)
        else:
            base = ABOUT_RUN[move.kind](course, move)
    except Unanswerable as failed:
        return Advanced(run=run, problems=(failed.problem,))
    return course.advanced(base, move) if base is not None else Advanced(run=run)


def _seat(layout: Layout, run: Run, move: Move, acting: Acting) -> Seat | None:
    if move.kind not in SEAT_MOVES:
        return None
    if move.seat:
        return run.seat(move.seat)
    own = seats_of(layout, run, acting)
    if move.kind is MoveKind.REMOVE_SIGN:
        own = adding_seats(run, move.by) or own
    allowed = (seat for seat in own if refusal(layout, run, move.kind, acting, seat) is None)
    return next(allowed, own[0] if own else None)


def _problems(
    layout: Layout, run: Run, move: Move, acting: Acting, seat: Seat | None, answers: Answers
) -> tuple[Problem, ...]:
    if move.kind in PRODUCT_MOVES:
        return (problem("workflow.product_only"),) if move.by != 0 else ()
    if move.kind is MoveKind.MIGRATE:
        return (problem("workflow.migrate_apart"),)
    refused = refusal(layout, run, move.kind, acting, seat)
    if refused is not None:
        return (refused,)
    return tuple(demands(layout, run, move, seat, answers.holds))


def _with_choices(run: Run, move: Move) -> Run:
    return replace(run, chosen=running.merged(run, move.chosen)) if move.chosen else run
