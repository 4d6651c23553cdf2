"""What a move did, in the words rules wait for: started, arrived, decided, returned, ended, overdue."""

from __future__ import annotations

from collections.abc import Iterator

from engine.rules.triggers import FlowHappened
from engine.workflow.advanced import Advanced
from engine.workflow.move import Move, MoveKind
from engine.workflow.state import Run, RunStatus, TokenState
from runtime.stages.steps import Standing

BACK = (MoveKind.REJECT, MoveKind.RETURN)
OVERDUE = "overdue"


def happened(form: str, before: Standing | None, outcome: Advanced, move: Move) -> tuple[tuple[FlowHappened, str], ...]:
    """The events of a move, each once, with the result of a run that has ended; in the order they came about."""
    old = before.run if before is not None else None
    result = str(outcome.run.status) if outcome.run.status is not RunStatus.RUNNING else ""
    events = dict.fromkeys(_events(form, old, outcome, move))
    return tuple((event, result if event.event == "ended" else "") for event in events)


def _events(form: str, old: Run | None, outcome: Advanced, move: Move) -> Iterator[FlowHappened]:
    if move.kind is MoveKind.START:
        yield FlowHappened(form=form, event="started")
    for node in _overdue(old, outcome, move):
        yield FlowHappened(form=form, event=OVERDUE, node=node)
    left = set(outcome.cancelled)
    staying = {token.id: token.node for token in outcome.run.tokens}
    for token in old.tokens if old is not None else ():
        gone = token.id in left or staying.get(token.id) != token.node
        if token.state is TokenState.PEOPLE and gone:
            event = "returned" if move.kind in BACK else "decided"
            yield FlowHappened(form=form, event=event, node=token.node)
    for token in outcome.arrived:
        yield FlowHappened(form=form, event="arrived", node=token.node)
    if outcome.run.status is not RunStatus.RUNNING and (old is None or old.status is RunStatus.RUNNING):
        yield FlowHappened(form=form, event="ended")


def _overdue(old: Run | None, outcome: Advanced, move: Move) -> Iterator[str]:
    """The nodes where a deadline has come: its timer was told, and it was no wait."""
    if move.kind is not MoveKind.TIMER or move.timer < 0 or outcome.entry is None or old is None:
        return
    token = old.token(move.token)
    if token is not None:
        yield token.node
