"""The stored form of runs, moves and entries: JSON in which what is usual is left out.

``format`` 2 is written. Format 1 (a single position, no seats) still opens, see ``engine.workflow.stored_before``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from engine.definitions.compiled import CompiledWorkflow
from engine.labels import Label
from engine.problems import Param, Problem, Severity
from engine.workflow.move import Move, MoveKind
from engine.workflow.state import (
    FORMAT,
    Asked,
    Child,
    Due,
    Entry,
    Found,
    Join,
    Last,
    Passed,
    Path,
    Run,
    RunStatus,
    Seat,
    SeatKind,
    SeatState,
    Token,
    TokenState,
)
from engine.workflow.stored_before import run_of_format_1

Record = TypeVar("Record")
Json = Mapping[str, Any]


def run_json(run: Run) -> Json:
    """The stored form of a run."""
    return {"format": FORMAT, **_plain(run)}


def run_from_json(data: Json, flow: CompiledWorkflow | None = None, asked: Sequence[Asked] = ()) -> Run:
    """Inverse of ``run_json``.

    Args:
        flow, asked: for a run of format 1 only, which knew neither: its workflow, and whom its open tasks ask.
    """
    if "format" not in data:
        return run_of_format_1(data, flow, asked)
    return _read(Run, {name: value for name, value in data.items() if name != "format"})


def move_json(move: Move) -> Json:
    """The stored form of a move."""
    return dict(_plain(move))


def entry_json(entry: Entry) -> Json:
    """The stored form of a line of the log: ``number``, ``move`` and ``found``."""
    return {"number": entry.number, "move": move_json(entry.move), "found": _plain(entry.found)}


def entry_from_json(data: Json) -> Entry:
    """Inverse of ``entry_json``."""
    return _read(Entry, data)


def _plain(value: Any) -> Any:
    if isinstance(value, Problem):
        params = {name: _param_json(each) for name, each in value.params.items()}
        return {"code": value.code, "where": value.where, "params": params, "severity": str(value.severity)}
    if is_dataclass(value) and not isinstance(value, type):
        kept = ((one, getattr(value, one.name)) for one in fields(value))
        return {one.name: _plain(each) for one, each in kept if each != _default(one)}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value


def _default(one: Any) -> Any:
    if one.default_factory is not MISSING:
        return one.default_factory()
    return one.default


def _param_json(value: Param) -> object:
    if isinstance(value, Label):
        return {"zh": value.zh, "en": value.en}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    return {"date": value.isoformat()} if isinstance(value, date) else value


def _param(data: Any) -> Param:
    if not isinstance(data, Mapping):
        return str(data) if isinstance(data, str) else int(data)
    if "decimal" in data:
        return Decimal(data["decimal"])
    if "moment" in data:
        return datetime.fromisoformat(data["moment"])
    return date.fromisoformat(data["date"]) if "date" in data else Label(zh=data["zh"], en=data["en"])


def _problem(data: Json) -> Problem:
    return Problem(
        code=data["code"],
        where=data["where"],
        params=MappingProxyType({name: _param(each) for name, each in data["params"].items()}),
        severity=Severity(data["severity"]),
    )


def _read(kind: type[Record], data: Json) -> Record:
    readers = READERS.get(kind, {})
    return kind(**{name: readers.get(name, _same)(value) for name, value in data.items()})


def _same(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _many(kind: type[Any]) -> Callable[[Any], Any]:
    return lambda data: tuple(_read(kind, each) for each in data)


def _named(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda data: MappingProxyType({name: read(each) for name, each in data.items()})


def _path(data: Sequence[int]) -> Path:
    return tuple(data)


READERS: Mapping[type[Any], Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        Run: {
            "status": RunStatus,
            "tokens": _many(Token),
            "seats": _many(Seat),
            "joins": _many(Join),
            "passed": _many(Passed),
            "chosen": _named(_same),
            "urged_at": datetime.fromisoformat,
            "last": lambda data: _read(Last, data),
        },
        Last: {"before": lambda data: _read(Run, data)},
        Token: {
            "state": TokenState,
            "arrived": datetime.fromisoformat,
            "reason": _problem,
            "due": _many(Due),
            "children": _many(Child),
        },
        Due: {"at": datetime.fromisoformat},
        Seat: {"state": SeatState, "kind": SeatKind, "decided_at": datetime.fromisoformat},
        Join: {},
        Move: {"kind": MoveKind, "at": datetime.fromisoformat, "chosen": _named(_same)},
        Found: {
            "arms": _named(_same),
            "persons": _named(_many(Asked)),
            "moments": _named(lambda data: tuple(map(datetime.fromisoformat, data))),
            "holders": lambda data: tuple((int(user), str(role)) for user, role in data),
            "failed": _named(_problem),
            "run": lambda data: _read(Run, data),
        },
        Entry: {"move": lambda data: _read(Move, data), "found": lambda data: _read(Found, data)},
    }
)
