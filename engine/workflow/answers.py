"""What walking a run has to ask of the world, and the answers: live from a document and its people, or from a log.

The walk itself (`engine.workflow.walk`) knows no expression and no directory. It asks an ``Answers``; a live one
evaluates and resolves, a recorded one repeats what was found the first time. So a run can be built again from its log,
tried without any effect, and tested without a form.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from engine.problems import Problem
from engine.workflow.state import Asked, Path

NEVER = datetime(9999, 12, 31)


class Unanswerable(Exception):
    """A question that has no answer now: an expression fails, a date is empty. ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


class Answers(Protocol):
    """The questions. Each may raise ``Unanswerable``, which makes the run stuck there with the reason."""

    def holding(self, path: Path) -> tuple[int, ...]:
        """The arms of the branching step at ``path`` whose condition holds; arms without a condition hold."""
        ...

    def persons(self, node: str, deadline: int = -1) -> tuple[Asked, ...] | None:
        """Whom the node means, after stand-ins; None when an external resolver has to be asked first.

        With ``deadline`` (counted from 0): whom that deadline of the node names (升级, 转办).
        """
        ...

    def administrators(self) -> tuple[int, ...]:
        """Who is asked instead where nobody is found and the node says so."""
        ...

    def moments(self, node: str, arrived: datetime) -> tuple[datetime, ...]:
        """When the deadlines of the node fall due (or its waiting ends), in the order they are written.

        A deadline whose date is empty never comes: it falls due at ``NEVER``.
        """
        ...

    def again(self, node: str, deadline: int, fired: datetime) -> datetime:
        """When a deadline that repeats (``every``) falls due next, after it fired at ``fired``."""
        ...

    def standing_in(self, node: str, users: Sequence[int]) -> tuple[Asked, ...]:
        """People somebody has named for the node (转办 …), or those who stand in for them; never raises."""
        ...

    def holds(self, user: int, role: str) -> bool:
        """Whether the user holds the role now; never raises."""
        ...

    def doing(self, node: str, children: Sequence[int] = ()) -> None:
        """The run passes a node that changes the document; what is asked from here on is asked of the changed one.

        An action node, or a sub-flow whose ``children`` (those agreed, in the order they were made) have ended.
        """
        ...
