"""What workflows need beside the app: plugins with their parameters, and people; how called workflows stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from engine.built_in import built_in_kinds
from engine.definitions.bundle import read_bundle
from engine.definitions.compiled import AppBundle
from engine.definitions.load import load
from engine.definitions.workflow import ApproveStep
from engine.definitions.workflow_tests import run_workflow_tests
from engine.kinds import Kinds, PluginKind
from engine.labels import Label
from engine.problems import Problem
from engine.workflow.directory import Department, Directory, Person
from engine.workflow.staffing import staffing
from runtime.publishing.staffing import unstaffed
from runtime.storage import accounts
from runtime.storage.database import open_database, write
from runtime.storage.migrate import migrate
from tests.runners.test_definitions import line, tiny

HEAD = "label: {zh: 审批, en: Approval}\nform: stock_in\nsteps:\n"
LABEL = "label: {zh: 审, en: Check}"
AT = datetime(2026, 1, 5, 9)


def kinds() -> Kinds:
    return replace(
        built_in_kinds(),
        resolvers={"hr": PluginKind(label=Label("人事", "HR"), params=("grade", "site"), required=("grade",))},
    )


def with_workflows(**steps: str) -> dict[str, str]:
    return tiny() | {f"workflows/{key}.yaml": f"workflow: {key}\n{text}" for key, text in steps.items()}


def problems_of(files: Mapping[str, str]) -> list[str]:
    return sorted(line(each) for each in read_bundle(files, kinds())[1])


def bundle_of(files: Mapping[str, str]) -> AppBundle:
    bundle, problems = read_bundle(files, kinds())
    assert bundle is not None, problems
    return bundle


def test_a_resolver_gets_the_parameters_it_takes() -> None:
    ways = "by: {resolver: {use: hr, params: {grade: total}}}", "by: {resolver: {use: hr, params: {sitee: number}}}"
    nodes = [f"  - {{approve: n{index}, {LABEL}, {way}}}\n" for index, way in enumerate(ways)]
    assert problems_of(with_workflows(stock_in=HEAD + nodes[0])) == []
    assert problems_of(with_workflows(stock_in=HEAD + nodes[1])) == [
        "workflows/stock_in.yaml:5:71 definition.rule_param_missing",
        "workflows/stock_in.yaml:5:80 definition.rule_param → site",
    ]


def test_people_that_are_missing_are_told() -> None:
    nodes = (
        f"  - {{approve: a, {LABEL}, by: {{role: keeper}}}}\n"
        f"  - {{approve: b, {LABEL}, by: {{member: [ann, anm, eve]}}}}\n"
        f"  - {{approve: c, {LABEL}, by: {{chosen: {{role: keeper}}}}}}\n"
        f"  - {{approve: d, {LABEL}, by: {{supervisor: 1}}}}\n"
    )
    loaded = load(with_workflows(stock_in=HEAD + nodes), kinds())

    def told(directory: Directory) -> list[str]:
        return [line(each) for each in staffing(loaded, directory)]

    ann = Person(id=1, login="ann", name="Ann")
    eve = Person(id=2, login="eve", name="Eve", active=False, roles=frozenset({"keeper"}))
    assert told(Directory()) == []
    assert told(Directory(people={1: ann, 2: eve}, departments={3: Department(id=3, head=2)})) == [
        "workflows/stock_in.yaml:5:56 workflow.role_empty (warning)",
        "workflows/stock_in.yaml:6:64 workflow.login_unknown → ann (warning)",
        "workflows/stock_in.yaml:6:69 workflow.login_left (warning)",
        "workflows/stock_in.yaml:7:65 workflow.role_empty (warning)",
        "workflows/stock_in.yaml:8:50 workflow.no_head (warning)",
    ]
    keeper = replace(ann, roles=frozenset({"keeper"}))
    everybody = {1: keeper, 2: replace(eve, active=True), 3: Person(id=3, login="anm", name="Anm")}
    assert told(Directory(people=everybody, departments={3: Department(id=3, head=2)})) == []


def test_a_house_is_asked_for_its_people(database_url: str) -> None:
    bundle = bundle_of(with_workflows(stock_in=HEAD + f"  - {{approve: a, {LABEL}, by: {{role: keeper}}}}\n"))
    with open_database(database_url) as database:
        migrate(database)
        assert unstaffed(database, bundle, AT) == ()
        with write(database) as connection:
            accounts.create_user(connection, login="ann", name="Ann", password_hash="x", at=AT)
        assert [each.code for each in unstaffed(database, bundle, AT)] == ["workflow.role_empty"]


def test_called_workflows_stand_where_they_are_called() -> None:
    inner = (
        "start: called\n" + HEAD + f"  - {{approve: one, {LABEL}, by: {{field: warehouse.creator}}}}\n"
        "  - branch:\n"
        "      - when: total > 5\n"
        f"        steps: [{{approve: two, {LABEL}, by: {{initiator: true}}, returns: [one]}}]\n"
    )
    outer = HEAD + (
        "  - parallel:\n      - steps: [{call: left, workflow: inner}]\n      - steps: []\n"
        "  - {call: right, workflow: inner}\n"
        f"  - {{approve: last, {LABEL}, by: {{initiator: true}}}}\n"
    )
    bundle = bundle_of(with_workflows(stock_in=outer, inner=inner))
    flow = bundle.workflows["stock_in"]
    assert set(bundle.flows) == {"stock_in", "inner"} and not bundle.change_workflows
    assert dict(flow.paths) == {
        "left.one": (0, 0, 0), "left.two": (0, 0, 1, 0, 0), "right.one": (1,), "right.two": (2, 0, 0), "last": (3,),
    }  # fmt: skip
    assert set(flow.conditions) == {(0, 0, 1, 0), (2, 0)}
    assert set(flow.expressions) == {("left.one", "by.0.field"), ("right.one", "by.0.field")}
    two = flow.nodes["left.two"]
    assert isinstance(two, ApproveStep) and two.returns == ("left.one",) and two.key == "left.two"
    assert bundle.forms["stock_in"].links[("warehouse",)] >= {"creator"}


def test_the_tests_of_a_published_workflow_are_run_again() -> None:
    steps = f"  - {{approve: a, {LABEL}, by: {{role: keeper}}}}\n"
    bundle = bundle_of(with_workflows(stock_in=HEAD + steps + "tests: [{walks: [a]}]\n"))
    assert list(run_workflow_tests(bundle)) == []
    flow = bundle.flows["stock_in"]
    wrong = flow.definition.tests[0].model_copy(update={"walks": ("b",)})
    other = replace(flow, definition=flow.definition.model_copy(update={"tests": (wrong,)}))
    found: list[Problem] = list(run_workflow_tests(replace(bundle, flows={"stock_in": other})))
    assert [(each.code, each.params["asked"]) for each in found] == [("definition.workflow_walks", "a")]
