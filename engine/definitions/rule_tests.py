"""The tests a rule carries: given names, does it fire? Run wherever an app is checked, so a broken rule never ships.

``given`` names what the condition reads: ``available: 5``, ``product: {safety_stock: 10}``, ``lines: [{qty: 1}]``, and
figures of look-ups. What it leaves out is empty. ``today()`` answers the day given as ``today``. ``old`` is the record
before the change, ``results`` what the decision table gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.decisions.table import Results, decide
from engine.definitions.compiled import AppBundle
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.file_kinds import RULES
from engine.definitions.load import Loaded, load
from engine.definitions.reading import Place
from engine.definitions.references import complaint, unknown
from engine.definitions.rule import RuleTest
from engine.definitions.rule_scopes import OLD
from engine.expressions import Clock, EvaluationFailed, Kind, Path, Row, Scope, ValueType, evaluate
from engine.problems import Problem, suggestion
from engine.texts import shown

TODAY = "today"
PSEUDO = "$"  # what a function asks to be loaded beside the fields; a test has none
DEFAULT_DAY = "2026-01-05"


class _NotReadable(Exception):
    """A given value does not fit the type of its name; carries the path below ``given``."""

    def __init__(self, path: tuple[str | int, ...], kind: Kind) -> None:
        self.path = path
        self.kind = kind
        super().__init__(str(path))


def rule_tests_pass(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """Every test of every rule gives what it says."""
    for key, rule in bundle.rules.items():
        for index, test in enumerate(rule.definition.tests):
            yield from _run(loaded, bundle, rule, test, rule.scope, Place(RULES, key, ("tests", index)))


def run_rule_tests(bundle: AppBundle) -> Iterator[Problem]:
    """The same for a bundle that was published: its texts are read again for their addresses."""
    yield from rule_tests_pass(load(bundle.files, bundle.kinds), bundle)


def _run(
    loaded: Loaded, bundle: AppBundle, rule: CompiledRule, test: RuleTest, scope: Scope, place: Place
) -> Iterator[Problem]:
    given = dict(test.given) | ({OLD: test.old} if test.old else {})
    day = str(given.pop(TODAY, DEFAULT_DAY)) if TODAY not in scope.names else DEFAULT_DAY
    stray = [name for name in given if name not in scope.names]
    for name in stray:
        at = place / "given" / name
        yield complaint(loaded, at, "definition.unknown_given", key=True, name=name, **suggestion(name, scope.names))
    if stray:
        return
    try:
        clock = Clock(date.fromisoformat(day), datetime.fromisoformat(day))
        names = _names(_read(rule), given, scope)
        fired = evaluate(rule.condition, names, clock, bundle.kinds.functions) is True
        results: tuple[Results, ...] = ()
        if fired and rule.table is not None:
            results = decide(rule.table, names, clock).results
            fired = bool(results)
    except ValueError:
        yield complaint(loaded, place / "given" / TODAY, "definition.expected_date", value=day)
    except _NotReadable as refused:
        at = Place(place.kind, place.name, (*place.path, "given", *refused.path))
        yield complaint(loaded, at, "definition.given_value", kind=str(refused.kind))
    except EvaluationFailed as failed:
        yield complaint(loaded, place, "definition.rule_test_failed", reason=failed.problem.code)
    else:
        if fired is not test.fires:
            code = "definition.rule_fired" if fired else "definition.rule_did_not_fire"
            yield complaint(loaded, place / "fires", code, rule=rule.definition.label, number=place.path[-1])
        yield from _results(loaded, rule, test, results, place)


def _read(rule: CompiledRule) -> frozenset[Path]:
    """The paths the condition and the table read."""
    table = rule.table
    if table is None:
        return rule.condition.names
    written = [*table.inputs.values(), *table.otherwise.values()]
    for row in table.rows:
        written += [*row.cells.values(), *row.results.values()]
    paths = rule.condition.names.union(*(checked.names for checked in written))
    return frozenset(path for path in paths if path[0] not in table.inputs or path[0] in rule.scope.names)


def _results(
    loaded: Loaded, rule: CompiledRule, test: RuleTest, results: tuple[Results, ...], place: Place
) -> Iterator[Problem]:
    outputs = rule.table.outputs if rule.table is not None else ()
    for name, wanted in test.results.items():
        at = place / "results" / name
        yield from unknown(loaded, at, "definition.unknown_result", name, outputs, key=True)
        if name not in outputs:
            continue
        values = [one[name] for one in results]
        got = [_told(each) for value in values for each in (value if isinstance(value, tuple) else (value,))]
        expected = [_plainly(each) for each in (wanted if isinstance(wanted, list) else [wanted])]
        if got != expected:
            yield complaint(
                loaded,
                at,
                "definition.results_differ",
                rule=rule.definition.label,
                number=place.path[-1],
                name=name,
                expected="、".join(expected),
                got="、".join(got) or "-",
            )


def _told(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else shown(value)


def _plainly(raw: object) -> str:
    """What an author wrote, as ``_told`` writes it: ``5.0`` and ``5`` are the same."""
    text = "-" if raw is None else str(raw)
    try:
        return shown(Decimal(text)) if text.strip()[:1] in "+-.0123456789" else text
    except InvalidOperation:
        return text


def _names(paths: frozenset[Path], given: Mapping[str, Any], scope: Scope) -> Mapping[str, object]:
    """A value for every name the condition reads."""
    tops = {path[0] for path in paths}
    return {name: _value(given.get(name), scope.names[name], _below(paths, name), (name,), scope) for name in tops}


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
