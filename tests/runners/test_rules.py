"""Rules as data: every case of tests/cases/rules, judged in the app of ``_app.yaml`` there.

A file holds a ``rule`` and its ``cases``: what is given, remembered and found; the verdict that must come of it. Files
with ``schedules``, ``dates`` or ``events`` ask what time and happenings wake.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of, read_bundle
from engine.definitions.compiled import AppBundle
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.file_kinds import RULES
from engine.definitions.given import Given, given_names
from engine.definitions.load import load
from engine.definitions.people import Who
from engine.definitions.reading import Place
from engine.definitions.rule import DateTrigger
from engine.definitions.rule_scopes import line_record
from engine.document import DocStatus, Document, Line
from engine.effects import effect_from_json, effect_json
from engine.expressions import Clock
from engine.expressions.types import Row
from engine.kinds import Kinds, PluginKind
from engine.labels import Label
from engine.problems import Problem
from engine.rules import triggers
from engine.rules.dates import date_key, due_at, windows
from engine.rules.evaluate import escalated, judge
from engine.rules.facts import Facts, changed_paths, plain
from engine.rules.lookups import lookup_needs, with_found
from engine.rules.marks import Marks
from engine.rules.verdict import Verdict, refusals
from engine.rules.world import MatchNeed
from engine.schedules.read import schedule_of
from engine.schedules.tell import told

FOLDER = Path(__file__).parent.parent / "cases" / "rules"
NOW = "2026-01-05T09:00"
FILES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("[a-z]*.yaml"))}
APP: Mapping[str, str] = yaml.safe_load((FOLDER / "_app.yaml").read_text("utf-8"))
NAMED = PluginKind(label=Label("打印", "Print"), params=("copies", "text"), required=("copies",))


def kinds() -> Kinds:
    resolver = PluginKind(label=Label("人事", "HR"), params=("region",))
    return replace(built_in_kinds(), actions={"printer": NAMED}, resolvers={"hr": resolver}, channels={"email": NAMED})


def of_kind(kind: str) -> list[Any]:
    return [
        pytest.param(content, case, id=f"{stem}: {case['name']}")
        for stem, content in FILES.items()
        for case in content.get(kind, ())
    ]


@cache
def bundle(rules: tuple[str, ...]) -> AppBundle:
    texts = {f"rules/{yaml.safe_load(text)['rule']}.yaml": text for text in rules}
    made = bundle_of(dict(APP) | texts, kinds())
    assert isinstance(made, AppBundle), [f"{one.where} {one.code} {dict(one.params)}" for one in made]
    return made


def rule_of(content: Mapping[str, Any]) -> tuple[AppBundle, CompiledRule]:
    made = bundle((content["rule"],))
    return made, next(iter(made.rules.values()))


class World:
    """Answers as the case gives them."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.case = case
        self.asked: list[MatchNeed] = []

    def people(self, way: Who, facts: Facts, params: Mapping[str, object]) -> tuple[int, ...]:
        told = self.case.get("params")
        assert told is None or told == dict(params)
        return tuple(self.case.get("people", {}).get(way.given()[0], ()))

    def matching(self, need: MatchNeed) -> tuple[Row, ...]:
        self.asked.append(need)
        return tuple(Row(id=row["id"], values=typed(row)) for row in self.case.get("matching", ()))

    def after_working_hours(self, moment: datetime, hours: int) -> datetime:
        return moment + timedelta(days=hours)  # so that it is told apart from hours on the wall


def typed(row: Mapping[str, Any]) -> Mapping[str, object]:
    return {name: Decimal(value) if isinstance(value, int) else value for name, value in row.items() if name != "id"}


def texts(value: Any) -> Any:
    """YAML values as definitions have them: all texts."""
    if isinstance(value, dict):
        return {key: texts(each) for key, each in value.items()}
    if isinstance(value, list):
        return [texts(each) for each in value]
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: None}[value]
    return str(value)


def facts_of(made: AppBundle, rule: CompiledRule, case: Mapping[str, Any]) -> Facts:
    paths = set(rule.named())
    for checked, table in rule.placed():
        for path in checked.names:
            own = path[1:] if path[0] in ("row", "line") else path
            columns = rule.scope.records.get(line_record(rule.scope, table), {})
            paths.add((*table.split("."), *own) if own and own[0] in columns else own)
    for at, checked in rule.expressions.items():
        if "update" in at:
            paths |= {path[1:] for path in checked.names if path[0] == "row"}
    paths = {path for path in paths if path and path[0] in rule.scope.names}
    lookups = {name for name, each in rule.definition.lookups.items() if each.each is None}
    given = {name: texts(value) for name, value in case.get("given", {}).items()}
    if "old" in case:
        given["old"] = texts(case["old"])
    place = Place(RULES, rule.definition.rule, ())
    found = given_names(load(made.files, made.kinds), given, frozenset(paths), rule.scope, place)
    assert isinstance(found, Given), found
    names = {name: identified(case, name, value) for name, value in found.names.items() if name not in lookups}
    if rule.definition.when.on or rule.definition.when.fields:
        names.setdefault("old", None)
    names["app"] = Row(id=None, values=made.app.company() | dict(typed(case.get("app", {}))))
    form = rule.definition.when.form or ""
    stock = rule.definition.when.ledger == "stock"
    record = case.get("document", 7 if form else None)
    return Facts(
        names=names,
        form=form,
        document=record,
        key=f"{form}:{record}" if form else case.get("key", ""),
        trigger="case",
        chain=tuple(case.get("chain", ())),
        starter=case.get("starter", 3),
        about=Row(id=4, values=getattr(names.get("product"), "values", {})) if stock else None,
        about_form="product" if stock else "",
    )


def identified(case: Mapping[str, Any], name: str, value: object) -> object:
    """A record given by its number alone is that record."""
    given = case.get("given", {}).get(name)
    if name == "old" and "old" not in case:
        return None
    return Row(id=given, values=value.values) if isinstance(value, Row) and isinstance(given, int) else value


def clock_of(case: Mapping[str, Any]) -> Clock:
    now = datetime.fromisoformat(case.get("now", NOW))
    return Clock(today=now.date(), now=now)


def verdict_of(content: Mapping[str, Any], case: Mapping[str, Any]) -> tuple[Verdict, World, list[Any]]:
    made, rule = rule_of(content)
    clock = clock_of(case)
    facts = facts_of(made, rule, case)
    asked = lookup_needs(rule, [facts], clock)
    answers = case.get("found", {})
    found = [
        (one, {key: figure(answers.get(one.need.name, {}), key) for key in one.need.keys if known(answers, one, key)})
        for one in asked
    ]
    facts = with_found(rule, [facts], found, clock)[0]
    marked = case.get("marks", {})
    fired_at = marked.get("fired_at")
    marks = Marks(
        open=marked.get("open", False), fired_at=datetime.fromisoformat(fired_at) if fired_at is not None else None
    )
    world = World(case)
    return judge(rule, facts, clock, marks, world), world, [one.need for one in asked]


def key_text(key: tuple[object, ...]) -> str:
    return ",".join(str(plain(each)) for each in key)


def known(answers: Mapping[str, Any], one: Any, key: tuple[object, ...]) -> bool:
    given = answers.get(one.need.name)
    return given is not None and (not isinstance(given, dict) or key_text(key) in given)


def figure(given: Any, key: tuple[object, ...]) -> object:
    value = given[key_text(key)] if isinstance(given, dict) else given
    if isinstance(value, bool):
        return value
    return Decimal(value) if isinstance(value, int) else value


def brief(effect: Any) -> dict[str, Any]:
    """An effect without what is empty or follows from elsewhere; it survives being stored."""
    stored = json.loads(json.dumps(effect_json(effect)))
    assert effect_json(effect_from_json(json.loads(json.dumps(stored)))) == effect_json(effect)
    return {name: slim(value) for name, value in stored.items() if value not in (None, "", [], {}, 0, False)}


def slim(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"zh", "en"}:
            return value["zh"]
        return {name: slim(each) for name, each in value.items() if each not in (None, "", [], {})}
    return [slim(each) for each in value] if isinstance(value, list) else value


def said(problem: Problem) -> str:
    return " ".join(filter(None, (problem.where, problem.code, str(problem.params.get("message", "")))))


@pytest.mark.parametrize(("content", "case"), of_kind("cases"))
def test_verdicts(content: dict[str, Any], case: dict[str, Any]) -> None:
    verdict, world, needs = verdict_of(content, case)
    expect: dict[str, Any] = case["expect"]
    assert verdict.outcome == expect["outcome"], verdict.error
    got: dict[str, Any] = {
        "outcome": verdict.outcome,
        "effects": [brief(effect) for effect in verdict.effects],
        "problems": [said(one) for one in verdict.problems],
        "warnings": [said(one.problem) for one in verdict.warnings],
        "sets": [[one.path, one.line, plain(one.value)] for one in verdict.sets],
        "key": verdict.key,
        "opens": verdict.opens,
        "closes": verdict.closes,
        "remember": verdict.remember,
        "facts": dict(verdict.facts),
        "results": [dict(one) for one in verdict.results],
        "escalations": [[one.number, one.due_at.isoformat()] for one in verdict.escalations],
        "error": verdict.error.code if verdict.error else "",
        "chain": verdict.error.params.get("chain") if verdict.error else "",
        "stands_in_the_way": [
            said(one)
            for one in refusals(
                [verdict], confirmed=case.get("confirmed", False), reason=case.get("reason", "")
            )
        ],
        "needs": [
            [one.name, one.form or one.ledger, list(one.columns), [key_text(key) for key in one.keys]] for one in needs
        ],
        "since": [one.since.isoformat() if one.since else "" for one in needs],
        "matching": [[one.form, sorted(one.fields)] for one in world.asked],
    }  # fmt: skip
    assert {name: got[name] for name in expect} == expect
    # nothing is done that the case does not say
    for name in ("effects", "problems", "warnings", "sets"):
        assert name in expect or not got[name], (name, got[name])


@pytest.mark.parametrize(("content", "case"), of_kind("schedules"))
def test_schedules(content: dict[str, Any], case: dict[str, Any]) -> None:
    found = schedule_of(case["name"])
    if "problem" in case:
        assert isinstance(found, Problem)
        assert found.code == case["problem"]
        return
    assert not isinstance(found, Problem), found
    moment, moments = datetime.fromisoformat(case.get("after", NOW)), []
    for _ in case["next"]:
        following = found.next_after(moment)
        assert following is not None
        moment = following
        moments.append(moment.strftime("%Y-%m-%d %H:%M"))
    assert moments == case["next"]
    if "told" in case:
        assert [told(found, "zh"), told(found, "en")] == case["told"]


@pytest.mark.parametrize(("content", "case"), of_kind("dates"))
def test_dates(content: dict[str, Any], case: dict[str, Any]) -> None:
    trigger = DateTrigger.model_validate(texts(case["date"]))
    after, until = (datetime.fromisoformat(each) for each in case["between"])
    whole = case.get("whole_days", True)
    found = list(windows(trigger, after, until, whole_days=whole))
    ends = [[each.isoformat("T", "minutes") for each in (one.first, one.last)] for one in found]
    told = [[one.offset, one.unit, *each] for one, each in zip(found, ends, strict=True)]
    assert told == case["windows"]
    for one in found:
        for value in (one.first, one.last):
            due = due_at(trigger, value.date() if whole else value, one.offset, one.unit)
            assert after < due <= until
    if "key" in case:
        first = found[0]
        value = first.first.date() if whole else first.first
        assert date_key("supplier:7", trigger, value, first.offset, first.unit) == case["key"]


EVENTS = {
    "acted": triggers.Acted, "flow": triggers.FlowHappened, "ledger": triggers.LedgerChanged,
    "scheduled": triggers.Scheduled, "date": triggers.DateCame, "received": triggers.Received,
    "pressed": triggers.Pressed, "imported": triggers.Imported,
}  # fmt: skip


@pytest.mark.parametrize(("content", "case"), of_kind("events"))
def test_events_wake_rules(content: dict[str, Any], case: dict[str, Any]) -> None:
    index = triggers.index_of(bundle(tuple(content["rules"])).rules.values())
    (kind, given), *_ = case["event"].items()
    sets = {name: frozenset(value) if isinstance(value, list) else value for name, value in given.items()}
    event: Any = EVENTS[kind](**sets)
    assert [rule.definition.rule for rule in index.woken(event)] == case["wakes"]


@pytest.mark.parametrize(("content", "case"), of_kind("escalations"))
def test_escalations(content: dict[str, Any], case: dict[str, Any]) -> None:
    made, rule = rule_of(content)
    facts = facts_of(made, rule, case)
    title = Label("待办", "To do")
    effects = escalated(rule, case["number"], facts, title, facts.key, clock_of(case), World(case))
    assert [brief(effect) for effect in effects] == case["expect"]


def test_plugins_get_the_parameters_they_know() -> None:
    """Unknown and missing parameters are found when the rule is checked; every problem has its sentence."""
    rule = """
        rule: printing
        label: {zh: 打印, en: Print}
        when: {form: order, on: [submit]}
        then:
          - plugin: {use: printer, params: {copy: '1'}}
          - message: {to: {resolver: {use: hr, params: {regions: region}}}, title: {zh: 好, en: Good}}
    """
    bundle, problems = read_bundle(dict(APP) | {"rules/printing.yaml": rule}, kinds())
    assert bundle is None
    found = [f"{one.where} {one.code} {one.params.get('suggestion', '')}" for one in problems]
    assert sorted(found) == [
        "rules/printing.yaml:6:36 definition.rule_param_missing ",
        "rules/printing.yaml:6:45 definition.rule_param copies",
        "rules/printing.yaml:7:57 definition.rule_param region",
    ]


def test_there_are_enough_cases() -> None:
    assert sum(len(content.get(kind, ())) for content in FILES.values() for kind in ("cases", "events")) >= 100


def document(values: Mapping[str, Any], lines: list[tuple[int | None, Mapping[str, Any]]]) -> Document:
    rows = tuple(Line(id=identity, number=place, values=each) for place, (identity, each) in enumerate(lines, start=1))
    return Document(form="order", status=DocStatus.DRAFT, values=values, lines={"lines": rows})


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (({"total": 1}, [(1, {"qty": 1})]), ({"total": 1}, [(1, {"qty": 1})]), set()),
        (({"total": 1, "note": "a"}, []), ({"total": 2, "note": "a"}, []), {"total"}),
        (({"total": 1}, []), ({"total": None}, []), {"total"}),
        (({}, [(1, {"qty": 1, "price": 2})]), ({}, [(1, {"qty": 5, "price": 2})]), {"lines", "lines.qty"}),
        (({}, [(1, {"qty": 1}), (2, {"qty": 2})]), ({}, [(2, {"qty": 2}), (1, {"qty": 1})]), set()),
        (({}, [(1, {"qty": 1})]), ({}, [(1, {"qty": 1}), (None, {"qty": 1})]), {"lines", "lines.qty"}),
        (({}, [(1, {"qty": 1})]), ({}, []), {"lines", "lines.qty"}),
        (None, ({"total": 1}, [(None, {"qty": 1})]), {"total", "lines", "lines.qty"}),
        (None, ({"total": 1}, []), {"total"}),
    ],
)
def test_changed_fields(before: Any, after: Any, changed: set[str]) -> None:
    """Lines are told apart by their id; their order is no change."""
    assert changed_paths(document(*before) if before else None, document(*after)) == changed
