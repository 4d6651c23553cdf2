"""规则: what the published app does by itself, in plain words, and how often it did. Administrators only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engine.definitions.compiled_rule import CompiledRule
from engine.problems import Refused, problem
from engine.texts import shown
from runtime.facade.door import Door
from runtime.facade.endpoints import administrator
from runtime.facade.rule_log import RunRow, run_rows
from runtime.facade.rule_words import Speaking
from runtime.messages import catalogue
from runtime.storage import rule_figures, rule_runs
from runtime.storage.database import read
from runtime.storage.rule_figures import RuleFigures

WEEK, MONTH = timedelta(days=7), timedelta(days=30)
LATEST = 10
NO_FIGURES = RuleFigures()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """A rule in the list. ``figures``: firings of the last 7 and 30 days, failures of 30 days, the last run."""

    key: str
    label: str
    trigger: str
    active: bool
    figures: RuleFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A decision table as rows of texts: cells of the inputs, then results of the outputs."""

    hit: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    otherwise: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestView:
    """A case the rule carries: what is given, and whether it fires."""

    given: tuple[tuple[str, str], ...]
    old: tuple[tuple[str, str], ...]
    fires: bool
    results: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """One rule.

    Attributes:
        condition: in plain words, empty when it always holds. consequences, lookups, remembering: a sentence each.
        source: its file as it was published.
    """

    row: RuleRow
    condition: str
    table: TableView | None
    lookups: tuple[str, ...]
    consequences: tuple[str, ...]
    remembering: tuple[str, ...]
    source: str
    tests: tuple[TestView, ...]
    runs: tuple[RunRow, ...]


def rule_rows(door: Door) -> tuple[RuleRow, ...]:
    """The rules of the app, in the order of their names; figures with one query. Administrators only."""
    administrator(door)
    with read(door.workspace.database) as connection:
        now = door.house.now()
        counted = rule_figures.figures(connection, now - WEEK, now - MONTH)
    rows = [_row(door, rule, counted.get(key, NO_FIGURES)) for key, rule in door.bundle.rules.items()]
    return tuple(sorted(rows, key=lambda row: (not row.active, row.label)))


def rule_view(door: Door, key: str) -> RuleView:
    """One rule with its latest runs. Administrators only.

    Raises:
        Refused: ``missing`` when the published app has no such rule.
    """
    administrator(door)
    rule = door.bundle.rules.get(key)
    if rule is None:
        raise Refused([problem("rules.unknown")], "missing")
    with door.reading() as unit:
        now = door.house.now()
        counted = rule_figures.figures(unit.connection, now - WEEK, now - MONTH)
        runs = run_rows(door, unit, rule_runs.latest(unit.connection, rule=key, limit=LATEST))
    words = Speaking(door=door, rule=rule)
    return RuleView(
        row=_row(door, rule, counted.get(key, NO_FIGURES)),
        condition=words.condition(),
        table=_table(words, rule),
        lookups=words.lookups(),
        consequences=words.consequences(),
        remembering=words.remembering(),
        source=door.bundle.files.get(f"rules/{key}.yaml", ""),
        tests=_tests(words, rule),
        runs=runs,
    )


def _row(door: Door, rule: CompiledRule, figures: RuleFigures) -> RuleRow:
    written = rule.definition
    return RuleRow(
        key=written.rule,
        label=written.label.text(door.language),
        trigger=Speaking(door=door, rule=rule).trigger(),
        active=written.active,
        figures=figures,
    )


def _table(words: Speaking, rule: CompiledRule) -> TableView | None:
    written = rule.definition.table
    if written is None:
        return None
    return TableView(
        hit=words.named("rules.hit_", written.hit),
        inputs=tuple(words.text(text, {}) for text in written.inputs.values()),
        outputs=written.outputs,
        rows=tuple(
            (
                tuple(row.when.get(name, "-") for name in written.inputs),
                tuple(row.then.get(name, "") for name in written.outputs),
            )
            for row in written.rows
        ),
        otherwise=tuple(written.otherwise.get(name, "") for name in written.outputs) if written.otherwise else (),
    )


def _tests(words: Speaking, rule: CompiledRule) -> tuple[TestView, ...]:
    return tuple(
        TestView(
            given=_pairs(words, one.given),
            old=_pairs(words, one.old),
            fires=one.fires,
            results=tuple((name, shown(value)) for name, value in one.results.items()),
        )
        for one in rule.definition.tests
    )


def _pairs(words: Speaking, given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Names and values of a test; a record's fields by their paths, lines as one text each."""
    made: list[tuple[str, str]] = []

    def tell(path: tuple[str, ...], value: object, place: str = "") -> None:
        made.append((words.path(path) + place, _text(words, path, value)))

    for name, value in given.items():
        if isinstance(value, dict):
            for key, each in value.items():
                tell((name, str(key)), each)
        elif isinstance(value, list):
            for number, line in enumerate(value, start=1):
                for path, each in _cells(name, line):
                    tell(path, each, f" #{number}")
        else:
            tell((name,), value)
    return tuple(made)


def _cells(name: str, line: object) -> list[tuple[tuple[str, ...], object]]:
    return [((name, str(key)), each) for key, each in line.items()] if isinstance(line, dict) else [((name,), line)]


def _text(words: Speaking, path: tuple[str, ...], value: object) -> str:
    """A value of a test: the choice it is the key of, yes and no, or as it is written."""
    if value is None:
        return "—"
    field = words.field(path)
    choices = getattr(field.options, "choices", None) if field is not None else None
    chosen = choices.get(value) if choices and isinstance(value, str) else None
    return chosen.text(words.door.language) if chosen is not None else catalogue.shown(value, words.door.language)
