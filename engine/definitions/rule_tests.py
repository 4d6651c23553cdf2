"""The tests a rule carries: given names, does it fire? Run wherever an app is checked, so a broken rule never ships.

``given`` names what the condition reads: ``available: 5``, ``product: {safety_stock: 10}``, ``lines: [{qty: 1}]``, and
figures of look-ups. What it leaves out is empty. ``today()`` answers the day given as ``today``. ``old`` is the record
before the change, ``results`` what the decision table gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from engine.decisions.table import Results, decide
from engine.definitions.compiled import AppBundle
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.file_kinds import RULES
from engine.definitions.given import Given, given_names
from engine.definitions.load import Loaded, load
from engine.definitions.reading import Place
from engine.definitions.references import complaint, unknown
from engine.definitions.rule import RuleTest
from engine.definitions.rule_scopes import OLD
from engine.expressions import EvaluationFailed, Path, Scope, evaluate
from engine.problems import Problem
from engine.texts import shown


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
    written = dict(test.given) | ({OLD: test.old} if test.old else {})
    given = given_names(loaded, written, _read(rule), scope, place / "given")
    if not isinstance(given, Given):
        yield from given
        return
    results: tuple[Results, ...] = ()
    try:
        fired = evaluate(rule.condition, given.names, given.clock, bundle.kinds.functions) is True
        if fired and rule.table is not None:
            results = decide(rule.table, given.names, given.clock).results
            fired = bool(results)
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
