"""Remembering what was found while a move was made, and repeating it: the two sides of building a run from its log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from engine.problems import Problem
from engine.workflow.answers import Answers, Unanswerable
from engine.workflow.state import Asked, Found, Path, Run

ADMINISTRATORS = ""  # the name under which they stand among the persons found
Answer = TypeVar("Answer")


def path_text(path: Path) -> str:
    """``(1, 0, 2)`` → ``"1.0.2"``."""
    return ".".join(map(str, path))


def _of_deadline(node: str, deadline: int) -> str:
    return node if deadline < 0 else f"{node}#{deadline}"


def _named(node: str, users: Sequence[int]) -> str:
    return f"{node}>{','.join(map(str, users))}"


@dataclass(slots=True)
class Recording(Answers):
    """Answers of another, remembered for the log. Lives as long as one move."""

    asked: Answers
    arms: dict[str, tuple[int, ...]] = field(default_factory=dict)
    people: dict[str, tuple[Asked, ...] | None] = field(default_factory=dict)
    due: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    holders: dict[tuple[int, str], bool] = field(default_factory=dict)
    failed: dict[str, Problem] = field(default_factory=dict)
    run: Run | None = None

    def found(self) -> Found:
        """Everything that was found."""
        return Found(
            arms=MappingProxyType(self.arms),
            persons=MappingProxyType({node: asked for node, asked in self.people.items() if asked is not None}),
            moments=MappingProxyType(self.due),
            holders=tuple(pair for pair, held in self.holders.items() if held),
            failed=MappingProxyType(self.failed),
            run=self.run,
        )

    def holding(self, path: Path) -> tuple[int, ...]:
        text = path_text(path)
        return self._kept(self.arms, text, f"arms {text}", lambda: self.asked.holding(path))

    def persons(self, node: str, deadline: int = -1) -> tuple[Asked, ...] | None:
        name = _of_deadline(node, deadline)
        return self._kept(self.people, name, f"persons {name}", lambda: self.asked.persons(node, deadline))

    def administrators(self) -> tuple[int, ...]:
        users = self.asked.administrators()
        self.people[ADMINISTRATORS] = tuple(Asked(user=user) for user in users)
        return users

    def moments(self, node: str, arrived: datetime) -> tuple[datetime, ...]:
        return self._kept(self.due, node, f"moments {node}", lambda: self.asked.moments(node, arrived))

    def again(self, node: str, deadline: int, fired: datetime) -> datetime:
        name = _of_deadline(node, deadline)
        return self._kept(self.due, name, f"moments {name}", lambda: (self.asked.again(node, deadline, fired),))[0]

    def standing_in(self, node: str, users: Sequence[int]) -> tuple[Asked, ...]:
        found = self.people[_named(node, users)] = self.asked.standing_in(node, users)
        return found

    def holds(self, user: int, role: str) -> bool:
        return self.holders.setdefault((user, role), self.asked.holds(user, role))

    def doing(self, node: str, children: Sequence[int] = ()) -> None:
        try:
            self.asked.doing(node, children)
        except Unanswerable as failed:
            self.failed[f"doing {node}"] = failed.problem
            raise

    def _kept(self, answers: dict[str, Answer], name: str, question: str, ask: Callable[[], Answer]) -> Answer:
        try:
            answers[name] = ask()
        except Unanswerable as failed:
            self.failed[question] = failed.problem
            raise
        return answers[name]


@dataclass(frozen=True, slots=True)
class Recorded(Answers):
    """The answers an entry of the log holds."""

    found: Found

    def holding(self, path: Path) -> tuple[int, ...]:
        text = path_text(path)
        return self._told(self.found.arms, text, f"arms {text}")

    def persons(self, node: str, deadline: int = -1) -> tuple[Asked, ...] | None:
        name = _of_deadline(node, deadline)
        if f"persons {name}" not in self.found.failed and name not in self.found.persons:
            return None
        return self._told(self.found.persons, name, f"persons {name}")

    def administrators(self) -> tuple[int, ...]:
        return tuple(one.user for one in self.found.persons[ADMINISTRATORS] if one.user is not None)

    def moments(self, node: str, arrived: datetime) -> tuple[datetime, ...]:
        return self._told(self.found.moments, node, f"moments {node}")

    def again(self, node: str, deadline: int, fired: datetime) -> datetime:
        name = _of_deadline(node, deadline)
        return self._told(self.found.moments, name, f"moments {name}")[0]

    def standing_in(self, node: str, users: Sequence[int]) -> tuple[Asked, ...]:
        return self.found.persons.get(_named(node, users), ())

    def holds(self, user: int, role: str) -> bool:
        return (user, role) in self.found.holders

    def doing(self, node: str, children: Sequence[int] = ()) -> None:
        if f"doing {node}" in self.found.failed:
            raise Unanswerable(self.found.failed[f"doing {node}"])

    def _told(self, answers: Mapping[str, Answer], name: str, question: str) -> Answer:
        if question in self.found.failed:
            raise Unanswerable(self.found.failed[question])
        return answers[name]
