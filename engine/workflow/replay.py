"""Building a run from its log alone: every move is made again with the answers that were found the first time."""

from __future__ import annotations

from collections.abc import Sequence

from engine.definitions.compiled import CompiledWorkflow
from engine.workflow.move import MoveKind
from engine.workflow.recording import Recorded
from engine.workflow.state import Entry, Run
from engine.workflow.walk import begin, make


def replayed(flow: CompiledWorkflow, snapshot: str, starter: int, entries: Sequence[Entry]) -> Run:
    """The run after ``entries``, the whole log in order.

    A run that was moved to another definition goes on from the state its last migration wrote down; ``flow`` is the
    definition of today. Raises ``ValueError`` when the log does not hold together, or when it does not reach back to
    the beginning, as that of a run that was begun in format 1.
    """
    entries = sorted(entries, key=lambda entry: entry.number)
    last = max((at for at, entry in enumerate(entries) if entry.move.kind is MoveKind.MIGRATE), default=None)
    if last is not None:
        run = entries[last].found.run
        rest = entries[last + 1 :]
    else:
        if not entries or entries[0].move.kind is not MoveKind.START:
            raise ValueError("the log does not begin")
        first, rest = entries[0], entries[1:]
        begun = begin(flow, snapshot, starter, Recorded(first.found), first.move.at, first.move.chosen)
        run = None if begun.problems else begun.run
    if run is None:
        raise ValueError("the log does not begin")
    for entry in rest:
        made = make(flow, run, entry.move, Recorded(entry.found))
        if made.entry is None or made.entry.number != entry.number:
            raise ValueError(f"entry {entry.number} cannot be made again")
        run = made.run
    return run
