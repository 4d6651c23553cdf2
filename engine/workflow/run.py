"""A running approval as plain data. The definition, the run and its stored form are three different things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import MappingProxyType


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one person decided at one node."""

    node: str
    user: int
    approved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """A task to open at a node: for one user, or for whoever holds the role (或签: the first decides)."""

    node: str
    user: int | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One approval of one document.

    Attributes:
        workflow, snapshot: the definition it is pinned to, whatever is published later.
        node: key of the node it waits at; empty when it has ended.
        position: path of that node in the tree (step, arm, step …).
        approvers: at the current node, the users still to agree (会签); empty for 或签 by role.
    """

    workflow: str
    snapshot: str
    starter: int
    status: RunStatus = RunStatus.RUNNING
    node: str = ""
    position: tuple[int, ...] = ()
    approvers: tuple[int, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who could approve, as loaded: users by role, the head of the creator's department."""

    holders: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    department_head: int | None = None


def run_json(run: Run) -> Mapping[str, object]:
    """The stored form of a run."""
    return asdict(run)


def run_from_json(data: Mapping[str, object]) -> Run:
    """Inverse of ``run_json``."""
    fields = dict(data)
    fields["status"] = RunStatus(str(fields["status"]))
    fields["position"] = tuple(fields["position"])  # type: ignore[arg-type]
    fields["approvers"] = tuple(fields["approvers"])  # type: ignore[arg-type]
    fields["decisions"] = tuple(Decision(**one) for one in fields["decisions"])  # type: ignore[attr-defined]
    return Run(**fields)  # type: ignore[arg-type]
