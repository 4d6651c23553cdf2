"""Deciding on tasks of the task centre: one, or many at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.problems import Refused, problem
from engine.workflow.move import MoveKind
from runtime.facade import documents, flow_acts, flow_inbox
from runtime.facade.door import Door
from runtime.facade.flow_acts import LIFE, Act
from runtime.facade.flow_inbox import InboxRow
from runtime.stages.steps import Command, Outcome


def decide(door: Door, task: InboxRow, given: Act, *, agree: bool, key: str = "") -> Outcome:
    """Agree to what a task asks for, or reject it; at the task's seat, whatever ``given`` says of it.

    Args:
        key: the same key by the same person is not carried out twice.

    Raises:
        Refused: with every reason; ``missing`` when nothing is to be decided there.
    """
    if task.document is None or task.kind != "approval":
        raise Refused([problem("task.missing")], "missing")
    kind = MoveKind.AGREE if agree else MoveKind.REJECT
    if task.run is None:
        return documents.submit(
            door,
            Command(
                form=task.form, action=LIFE[kind], document=task.document, reason=given.comment,
                confirmed=given.confirmed, idempotency_key=key,
            ),
        )  # fmt: skip
    return flow_acts.act(door, task.form, task.document, kind, replace(given, seat=task.seat), key)


def agree_to_all(
    door: Door, tasks: Iterable[int], comment: str = ""
) -> tuple[tuple[InboxRow | None, Outcome | Refused], ...]:
    """Agree to many tasks with one remark; each is a submission of its own, and one refusal does not stop the rest.

    They are read together before the first decision. What that closes besides is refused when its turn comes.
    """
    numbers = tuple(tasks)
    rows = flow_inbox.several(door, numbers)
    results: list[tuple[InboxRow | None, Outcome | Refused]] = []
    for number in numbers:
        row = rows.get(number)
        try:
            if row is None:
                raise Refused([problem("task.missing")], "missing")
            results.append((row, decide(door, row, Act(comment=comment), agree=True)))
        except Refused as refused:
            results.append((row, refused))
    return tuple(results)
