"""Walking a workflow to its end without any effect: everybody asked agrees, waits are over, children are agreed.

The walk is the real one (``engine.workflow.walk``); only the moves are made up. Whatever is asked of the world is
answered live. A pool is decided by its first holder, people to be picked are the first who may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.workflow import Asking, WaitStep
from engine.expressions import Clock
from engine.problems import Problem, problem
from engine.workflow.advanced import Advanced
from engine.workflow.answers import NEVER
from engine.workflow.live import LiveAnswers
from engine.workflow.move import Move, MoveKind
from engine.workflow.state import Run, RunStatus, Seat, SeatState, Token, TokenState
from engine.workflow.walk import begin, make

MOST_MOVES = 300
REMARK = "同意"
NO_FILE = 0  # stands for a signature nobody has written
CHILD = 1  # number of a document that is not made


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """One move of the walk and what came of it.

    Attributes:
        move: None for submitting. stopped: why the walk ends here although the run does not.
    """

    advanced: Advanced
    at: datetime
    move: Move | None = None
    stopped: Problem | None = None


def walked(flow: CompiledWorkflow, snapshot: str, answers: LiveAnswers) -> Iterator[Walked]:
    """Submit, and agree until the run ends or nothing more can be made up."""
    at = answers.clock.now
    chosen = _picked(flow, answers, "initiator")
    answers = replace(answers, chosen=chosen)
    advanced = begin(flow, snapshot, answers.starter, answers, at, chosen)
    if advanced.problems:
        yield Walked(advanced=advanced, at=at, stopped=advanced.problems[0])
        return
    yield Walked(advanced=advanced, at=at)
    run, later = advanced.run, _picked(flow, answers, "previous")
    for _ in range(MOST_MOVES):
        if run.status is not RunStatus.RUNNING:
            return
        move = _next(flow, run, answers, at)
        if isinstance(move, Problem):
            yield Walked(advanced=Advanced(run=run), at=at, stopped=move)
            return
        at = max(at, move.at)
        answers = replace(answers, clock=Clock(today=at.date(), now=at), chosen={**run.chosen, **later})
        advanced = make(flow, run, move, answers)
        if advanced.problems and move.kind is MoveKind.AGREE and later:
            advanced = make(flow, run, replace(move, chosen=later), answers)
        if advanced.problems or advanced.entry is None:
            why = advanced.problems[0] if advanced.problems else problem("trying.stands")
            yield Walked(advanced=Advanced(run=run), at=at, move=move, stopped=why)
            return
        yield Walked(advanced=advanced, at=at, move=move)
        run = advanced.run
    if run.status is RunStatus.RUNNING:
        yield Walked(advanced=Advanced(run=run), at=at, stopped=problem("trying.too_long", most=MOST_MOVES))


def _next(flow: CompiledWorkflow, run: Run, answers: LiveAnswers, at: datetime) -> Move | Problem:
    """The next thing that may happen anywhere, or why nothing may."""
    why: Problem | None = None
    for token in run.tokens:
        found = _at(flow, run, token, answers, at)
        if isinstance(found, Move):
            return found
        why = why or found
    return why or problem("trying.stands")


def _at(flow: CompiledWorkflow, run: Run, token: Token, answers: LiveAnswers, at: datetime) -> Move | Problem:
    step = flow.nodes[token.node]
    if token.state is TokenState.PEOPLE:
        for seat in run.seats:
            if seat.token == token.id and seat.state is SeatState.OPEN:
                user = _user(step, run, seat, answers)
                if user is not None:
                    return Move(kind=MoveKind.AGREE, by=user, at=at, seat=seat.id, comment=REMARK, signature=NO_FILE)
        return problem("trying.no_holder", node=step.label)
    if token.state is TokenState.EVENT and isinstance(step, WaitStep) and step.event is not None:
        return Move(kind=MoveKind.SIGNAL, by=0, at=at, token=token.id, event=step.event)
    if token.state in (TokenState.TIME, TokenState.EVENT):
        due = next((due.at for due in token.due if due.number == -1), NEVER)
        if due >= NEVER:
            return problem("trying.never", node=step.label)
        return Move(kind=MoveKind.TIMER, by=0, at=max(at, due), token=token.id, timer=-1)
    if token.state is TokenState.CHILDREN:
        result = "approved" if token.made else ""
        return Move(kind=MoveKind.CHILD, by=0, at=at, token=token.id, children=(CHILD,), result=result)
    if token.state is TokenState.NAMES:
        return problem("trying.resolver", node=step.label)
    return token.reason or problem("trying.stands")


def _user(step: object, run: Run, seat: Seat, answers: LiveAnswers) -> int | None:
    if seat.user is not None:
        return seat.user
    apart = run.starter if isinstance(step, Asking) and step.own == "exclude" else 0
    return next((user for user in answers.directory.by_role.get(seat.role, ()) if user != apart), None)


def _picked(flow: CompiledWorkflow, answers: LiveAnswers, by: str) -> Mapping[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for key, step in flow.nodes.items():
        for who in step.persons if isinstance(step, Asking) else ():
            if who.chosen is not None and who.chosen.by == by:
                holders = answers.directory.by_role.get(who.chosen.role or "", (answers.starter,))
                found[key] = holders[:1]
    return found
