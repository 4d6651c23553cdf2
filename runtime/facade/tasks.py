"""待办: what waits for this person."""

from __future__ import annotations

from engine.problems import Refused, problem
from runtime.facade.door import Door
from runtime.facade.views import TaskView
from runtime.storage import workflow_runs
from runtime.storage.database import in_transaction


def inbox(door: Door, after: int | None = None, limit: int = 100) -> tuple[TaskView, ...]:
    """Open tasks of the person, newest first."""
    with door.reading() as unit:
        rows = workflow_runs.open_tasks_of(unit.connection, door.actor.user, door.actor.roles, after, limit)
    return tuple(
        TaskView(
            id=row.id or 0,
            kind=row.kind,
            title=row.title.text(door.language),
            form=row.form,
            document=row.document,
            since=row.created_at,
            node=row.node,
        )
        for row in rows
    )


def task_count(door: Door) -> int:
    """How many tasks are open, at most 1000."""
    with door.reading() as unit:
        return workflow_runs.count_open_tasks(unit.connection, door.actor.user, door.actor.roles)


def finish(door: Door, task: int) -> None:
    """Mark a to-do as done. Approvals are not finished here but decided on their document.

    Raises:
        Refused: ``missing`` when it is not one of the person's open to-dos.
    """
    mine = {view.id: view for view in inbox(door, limit=1000)}
    if task not in mine or mine[task].kind != "todo":
        raise Refused([problem("task.missing")], "missing")
    now = door.house.now()
    in_transaction(
        door.workspace.database,
        lambda connection: workflow_runs.close_tasks(
            connection, at=now, by=door.actor.user, outcome="done", ids=[task]
        ),
    )
