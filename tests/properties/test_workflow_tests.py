"""Any workflow: the tests beside a definition and a run of it in which everybody agrees come to the same nodes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.built_in import built_in_kinds
from engine.definitions.bundle import read_bundle
from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.given import Given
from engine.definitions.workflow_tests import nodes_walked
from engine.expressions import Clock
from engine.workflow.directory import Directory, Person
from engine.workflow.live import LiveAnswers
from engine.workflow.move import Move, MoveKind
from engine.workflow.state import RunStatus
from engine.workflow.walk import begin, make

NOW = datetime(2026, 1, 5, 9)
CLOCK = Clock(today=date(2026, 1, 5), now=NOW)
SUBMITTER, KEEPER = 1, 2
LABEL = {"zh": "审", "en": "Check"}
APP = "app: any\nversion: 1.0.0\nlabel: {zh: 审, en: Any}\n"
FORM = (
    "form: order\nlabel: {zh: 单, en: Order}\nnumber: 'SO{seq:4}'\n"
    "fields:\n  total: {type: money, label: {zh: 金额, en: Total}}\n"
)
ROLE = "role: keeper\nlabel: {zh: 仓, en: Keeper}\ngrants: [{forms: ['*'], actions: [read]}]\n"
HOUSE = Directory(
    people={
        SUBMITTER: Person(id=SUBMITTER, login="s", name="S"),
        KEEPER: Person(id=KEEPER, login="k", name="K", roles=frozenset({"keeper"})),
    }
)


def steps(depth: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    kinds: list[st.SearchStrategy[dict[str, Any]]] = [st.sampled_from(["approve", "fill", "notify"]).map(node)]
    if depth:
        kinds += [branching(depth, "branch"), branching(depth, "inclusive"), branching(depth, "parallel")]
    return st.lists(st.one_of(kinds), max_size=3)


def node(kind: str) -> dict[str, Any]:
    people = "to" if kind == "notify" else "by"
    return {kind: "", "label": LABEL, people: {"role": "keeper"}}


def branching(depth: int, kind: str) -> st.SearchStrategy[dict[str, Any]]:
    limits = st.none() if kind == "parallel" else st.none() | st.integers(0, 4).map(lambda limit: f"total > {limit}")
    arm = st.fixed_dictionaries({"when": limits, "steps": steps(depth - 1)})
    return st.lists(arm, min_size=1, max_size=3).map(lambda arms: {kind: ordered(arms, kind)})


def ordered(arms: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Of an exclusive branch one arm at most has no condition, and it stands last."""
    plain = [{key: value for key, value in arm.items() if value is not None} for arm in arms]
    otherwise = [arm for arm in plain if "when" not in arm]
    return [arm for arm in plain if "when" in arm] + otherwise[:1] if kind == "branch" else plain


def numbered(written: list[dict[str, Any]], count: list[int]) -> None:
    """Give every node a key of its own."""
    for step in written:
        for kind in ("approve", "fill", "notify"):
            if kind in step:
                count[0] += 1
                step[kind] = f"n{count[0]}"
        for kind in ("branch", "inclusive", "parallel"):
            for arm in step.get(kind, ()):
                numbered(arm["steps"], count)


def compiled(written: list[dict[str, Any]]) -> CompiledWorkflow:
    copied = yaml.safe_load(yaml.safe_dump([*written, node("approve")], allow_unicode=True))
    numbered(copied, [0])
    flow = {"workflow": "flow", "label": LABEL, "form": "order", "steps": copied}

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    text = yaml.dump(flow, Dumper=Dumper, allow_unicode=True)
    files = {"app.yaml": APP, "forms/order.yaml": FORM, "roles/keeper.yaml": ROLE, "workflows/flow.yaml": text}
    bundle, problems = read_bundle(files, built_in_kinds())
    assert bundle is not None, [f"{each.where} {each.code}" for each in problems]
    return bundle.flows["flow"]


@settings(max_examples=60, deadline=None)
@given(steps(2), st.integers(0, 5).map(Decimal))
def test_a_run_and_a_test_come_to_the_same_nodes(written: list[dict[str, Any]], total: Decimal) -> None:
    flow = compiled(written)
    names: dict[str, object] = {"total": total}
    answers = LiveAnswers(flow=flow, names=names, clock=CLOCK, directory=HOUSE, starter=SUBMITTER, form="order")
    step = begin(flow, "hash", SUBMITTER, answers, NOW)
    asked: list[str] = []
    while True:
        assert step.problems == ()
        asked += [token.node for seat in step.opened if (token := step.run.token(seat.token)) is not None]
        seats = step.run.open_seats()
        if not seats:
            break
        step = make(flow, step.run, Move(kind=MoveKind.AGREE, by=KEEPER, at=NOW, seat=seats[0].id), answers)
    assert step.run.status is RunStatus.APPROVED
    assert sorted(asked) == sorted(nodes_walked(flow, Given(names=names, clock=CLOCK)))
