"""The semantics of workflows as data: every case of tests/cases/workflow, described in docs/workflow.md.

Every run is stored and opened again between any two moves, and built again from its log after each of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.definitions.compiled import CompiledWorkflow
from engine.workflow.advanced import Advanced, Offer, Viewer
from engine.workflow.migrate import migrate, touched
from engine.workflow.move import Move, MoveKind
from engine.workflow.offers import offers
from engine.workflow.replay import replayed
from engine.workflow.state import Entry, Run, RunStatus, Seat, SeatState, Token
from engine.workflow.stored import entry_from_json, entry_json, run_from_json, run_json
from engine.workflow.walk import begin, make
from tests.flow_world import START, World, flow_of

CASES = Path(__file__).parent.parent / "cases" / "workflow"
SUBMITTER, ADMINISTRATOR = 1, 90
OPTIONS = ("withdraw", "dedupe", "start")
INHERITED = ("steps", "persons", "values", "roles", "admins", "stand_ins", "called", "chosen", *OPTIONS)
SNAPSHOT = "snapshot"


def documents() -> list[tuple[Path, dict[str, Any]]]:
    """The case files of the core; others of the folder belong to other runners."""
    found = [(path, yaml.safe_load(path.read_text("utf-8"))) for path in sorted(CASES.glob("*.yaml"))]
    return [(path, content) for path, content in found if "shows" in content]


def cases() -> list[Any]:
    found = []
    for path, content in documents():
        shared = {name: content[name] for name in INHERITED if name in content}
        found += [pytest.param(shared | case, id=f"{path.stem}-{case['name']}") for case in content["cases"]]
    return found


@dataclass(slots=True)
class Told:
    """A run while its case is told: the last outcome, the log, and what has been asked for on the way."""

    flow: CompiledWorkflow
    world: World
    last: Advanced
    moves: int = 0
    entries: list[Entry] = field(default_factory=list)
    every: list[Advanced] = field(default_factory=list)

    @property
    def run(self) -> Run:
        return self.last.run

    def take(self, outcome: Advanced) -> None:
        """Keep an accepted outcome; the run survives storing, and its log builds it again."""
        self.last = outcome
        self.every.append(outcome)
        if outcome.entry is not None:
            self.entries.append(entry_from_json(json.loads(json.dumps(entry_json(outcome.entry)))))
        stored = run_from_json(json.loads(json.dumps(run_json(outcome.run))))
        assert stored == outcome.run
        assert replayed(self.flow, outcome.run.snapshot, SUBMITTER, self.entries) == outcome.run


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, Any]) -> None:
    flow = flow_of(
        {"steps": case["steps"]} | {name: case[name] for name in OPTIONS if name in case}, case.get("called", {})
    )
    world = World(
        flow,
        persons_of=dict(case.get("persons", {})),
        holders=dict(case.get("roles", {})),
        values=dict(case.get("values", {})),
        admins=tuple(case.get("admins", ())),
        stand_ins=dict(case.get("stand_ins", {})),
    )
    chosen = {node: tuple(users) for node, users in case.get("chosen", {}).items()}
    begun = begin(flow, SNAPSHOT, SUBMITTER, world, START, chosen)
    if "refused" in case:
        assert [one.code for one in begun.problems] == _listed(case["refused"])
        assert begun.entry is None
        return
    assert not begun.problems, begun.problems
    told = Told(flow=flow, world=world, last=begun)
    told.take(begun)
    for line in case.get("moves", []):
        _tell(told, line, case)
    _expect(told, case["expect"])


def _tell(told: Told, line: Any, case: Mapping[str, Any]) -> None:
    """One line: a move, or (as a mapping without ``do``) a change of the world."""
    told.moves += 1
    if isinstance(line, dict) and "do" not in line:
        told.world.values |= line.get("values", {})
        told.world.persons_of |= line.get("persons", {})
        told.world.holders |= line.get("roles", {})
        if "expect" in line:
            _expect(told, line["expect"])
        return
    words, refused, quiet = _words(line)
    if "migrate" in words:
        _migrate(told, words, case, refused)
        return
    move = _move(told, words, line if isinstance(line, dict) else {})
    before = told.run
    outcome = make(told.flow, before, move, told.world)
    assert [one.code for one in outcome.problems] == refused, f"{line}: {outcome.problems}"
    if refused or quiet:
        assert outcome.entry is None, line
        assert outcome == Advanced(run=before, problems=outcome.problems)
        return
    assert outcome.entry is not None, f"{line} came to nothing"
    told.take(outcome)


def _words(line: Any) -> tuple[list[str], list[str], bool]:
    """The words of a move, the problems it is refused with (``!code``), and whether nothing happens (``~``)."""
    words = str(line["do"] if isinstance(line, dict) else line).split()
    refused = [word[1:] for word in words if word.startswith("!")]
    return [word for word in words if word[0] not in "!~"], refused, "~" in words


def _move(told: Told, words: list[str], more: Mapping[str, Any]) -> Move:
    """``11 agree``, ``11 add_sign before 12 13``, ``11 return a back``, ``timer a 0``, ``child s 5 approved``.

    ``@26`` is hours after the start, ``+word`` the remark, ``^a`` the node whose seat is used, ``admin`` the right.
    """
    at = START + timedelta(minutes=told.moves)
    facts: dict[str, Any] = {}
    if words[0] == "admin":
        words, facts["by"], facts["admin"] = words[1:], ADMINISTRATOR, True
    elif words[0].isdigit():
        facts["by"], words = int(words[0]), words[1:]
    else:
        facts["by"] = 0
    facts["kind"], rest = MoveKind(words[0]), []
    for word in words[1:]:
        if word[0] == "@":
            at = START + timedelta(hours=int(word[1:]))
        elif word[0] == "+":
            facts["comment"] = word[1:]
        elif word[0] == "^":
            facts["seat"] = _seat_at(told, word[1:], facts["by"])
        else:
            rest.append(word)
    numbers = [int(word) for word in rest if word.isdigit()]
    names = [word for word in rest if not word.isdigit()]
    facts |= _arguments(told, facts["kind"], names, numbers)
    facts |= {name: value for name, value in more.items() if name != "do"}
    if "files" in facts:
        facts["files"] = tuple(facts["files"])
    if "chosen" in facts:
        facts["chosen"] = {node: tuple(users) for node, users in facts["chosen"].items()}
    return Move(at=at, **facts)


def _arguments(told: Told, kind: MoveKind, names: list[str], numbers: list[int]) -> dict[str, Any]:
    if kind is MoveKind.RETURN:
        return {"node": names[0], "back": "back" in names[1:]}
    if kind is MoveKind.REJECT:
        return {"back": "back" in names}
    if kind is MoveKind.REACTIVATE:
        return {"node": names[0] if names else ""}
    if kind is MoveKind.ADD_SIGN:
        return {"place": names[0] if names else "", "users": tuple(numbers)}
    if kind is MoveKind.SIGNAL:
        return {"event": names[0], "token": _token_at(told, names[1]) if len(names) > 1 else 0}
    if kind is MoveKind.TIMER:
        return {"token": _token_at(told, names[0]), "timer": numbers[0] if numbers else -1}
    if kind is MoveKind.CHILD:
        result = names[1] if len(names) > 1 else ""
        return {"token": _token_at(told, names[0]), "children": tuple(numbers), "result": result}
    if kind is MoveKind.NAMED or (kind is MoveKind.REASSIGN and names):
        return {"token": _token_at(told, names[0]), "users": tuple(numbers)}
    if kind is MoveKind.REASSIGN and len(numbers) == 2:
        return {"seat": _seat_at(told, "", numbers[0]), "users": (numbers[1],)}
    return {"users": tuple(numbers)}


def _token_at(told: Told, node: str) -> int:
    """The place now at ``node``, else the last one there was; ``step0.1`` for a step without a key."""
    for outcome in reversed(told.every):
        for token in outcome.run.tokens:
            if _name(token) == node:
                return token.id
    return 999


def _name(token: Token) -> str:
    return token.node or "step" + ".".join(map(str, token.path))


def _seat_at(told: Told, node: str, user: int) -> int:
    """A seat of the user (at ``node``), open ones first, then the latest."""
    run = told.run
    tokens = {token.id: token.node for outcome in told.every for token in outcome.run.tokens}
    found = [seat for seat in run.seats if seat.user == user and node in ("", tokens.get(seat.token))]
    found.sort(key=lambda seat: (seat.state is SeatState.OPEN, seat.id))
    return found[-1].id if found else 999


def _migrate(told: Told, words: list[str], case: Mapping[str, Any], refused: list[str]) -> None:
    """``migrate a=b``: to the steps under ``later``."""
    later = flow_of({"steps": case["later"]} | {name: case[name] for name in OPTIONS if name in case})
    mapping = dict(word.split("=") for word in words[1:])
    assert sorted(one.code for one in touched(told.flow, later, told.run)) == sorted(case.get("touched", []))
    at = START + timedelta(minutes=told.moves)
    outcome = migrate(told.run, told.flow, later, mapping, at, ADMINISTRATOR, snapshot="later")
    assert [one.code for one in outcome.problems] == refused
    if not refused:
        told.flow = told.world.flow = later
        told.take(outcome)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _whom(seat: Seat) -> Any:
    return seat.user if seat.user is not None else f"role {seat.role}"


def _by_node(told: Told, *states: SeatState) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for token in told.run.tokens:
        seats = [seat for seat in told.run.seats if seat.token == token.id and seat.state in states]
        if seats:
            found.setdefault(_name(token), []).extend(_whom(seat) for seat in seats)
    return found


def _seats(told: Told) -> list[str]:
    return [f"{_whom(seat)} {seat.kind} {seat.state}" for seat in told.run.seats]


def _hours(moment: datetime) -> float:
    return round((moment - START) / timedelta(hours=1), 3)


def _expect(told: Told, expect: Mapping[str, Any]) -> None:
    run, every = told.run, told.every
    waiting = {_name(token): str(token.state) for token in run.tokens if token.state not in ("people", "stuck")}
    seen: dict[str, Any] = {
        "status": str(run.status),
        "final": run.final,
        "at": [_name(token) for token in run.tokens],
        "asked": _by_node(told, SeatState.OPEN),
        "queued": _by_node(told, SeatState.QUEUED),
        "waiting": waiting,
        "stuck": {_name(token): token.reason.code for token in run.tokens if token.reason is not None},
        "seats": _seats(told),
        "round": run.round,
        "starter": run.starter,
        "passed": [one.node for one in run.passed],
        "agreed": {one.node: list(one.users) for one in run.passed},
        "copied": [[one.node, [_asked(each) for each in one.to]] for step in every for one in step.copied],
        "actions": [one.key for step in every for one in step.actions],
        "subflows": [[token, one.key] for step in every for token, one in step.subflows],
        "granted": [_whom(seat) for step in every for seat in step.granted],
        "timers": [[one.node, one.number, _hours(one.due)] for step in every for one in step.timers],
        "reminded": [[_whom(_seat(run, one.seat)), one.why] for step in every for one in step.reminded],
        "resolve": [_name(_token(step, token)) for step in every for token in step.resolve],
        "opened_now": sorted((_whom(seat) for seat in told.last.opened), key=str),
        "ended_now": sorted((f"{_whom(seat)} {seat.state}" for seat in told.last.ended), key=str),
        "arrived_now": [_name(token) for token in told.last.arrived],
        "behalf": {seat.user: seat.behalf for seat in run.open_seats() if seat.behalf is not None},
        "comments": [entry.move.comment for entry in told.entries if entry.move.kind is MoveKind.COMMENT],
        "files": [file for entry in told.entries for file in entry.move.files],
        "log": [str(entry.move.kind) for entry in told.entries],
    }
    wanted = {name: value for name, value in expect.items() if name != "offers"}
    assert {name: seen[name] for name in wanted} == wanted
    for viewer, offered in expect.get("offers", {}).items():
        _offered(told, str(viewer), offered)
    assert run.status is not RunStatus.RUNNING or run.tokens


def _asked(one: Any) -> Any:
    return one.user if one.user is not None else f"role {one.role}"


def _seat(run: Run, number: int) -> Seat:
    seat = run.seat(number)
    assert seat is not None
    return seat


def _token(outcome: Advanced, number: int) -> Token:
    token = outcome.run.token(number)
    assert token is not None
    return token


def _offered(told: Told, viewer: str, wanted: Mapping[str, Any]) -> None:
    """``wanted``: move → True, the code of the reason, or what it may name; ``agree@a`` for the seat at a node."""
    user = ADMINISTRATOR if viewer == "admin" else int(viewer)
    roles = frozenset(role for role, holders in told.world.holders.items() if user in holders)
    at = START + timedelta(minutes=told.moves + 1)
    made = offers(told.flow, told.run, Viewer(user=user, roles=roles, admin=viewer == "admin", at=at))
    for name, value in wanted.items():
        kind, _, node = name.partition("@")
        fitting = [one for one in made if one.kind == kind and node in ("", _node(told, one))]
        assert fitting, f"{name} is not among the offers"
        assert _matches(fitting[0], value), f"{viewer} {name}: {fitting[0]}"


def _node(told: Told, offer: Offer) -> str:
    seat = told.run.seat(offer.seat)
    token = told.run.token(seat.token) if seat is not None else None
    return token.node if token is not None else ""


def _matches(offer: Offer, value: Any) -> bool:
    if isinstance(value, str):
        return offer.refused is not None and offer.refused.code == value
    if offer.refused is not None:
        return False
    if isinstance(value, dict):
        facts = {name: _plain(getattr(offer, name)) for name in value}
        return facts == value
    return value is True


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value


def test_there_are_cases() -> None:
    """At least a hundred and fifty, with names of their own in each file."""
    count = len(cases())
    assert count >= 150
    for path, content in documents():
        names = [case["name"] for case in content["cases"]]
        assert len(names) == len(set(names)), path.name
