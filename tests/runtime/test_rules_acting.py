"""Rules that submissions wake, on both databases: refusing, warning, setting, looking up, writing, failing, looping."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.forms.draft import Patch
from engine.problems import Refused
from runtime.facade import documents
from runtime.storage import process_tables as tables
from runtime.storage import product_tables, tags
from runtime.storage.database import in_transaction, read
from runtime.submit import Command, submit_many_within, unit_of
from tests.houses import WORKSPACE, codes, do
from tests.runtime.rule_house import change, ruled, runs, titles, verdicts

CAP = """
rule: cap
label: {zh: 上限, en: Cap}
when: {form: expense, on: [submit]}
if: amount > 1000
then:
  - reject: {say: {zh: "{amount} 太多", en: "{amount} is too much"}, at: amount}
"""
SECOND = CAP.replace("rule: cap", "rule: second").replace("> 1000", "> 2000").replace("太多", "实在太多")
ASK = """
rule: ask
label: {zh: 问一句, en: Ask}
when: {form: expense, on: [submit]}
if: amount > 100
then:
  - warn: {say: {zh: 金额不小, en: Not small}, reason: true}
"""
FILL = """
rule: fill
label: {zh: 填写, en: Fill}
when: {form: expense, on: [create, update]}
if: amount > 10 and empty(paid)
then:
  - set: {paid: amount, remark: "'由规则'", lines.what: "concat('第', remark)"}
  - message: {to: {role: boss}, title: {zh: "已填 {amount}", en: Filled}}
"""
STAMP = """
rule: stamp
label: {zh: 盖章, en: Stamp}
when: {form: expense, status: [approved]}
then:
  - set: {audit: "'已盖章'", paid: "7"}
"""


def test_refusals_come_together_and_stay_in_the_log(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, CAP, SECOND)
    with pytest.raises(Refused) as refused:
        house.expense(house.door("clerk"), 5000)
    assert codes(refused.value) == ["rule.rejected", "rule.rejected"]
    assert [one.where for one in refused.value.problems] == ["amount", "amount"]
    assert (
        house.count(house.home.house.published(house.home.house.workspace(WORKSPACE)).tables.forms["expense"].header)
        == 0
    )
    assert [(one.rule, one.verdict, one.facts["read"]) for one in runs(house)] == [
        ("cap", "rejected", {"amount": "5000"}),
        ("second", "rejected", {"amount": "5000"}),
    ] or verdicts(house) == ["rejected", "rejected"]
    assert house.expense(house.door("clerk"), 900)


def test_a_warning_is_confirmed_and_its_reason_kept(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, ASK)
    clerk = house.door("clerk")
    for more in ({}, {"confirmed": True}):
        with pytest.raises(Refused) as refused:
            do(clerk, "expense", "submit", {"purpose": "出差", "amount": 500}, **more)
        assert codes(refused.value) == ["rule.warned_reason"]
    done = do(clerk, "expense", "submit", {"purpose": "出差", "amount": 500}, confirmed=True, reason="客户急要")
    with read(house.home.house.workspace(WORKSPACE).database) as connection:
        history = product_tables.history
        query = sa.select(history.c.reason).where(history.c.document == done.document)
        assert "客户急要" in connection.execute(query).scalars().all()
    assert verdicts(house) == ["warned"] * 3


def test_values_set_on_saving_are_checked_stored_and_in_history(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, FILL)
    clerk = house.door("clerk")
    document = house.expense(clerk, 50, "save", lines=[{"what": "a"}, {"sum": 3}])
    values = house.values(document)
    assert (values["paid"], values["twice"], values["remark"]) == (50, 100, "由规则")
    house.drain()
    assert titles(house) == ["已填 50"]
    with house.watch().reading() as unit:
        from runtime.storage import documents as rows

        found = rows.load(unit.connection, unit.tables, "expense", document)
        assert found is not None and [line.values["what"] for line in found.lines["lines"]] == ["第", "第"]
    do(clerk, "expense", "save", {"remark": "改"}, document=document)
    assert house.values(document)["remark"] == "改" and verdicts(house) == ["fired"]


def test_values_set_by_a_later_step_are_a_change_of_their_own(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, STAMP)
    document = house.expense(house.door("clerk"), 50)
    do(house.door("boss"), "expense", "approve", document=document)
    assert (house.values(document)["audit"], house.values(document)["twice"]) == ("已盖章", 14)
    with read(house.home.house.workspace(WORKSPACE).database) as connection:
        history = product_tables.history
        row = connection.execute(sa.select(history).where(history.c.origin == "auto")).mappings().one()
    assert row["user_name"] == "盖章" and tuple(row["changes"]["audit"]) == (None, "已盖章")
    assert verdicts(house) == ["fired"]


def test_old_and_new_are_both_seen(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(
        tmp_path,
        house_url,
        """
        rule: raised
        label: {zh: 涨了, en: Raised}
        when: {form: expense, fields: [amount]}
        if: not empty(old) and amount > old.amount
        then: [{message: {to: {role: boss}, title: {zh: "{old.amount} → {amount}", en: Raised}}}]
    """,
    )
    clerk = house.door("clerk")
    document = house.expense(clerk, 50, "save")
    for amount in (80, 70):
        do(clerk, "expense", "save", {"amount": amount}, document=document)
    do(clerk, "expense", "save", {"remark": "x"}, document=document)
    house.drain()
    assert titles(house) == ["50 → 80"]


def test_look_ups_of_records_and_of_every_line(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(
        tmp_path,
        house_url,
        """
        rule: known
        label: {zh: 重复, en: Known}
        when: {form: expense, on: [submit]}
        lookups:
          same: {form: expense, where: "purpose == row.purpose and id != row.id", take: count}
          spent: {form: expense, where: "creator == row.creator and doc_status == 'pending'", take: sum, of: amount}
          before: {form: expense, table: lines, where: "what == line.what and sum > 0", take: max, of: sum, each: lines}
        if: same > 1 or spent > 500 or any(lines.before > lines.sum)
        then: [{message: {to: {role: boss}, title: {zh: "{same} {spent}", en: Known}}}]
    """,
    )
    clerk = house.door("clerk")
    house.expense(clerk, 10, purpose="甲", lines=[{"what": "票", "sum": 5}])
    house.expense(clerk, 10, purpose="乙", lines=[{"what": "票", "sum": 9}])
    assert verdicts(house) == []
    house.expense(clerk, 10, purpose="丙", lines=[{"what": "票", "sum": 8}, {"what": "车", "sum": 1}])
    assert verdicts(house) == ["fired"]


def test_many_at_once_wake_rules_like_one_by_one(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, CAP, FILL.replace("on: [create, update]", "on: [submit]"))
    clerk = house.door("clerk")
    given = (5, 50, 5000, 60)

    def told() -> list[tuple[str, str]]:
        found = [(one.rule, one.verdict) for one in runs(house)]
        with in_place() as connection:
            connection.execute(tables.rule_run.delete())
            connection.commit()
        return sorted(found)

    def in_place() -> sa.Connection:
        return house.home.house.workspace(WORKSPACE).database.engine.connect()

    for amount in given:
        try:
            house.expense(clerk, amount)
        except Refused as refused:
            assert codes(refused) == ["rule.rejected"]
    single = told()
    drafts = [house.expense(clerk, amount, "save") for amount in given]
    documents.many(clerk, "expense", drafts, "submit")
    bulk = told()
    context = clerk.house.context(clerk.workspace, clerk.published, clerk.actor)
    commands = [
        Command(
            form="expense",
            action="submit",
            patch=Patch(values={"purpose": "x", "amount": str(amount)}),
            origin="import",
        )
        for amount in given
    ]
    in_transaction(
        clerk.workspace.database, lambda connection: submit_many_within(unit_of(context, connection), commands)
    )
    assert single == bulk == told() != []


def test_a_loop_is_cut_and_told(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(
        tmp_path,
        house_url,
        """
        rule: again
        label: {zh: 再来, en: Again}
        when: {form: expense, on: [create]}
        then: [{create: {form: expense, set: {purpose: "'再来'", amount: "1"}}}]
    """,
    )
    house.door("admin")
    house.expense(house.door("clerk"), 50, "save")
    house.drain()
    assert verdicts(house) == ["fired"] * 8 + ["cut"]
    assert list(runs(house)[-1].chain) == ["again"] * 8
    assert titles(house) == ["规则互相触发太多次，已切断：再来"]


def test_a_failing_rule_loses_no_document_unless_it_may_refuse(tmp_path: Path, house_url: str | None) -> None:
    broken = """
        rule: broken
        label: {zh: 坏的, en: Broken}
        when: {form: expense, on: [submit]}
        if: 1 / (amount - 50) > 0
        then: [{message: {to: {role: boss}, title: {zh: 没事, en: Fine}}}]
    """
    house = ruled(tmp_path, house_url, broken)
    house.door("admin")
    clerk = house.door("clerk")
    assert house.status(house.expense(clerk, 50)) == "pending"
    house.expense(clerk, 50)
    house.drain()
    assert verdicts(house) == ["failed", "failed"] and titles(house) == ["规则没能执行：坏的"]
    change(
        house,
        broken.replace("message: {to: {role: boss}, title: {zh: 没事, en: Fine}}", "reject: {say: {zh: 不, en: No}}"),
    )
    with pytest.raises(Refused) as refused:
        house.expense(house.door("clerk"), 50)
    assert codes(refused.value) == ["rule.cannot_judge", "expression.division_by_zero"]
    assert verdicts(house)[-1] == "failed"


def test_tags_and_what_a_workflow_does(tmp_path: Path, house_url: str | None) -> None:
    flow = """
        workflow: expense_approval
        label: {zh: 报销审批, en: Expense approval}
        form: expense
        steps:
          - approve: boss
            label: {zh: 老板审批, en: Boss}
            by: {role: boss}
    """
    house = ruled(
        tmp_path,
        house_url,
        """
        rule: waits
        label: {zh: 等, en: Waits}
        when: {form: expense, flow: [started, arrived, decided, ended]}
        then:
          - {when: "flow.event == 'arrived'", tag: {zh: 待审, en: Waiting}}
          - {when: "flow.event == 'ended'", untag: {zh: 待审, en: Waiting}}
          - message: {to: {role: finance}, title: {zh: "{flow.event} {flow.node}", en: Event}}
    """,
        workflows=(flow,),
    )
    house.door("finance")
    document = house.expense(house.door("clerk"), 50)
    house.drain()

    def tagged() -> list[str]:
        with read(house.home.house.workspace(WORKSPACE).database) as connection:
            return [one.zh for one in tags.of_documents(connection, "expense", [document]).get(document, ())]

    assert tagged() == ["待审"]
    do(house.door("boss"), "expense", "approve", document=document)
    house.drain()
    assert tagged() == []
    told = [title for title in titles(house) if title.split()[0] in ("started", "arrived", "decided", "ended")]
    assert [title.strip() for title in told] == ["started", "arrived boss", "decided boss", "ended"]
