"""Opening runs that were stored in format 1: one position, the users still to agree, the decisions made.

Such a run did not say whom it asked at a 或签 node; its open tasks do, and the runtime hands them in. A run that
nobody is known to be asked at opens stuck, so that an administrator names somebody; it never ends silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.people import Who
from engine.definitions.workflow import ApproveStep
from engine.problems import problem
from engine.workflow.layout import Layout
from engine.workflow.state import Asked, Passed, Path, Run, RunStatus, Seat, SeatState, Token, TokenState

UNKNOWN = datetime(1970, 1, 1)  # format 1 kept no moments


def run_of_format_1(data: Mapping[str, Any], flow: CompiledWorkflow | None, asked: Sequence[Asked]) -> Run:
    """The run as it is said today."""
    run = Run(
        workflow=data["workflow"],
        snapshot=data["snapshot"],
        starter=data["starter"],
        status=RunStatus(data["status"]),
        passed=_passed(data, flow),
        acted=bool(data["decisions"]),
        next_id=2,
    )
    return _standing(run, data, flow, asked) if run.status is RunStatus.RUNNING else run


def _standing(run: Run, data: Mapping[str, Any], flow: CompiledWorkflow | None, asked: Sequence[Asked]) -> Run:
    node, path = data["node"], tuple(data["position"])
    people = tuple(asked) or tuple(Asked(user=user) for user in data["approvers"]) or _pool(flow, node)
    agreed = _agreed_here(data) if data["approvers"] else ()
    seats = [Seat(id=0, token=1, user=user, state=SeatState.AGREED, decided_at=UNKNOWN) for user in agreed]
    seats += [
        Seat(id=0, token=1, user=one.user, role=one.role, state=SeatState.OPEN) for one in people if _new(one, agreed)
    ]
    numbered = tuple(replace(seat, id=number) for number, seat in enumerate(seats, 2))
    stands = any(seat.state is SeatState.OPEN for seat in numbered)
    token = Token(
        id=1,
        path=path,
        node=node,
        state=TokenState.PEOPLE if stands else TokenState.STUCK,
        arrived=UNKNOWN,
        reason=None if stands else problem("workflow.unknown_people"),
    )
    return replace(run, tokens=(token,), seats=numbered, next_id=2 + len(numbered))


def _new(asked: Asked, agreed: Sequence[int]) -> bool:
    return asked.user is None or asked.user not in agreed


def _pool(flow: CompiledWorkflow | None, node: str) -> tuple[Asked, ...]:
    step = flow.nodes.get(node) if flow is not None else None
    who = step.persons[0] if isinstance(step, ApproveStep) else Who()
    return (Asked(role=who.role),) if who.role is not None else ()


def _agreed_here(data: Mapping[str, Any]) -> tuple[int, ...]:
    """Who has agreed at the present node since the run came there."""
    found: list[int] = []
    for one in reversed(data["decisions"]):
        if one["node"] != data["node"]:
            break
        found.append(one["user"])
    return tuple(reversed(found))


def _passed(data: Mapping[str, Any], flow: CompiledWorkflow | None) -> tuple[Passed, ...]:
    """Nodes left before the present one. ``seats`` holds a number no seat has: somebody was asked there."""
    if flow is None:
        return ()
    layout = Layout(flow)
    users: dict[str, list[int]] = {}
    for one in data["decisions"]:
        if one["approved"] and one["node"] != data["node"] and layout.asking(one["node"]) is not None:
            users.setdefault(one["node"], []).append(one["user"])
    paths: dict[str, Path] = {node: layout.flow.paths[node] for node in users}
    return tuple(Passed(path=paths[node], node=node, users=tuple(who), seats=(0,)) for node, who in users.items())
