"""Runs of workflows on both databases: moves, tasks, logs, field rights, copies, versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import documents, flow_inbox
from runtime.facade.flow_inbox import Wanted
from runtime.storage import process_tables as tables
from tests.houses import codes, do
from tests.runtime.flow_house import Firm, company, expense_flow, firm

TWO_STEPS = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
    fields: {remark: write, audit: hidden}
    required: [remark]
  - branch:
      - when: amount > 1000
        steps:
          - parallel:
              - steps:
                  - approve: finance
                    label: {zh: 财务审批, en: Finance}
                    by: {role: finance}
              - steps:
                  - approve: legal
                    label: {zh: 法务审批, en: Legal}
                    by: {role: legal}
  - notify: told
    label: {zh: 抄送, en: Copy}
    to: {role: clerk}
""")


@pytest.fixture
def two(tmp_path: Path, house_url: str | None) -> Firm:
    return firm(tmp_path, house_url, TWO_STEPS)


def test_a_document_follows_its_run(two: Firm) -> None:
    clerk, boss = two.door("clerk"), two.door("boss")
    document = two.expense(clerk, 5000)
    assert two.status(document) == "pending" and two.at(document) == ["boss"]
    with pytest.raises(Refused) as refused:
        do(boss, "expense", "approve", document=document)
    assert codes(refused.value) == ["flow.required_here"]
    do(boss, "expense", "approve", {"remark": "同意"}, document=document)
    assert two.values(document)["remark"] == "同意"
    assert two.at(document) == ["finance", "legal"]
    do(two.door("legal"), "expense", "approve", document=document)
    assert two.at(document) == ["finance"] and two.status(document) == "pending"
    two.home.clock.wait(hours=2)
    do(two.door("finance"), "expense", "approve", document=document)
    assert two.status(document) == "approved" and two.tasks(document) == []
    assert two.words(document) == ["submit", "approve", "approve", "approve"]
    last = two.log(document)[-1]
    assert last.arrived_at is not None and (last.at - last.arrived_at).seconds == 7200
    assert two.count(tables.copied) == 1
    two.drain()
    assert two.count(tables.message, "kind = 'copied'") == 1
    assert two.count(tables.message, "kind = 'result'") == 1


def test_a_copy_is_read_when_its_document_is_opened(two: Firm) -> None:
    clerk, boss = two.door("clerk"), two.door("boss")
    read, unread = two.expense(clerk), two.expense(clerk)
    for document in (read, unread):
        do(boss, "expense", "approve", {"remark": "同意"}, document=document)
    assert flow_inbox.counts(clerk)["copies"] == 2
    flow_inbox.mark_document_read(clerk, "expense", read)
    rows = flow_inbox.page(clerk, "copies", Wanted()).rows
    assert {row.document for row in rows if row.unread} == {unread}


@pytest.mark.parametrize("after", ["x", "2026-01-05T09:00:00+08:00_1", "2026-01-05T09:00:00_99999999999999999999"])
def test_a_place_no_page_gave_is_refused(two: Firm, after: str) -> None:
    with pytest.raises(Refused) as refused:
        flow_inbox.page(two.door("boss"), "open", Wanted(), after)
    assert codes(refused.value) == ["storage.bad_cursor"]


def test_who_is_not_asked_changes_nothing(two: Firm) -> None:
    document = two.expense(two.door("clerk"))
    for act in ("approve", "reject"):
        with pytest.raises(Refused) as refused:
            do(two.door("finance"), "expense", act, document=document, reason="不")
        assert codes(refused.value) == ["workflow.not_yours"]
    with pytest.raises(Refused):
        do(two.door("boss"), "expense", "save", {"amount": 1}, document=document)
    assert two.at(document) == ["boss"] and two.values(document)["amount"] == 100


def test_a_hidden_field_is_hidden_from_who_is_asked(two: Firm) -> None:
    document = two.expense(two.door("clerk"), audit="内部")
    seen = documents.read(two.door("boss"), "expense", document)
    assert "audit" not in seen.values or seen.values["audit"].value is None
    assert documents.read(two.door("clerk"), "expense", document).values["audit"].value == "内部"
    assert seen.editable == frozenset({"remark"})


def test_moves_of_people_at_a_seat(two: Firm) -> None:
    clerk, boss, finance, legal = (two.door(role) for role in ("clerk", "boss", "finance", "legal"))
    document = two.expense(clerk)
    two.flow(boss, document, "claim")
    assert [task.user for task in two.tasks(document)] == [boss.actor.user]
    two.flow(boss, document, "transfer", users=(finance.actor.user,), comment="请财务看")
    assert [task.user for task in two.tasks(document)] == [finance.actor.user]
    two.flow(finance, document, "add_sign", users=(legal.actor.user,), place="before")
    assert [task.user for task in two.tasks(document)] == [legal.actor.user]
    do(legal, "expense", "approve", {"remark": "合规"}, document=document)
    two.flow(clerk, document, "urge")
    two.flow(finance, document, "comment", comment="马上")
    do(finance, "expense", "approve", document=document)
    assert two.status(document) == "approved"
    assert two.words(document) == ["submit", "transfer", "add_sign", "approve", "urge", "comment", "approve"]
    assert two.log(document)[1].others == "finance"
    two.drain()
    assert two.count(tables.message, "kind = 'urged'") == 1


def test_a_rejected_run_goes_on_with_its_next_round(two: Firm) -> None:
    clerk, boss = two.door("clerk"), two.door("boss")
    document = two.expense(clerk)
    do(boss, "expense", "reject", document=document, reason="金额不对")
    assert two.status(document) == "rejected"
    do(clerk, "expense", "submit", {"amount": 80}, document=document)
    assert two.run(document).round == 2 and two.count(tables.run) == 1
    do(clerk, "expense", "withdraw", document=document)
    assert two.status(document) == "draft"
    do(clerk, "expense", "submit", document=document)
    assert two.count(tables.run) == 2 and two.at(document) == ["boss"]


def test_an_administrator_terminates_and_reactivates(two: Firm) -> None:
    clerk, admin = two.door("clerk"), two.door("admin")
    document = two.expense(clerk)
    with pytest.raises(Refused):
        two.flow(clerk, document, "terminate", comment="x")
    two.flow(admin, document, "terminate", comment="重复")
    assert two.status(document) == "rejected" and two.tasks(document) == []
    two.flow(admin, document, "reactivate", comment="误操作")
    assert two.status(document) == "pending" and len(two.tasks(document)) == 1


def test_nobody_sends_what_the_product_does(two: Firm) -> None:
    document = two.expense(two.door("clerk"))
    for kind in ("timer", "signal", "child", "named"):
        with pytest.raises(Refused) as refused:
            two.flow(two.door("boss"), document, kind, token=1)
        assert codes(refused.value) == ["flow.of_the_product"]


def test_a_run_stays_on_its_version(two: Firm) -> None:
    clerk, boss = two.door("clerk"), two.door("boss")
    document = two.expense(clerk)
    two.publish(company(TWO_STEPS.replace("role: boss", "role: finance").replace("required: [remark]", "required: []")))
    later = two.expense(two.door("clerk"))
    assert [task.role for task in two.tasks(later)] == ["finance"]
    do(two.door("boss"), "expense", "approve", {"remark": "好"}, document=document)
    assert two.status(document) == "approved"
    with pytest.raises(Refused):
        do(two.door("boss"), "expense", "approve", document=later)
    assert boss.actor.user != clerk.actor.user
