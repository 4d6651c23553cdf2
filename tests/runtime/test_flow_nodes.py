"""What nodes do and whom they ask on both databases: actions, sub-flows, resolvers, people named by people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.document import Document
from engine.kinds import PluginKind
from engine.labels import Label
from engine.problems import Refused, problem
from runtime.definition_files import read_definition_files
from runtime.facade import accounts, flows
from runtime.hookspecs import Plugins, Resolver, Undelivered
from runtime.storage import documents, history
from runtime.storage import process_tables as tables
from tests.houses import codes, do
from tests.runtime.flow_house import COMPANY, Firm, expense_flow, firm

ACTIONS = expense_flow("""
  - action: note
    label: {zh: 记录, en: Note}
    then:
      - set: {paid: amount, remark: "flow.node"}
      - update: {form: payment, where: "what == '出差' and doc_status == 'draft'", set: {amount: 7}}
      - create: {form: payment, set: {what: purpose, amount: amount}, action: submit}
      - message:
          to: [{field: owner}, {expression: owner}, {initiator: true}]
          title: {zh: "{number} 在 {flow.node}", en: "{number} at {flow.node}"}
  - branch:
      - when: coalesce(twice, 0) > 150
        steps:
          - approve: boss
            label: {zh: 老板审批, en: Boss}
            by: {role: boss}
      - steps:
          - approve: legal
            label: {zh: 法务, en: Legal}
            by: {role: legal}
""")
BACK = expense_flow("""
  - subflow: pay
    label: {zh: 付款, en: Pay}
    form: payment
    each: lines
    map: {what: what, amount: sum}
    back: {paid: child.amount}
  - branch:
      - when: paid > 250
        steps:
          - approve: boss
            label: {zh: 老板审批, en: Boss}
            by: {role: boss}
""")
TWICE = expense_flow("""
  - approve: first
    label: {zh: 首审, en: First}
    by: {initiator: true}
    own: allow
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
    fields: {remark: write}
    required: [remark]
""")
OUTSIDE = expense_flow("""
  - approve: chief
    label: {zh: 主管, en: Chief}
    by: [{resolver: {use: hr, params: {grade: purpose}}}, {member: legal}]
    mode: all
""")
PLAIN = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
""")


def history_of(made: Firm, document: int) -> list[Mapping[str, Any]]:
    with made.watch().reading() as unit:
        return [row.changes for row in history.of(unit.connection, "expense", document)]


def payments(made: Firm) -> list[Document]:
    with made.watch().reading() as unit:
        found = (documents.load(unit.connection, unit.tables, "payment", number) for number in range(1, 50))
        return [one for one in found if one is not None]


def children(made: Firm, document: int) -> list[int]:
    return [one.id for token in made.run(document).tokens for one in token.children]


def test_an_action_does_everything_a_rule_can(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, ACTIONS)
    owner = made.door("legal").actor.user
    draft = do(made.door("finance"), "payment", "save", {"what": "出差", "amount": 1}).document
    document = made.expense(made.door("clerk"), 100, owner=owner)
    assert made.at(document) == ["boss"], "the condition sees what the action has set, formulas included"
    kept = made.values(document)
    assert (kept["paid"], kept["twice"], kept["remark"]) == (Decimal(100), Decimal(200), "note")
    assert [one.state for one in made.drain() if one.state != "done"] == []
    assert made.values(draft, "payment")["amount"] == Decimal(7)
    assert [(one.values["amount"], str(one.status)) for one in payments(made) if one.id != draft] == [
        (Decimal(100), "pending")
    ]
    assert made.count(tables.message, f"title_zh LIKE '%在 note' AND \"user\" = {owner}") == 1
    assert made.count(tables.message, "title_zh LIKE '%在 note'") == 2
    low = made.expense(made.door("clerk"), 10)
    assert made.at(low) == ["legal"]
    made.sound()


def test_values_come_back_once_and_forms_without_workflow_are_waited_for(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, BACK)
    lines = [{"what": "机票", "sum": 200}, {"what": "酒店", "sum": 300}]
    document = made.expense(made.door("clerk"), lines=lines)
    made.drain()
    first, second = children(made, document)
    assert (made.status(first, "payment"), made.at(document)) == ("pending", ["pay"])
    do(made.door("finance"), "payment", "approve", document=second)
    made.drain()
    assert made.at(document) == ["pay"] and made.values(document)["paid"] is None
    do(made.door("finance"), "payment", "approve", document=first)
    made.drain()
    assert made.values(document)["paid"] == Decimal(300), "of the last that was made"
    assert made.at(document) == ["boss"], "the condition sees what came back"
    assert sum("paid" in each for each in history_of(made, document)) == 1
    made.sound()


def test_a_child_rejected_by_hand_rejects(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, BACK)
    document = made.expense(made.door("clerk"), lines=[{"what": "机票", "sum": 200}])
    made.drain()
    (child,) = children(made, document)
    do(made.door("finance"), "payment", "reject", document=child, reason="不付")
    made.drain()
    assert made.status(document) == "rejected"


def test_whoever_submits_again_is_the_submitter(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, TWICE)
    clerk, boss, finance = made.door("clerk"), made.door("boss"), made.door("finance")
    document = made.expense(clerk)
    assert [task.user for task in made.tasks(document)] == [clerk.actor.user]
    do(clerk, "expense", "reject", document=document, reason="再看")
    do(finance, "expense", "submit", document=document)
    assert [task.user for task in made.tasks(document)] == [finance.actor.user]
    do(finance, "expense", "approve", document=document)
    with pytest.raises(Refused) as refused:
        do(boss, "expense", "approve", document=document)
    assert codes(refused.value) == ["flow.required_here"]
    do(boss, "expense", "approve", {"remark": "同意"}, document=document)
    assert made.status(document) == "approved"
    made.sound()


def test_an_administrator_may_urge_and_leavers_cannot_be_named(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, PLAIN)
    boss, admin, legal = made.door("boss"), made.door("admin"), made.door("legal")
    document = made.expense(made.door("clerk"))
    made.flow(admin, document, "urge")
    assert "urge" in made.words(document)
    accounts.set_active(admin, legal.actor.user, False)
    (seat,) = made.run(document).open_seats()
    for by, kind, more in (
        (boss, "transfer", {}), (boss, "delegate", {}), (boss, "add_sign", {"place": "before"}),
        (admin, "reassign", {"seat": seat.id}),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            made.flow(by, document, kind, users=(legal.actor.user,), **more)
        assert codes(refused.value) == ["flow.not_here"], kind
    with pytest.raises(Refused) as refused:
        made.flow(boss, document, "transfer", users=(4711,))
    assert codes(refused.value) == ["flow.not_here"]


def outside(folder: Path, url: str | None, answers: list[object]) -> Firm:
    """A company whose people a plugin names; it answers what stands in ``answers``, one after the other."""
    kind = PluginKind(label=Label("人事", "HR"), params=("grade",))

    def resolve(params: Mapping[str, Any], *_: object) -> tuple[str, ...]:
        assert params == {"grade": "出差"}
        given = answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given  # type: ignore[return-value]

    made = firm(folder, url)
    kinds = replace(built_in_kinds(), resolvers={"hr": kind})
    files, _ = read_definition_files(COMPANY)
    bundle = bundle_of({**files, "workflows/expense_approval.yaml": dedent(OUTSIDE).strip() + "\n"}, kinds)
    assert isinstance(bundle, AppBundle)
    made.publish(bundle)
    made.home.house.plugins = Plugins(resolvers={"hr": Resolver(key="hr", kind=kind, resolve=resolve)})
    return made


def test_a_resolver_names_people_beside_other_ways(tmp_path: Path, house_url: str | None) -> None:
    made = outside(tmp_path, house_url, [("boss", "nobody-of-that-name")])
    document = made.expense(made.door("clerk"))
    assert made.tasks(document) == []
    made.drain()
    assert {task.user for task in made.tasks(document)} == {made.door("boss").actor.user, made.door("legal").actor.user}
    made.sound()


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([Undelivered("no answer", again=False)], id="gives up"),
        pytest.param([Undelivered("no answer")] * 3, id="never there"),
        pytest.param([KeyError("staff")] * 3, id="breaks"),
        pytest.param([Refused([problem("flow.stuck")])], id="refuses"),
        pytest.param([None, 7, ({},)], id="answers no logins"),
    ],
)
def test_a_resolver_that_fails_leaves_it_to_an_administrator(
    tmp_path: Path, house_url: str | None, answers: list[object]
) -> None:
    made = outside(tmp_path, house_url, [*answers, ("boss",)])
    document, admin = made.expense(made.door("clerk")), made.door("admin")
    made.drain()
    (stuck,) = flows.stuck(admin)
    assert stuck.document == document and "没有回答" in stuck.reason
    assert made.count(tables.message, f"kind = 'system' AND \"user\" = {admin.actor.user}") == 1
    made.sound()
    made.flow(admin, document, "reassign", token=stuck.token)
    made.drain()
    assert len(made.tasks(document)) == 2 and flows.stuck(admin) == ()
    made.sound()
