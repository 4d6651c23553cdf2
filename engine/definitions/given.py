"""What a test beside a definition gives: written values → names as expressions see them.

``available: 5``, ``product: {safety_stock: 10}``, ``lines: [{qty: 1}]``. What is left out is empty. ``today()`` answers
the day given as ``today``. What is not given of ``app`` is what the app itself says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.references import complaint
from engine.expressions import Clock, Kind, Path, Row, Scope, ValueType
from engine.problems import Problem, suggestion

TODAY = "today"
PSEUDO = "$"  # what a function asks to be loaded beside the fields; a test has none
DEFAULT_DAY = "2026-01-05"
APP = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Names and the clock of one test."""

    names: Mapping[str, object]
    clock: Clock


def given_names(
    loaded: Loaded, written: Mapping[str, object], paths: frozenset[Path], scope: Scope, place: Place
) -> Given | tuple[Problem, ...]:
    """A value for every name that is read, or what is wrong with what is given.

    Args:
        paths: what will be read. place: where ``written`` stands.
    """
    given = dict(written)
    day = str(given.pop(TODAY, DEFAULT_DAY)) if TODAY not in scope.names else DEFAULT_DAY
    stray = [name for name in given if name not in scope.names]
    if stray:
        return tuple(
            complaint(
                loaded, place / name, "definition.unknown_given", key=True, name=name, **suggestion(name, scope.names)
            )
            for name in stray
        )
    tops = {path[0] for path in paths}
    try:
        clock = Clock(date.fromisoformat(day), datetime.fromisoformat(day))
        names = {name: _value(given.get(name), scope.names[name], _below(paths, name), (name,), scope) for name in tops}
        if isinstance(app := names.get(APP), Row):
            names[APP] = _with_settings(loaded, given.get(APP), app)
    except _NotReadable as refused:
        at = Place(place.kind, place.name, (*place.path, *refused.path))
        return (complaint(loaded, at, "definition.given_value", kind=str(refused.kind)),)
    except ValueError:
        return (complaint(loaded, place / TODAY, "definition.expected_date", value=day),)
    return Given(names=names, clock=clock)


def _with_settings(loaded: Loaded, written: object, app: Row) -> Row:
    """The company switches and options a test does not give, as the app sets them."""
    settings = loaded.app.company() if loaded.app is not None else {}
    given = written if isinstance(written, dict) else {}
    kept = {name: settings.get(name) if name not in given else value for name, value in app.values.items()}
    return Row(id=app.id, values=kept)


class _NotReadable(Exception):
    """A given value does not fit the type of its name; carries the path below ``given``."""

    def __init__(self, path: tuple[str | int, ...], kind: Kind) -> None:
        self.path = path
        self.kind = kind
        super().__init__(str(path))


def _below(paths: frozenset[Path], name: str) -> frozenset[Path]:
    return frozenset(path[1:] for path in paths if path[0] == name and len(path) > 1)


def _value(raw: object, kind: ValueType, wanted: frozenset[Path], at: tuple[str | int, ...], scope: Scope) -> object:
    if kind.kind is Kind.LINES:
        rows = raw if isinstance(raw, list) else []
        return tuple(_row(row, kind, wanted, (*at, index), scope, index + 1) for index, row in enumerate(rows))
    if isinstance(raw, dict) or (wanted and kind.kind in (Kind.LINK, Kind.MEMBER, Kind.DEPARTMENT)):
        return _row(raw, kind, wanted, at, scope, 1)
    if raw is None:
        return None
    if not isinstance(raw, str):
        raise _NotReadable(at, kind.kind)
    return _scalar(raw, kind.kind, at)


def _row(
    raw: object, kind: ValueType, wanted: frozenset[Path], at: tuple[str | int, ...], scope: Scope, number: int
) -> Row:
    written: Mapping[str, object] = raw if isinstance(raw, dict) else {}
    fields = scope.records.get(kind.record, {})
    values: dict[str, object] = {}
    for name in {path[0] for path in wanted}:
        if name.startswith(PSEUDO):
            values[name] = {}
            continue
        type_ = fields.get(name, ValueType(Kind.NOTHING))
        values[name] = _value(written.get(name), type_, _below(wanted, name), (*at, name), scope)
    return Row(id=number if raw is not None else None, values=values)


def _scalar(raw: str, kind: Kind, at: tuple[str | int, ...]) -> object:
    try:
        match kind:
            case Kind.NUMBER:
                return Decimal(raw)
            case Kind.BOOLEAN:
                return {"true": True, "false": False}[raw]
            case Kind.DATE:
                return date.fromisoformat(raw)
            case Kind.DATETIME:
                return datetime.fromisoformat(raw)
            case Kind.LINK | Kind.MEMBER | Kind.DEPARTMENT:
                return int(raw)
            case Kind.CHOICES:
                return tuple(raw.split(","))
            case _:
                return raw
    except (ValueError, KeyError, InvalidOperation) as wrong:
        raise _NotReadable(at, kind) from wrong
