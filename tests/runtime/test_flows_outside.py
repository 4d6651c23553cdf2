"""What runs wait for on both databases: deadlines, dates, events, documents of sub-flows, proposed changes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.effects import SignalFlow
from engine.problems import Refused
from runtime.facade.flow_jobs import fire_timer, tell
from runtime.jobs.timers import timer_id
from runtime.storage import history, proposals, runs, timers
from runtime.storage import process_tables as tables
from runtime.storage.outbox import OutboxRow
from tests.houses import WORKSPACE, codes, do
from tests.runtime.flow_house import Firm, company, expense_flow, firm

DEADLINES = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
    deadlines:
      - {hours: 4, then: remind, every: 4}
      - {hours: 10, then: transfer, to: {role: finance}}
      - {hours: 30, then: agree}
  - wait: pause
    label: {zh: 等一天, en: Pause}
    hours: 24
  - wait: goods
    label: {zh: 等到货, en: Goods}
    event: arrived
    hours: 48
""")

CHILDREN = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
  - subflow: pay
    label: {zh: 付款, en: Pay}
    form: payment
    each: lines
    when: sum > 0
    map: {what: what, amount: sum}
    back: {paid: child.amount}
  - action: note
    label: {zh: 记录, en: Note}
    then:
      - set: {remark: "'已付'"}
      - message: {to: {initiator: true}, title: {zh: "{number} 已付", en: "{number} paid"}}
""")
PAYMENT = """
workflow: payment_approval
label: {zh: 付款审批, en: Payment approval}
form: payment
steps:
  - approve: finance
    label: {zh: 财务审批, en: Finance}
    by: {role: finance}
"""
CHANGE = """
workflow: supplier_change
label: {zh: 供应商变更, en: Supplier change}
form: supplier
start: change
steps:
  - branch:
      - when: limit > 1000
        steps:
          - approve: boss
            label: {zh: 老板审批, en: Boss}
            by: {role: boss}
"""
EXPENSE_CHANGE = CHANGE.replace("supplier", "expense").replace("limit", "amount")
CALLED = """
workflow: expense_audit
label: {zh: 审计, en: Audit}
form: expense
start: called
steps:
  - approve: legal
    label: {zh: 法务, en: Legal}
    by: {role: legal}
"""


def open_timers(made: Firm) -> int:
    return made.count(tables.timer, "done_at IS NULL")


def test_deadlines_fire_once_and_in_order(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, DEADLINES)
    document = made.expense(made.door("clerk"))
    assert open_timers(made) == 3
    made.home.clock.wait(hours=4)
    made.drain()
    made.drain()
    assert made.count(tables.message, "kind = 'overdue'") == 1
    assert made.count(tables.timer, "outcome = 'fired'") == 1 and open_timers(made) == 3
    made.home.clock.wait(hours=6)
    made.drain()
    (task,) = made.tasks(document)
    assert task.role == "finance"
    made.home.clock.wait(hours=20)
    made.drain()
    assert made.at(document) == ["pause"] and made.status(document) == "pending"
    assert open_timers(made) == 1
    assert "timer_agree" in made.words(document) and "timer_transfer" in made.words(document)
    made.home.clock.wait(hours=24)
    made.drain()
    assert made.at(document) == ["goods"]
    tell(
        made.watch(),
        SignalFlow(form="expense", document=document, event="arrived"),
        OutboxRow(kind="signal_flow", payload={}, created_at=made.home.clock(), id=991),
    )
    assert made.status(document) == "approved" and open_timers(made) == 0


def test_a_timer_that_comes_twice_or_too_late_changes_nothing(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, DEADLINES)
    document = made.expense(made.door("clerk"))
    with made.watch().reading() as unit:
        rows = timers.due(unit.connection, made.home.clock() + timedelta(days=9), 10)
    do(made.door("boss"), "expense", "approve", document=document)
    for row in rows:
        fire_timer(made.watch(), row)
        fire_timer(made.watch(), row)
    assert made.at(document) == ["pause"] and made.words(document) == ["submit", "approve"]
    assert timer_id(WORKSPACE, 7) == "timer:acme:7"


def test_a_clock_that_goes_back_fires_nothing_early(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, DEADLINES)
    document = made.expense(made.door("clerk"))
    made.home.clock.now -= timedelta(days=2)
    made.drain()
    assert made.at(document) == ["boss"] and made.count(tables.timer, "outcome = 'fired'") == 0
    made.home.clock.now += timedelta(days=4)
    made.drain()
    assert made.at(document) in (["pause"], ["goods"])


def children(made: Firm, document: int) -> list[int]:
    with made.watch().reading() as unit:
        parent = runs.run_of(unit.connection, "expense", document)
        assert parent is not None
        return [one.document for one in runs.children_of(unit.connection, parent.id)]


def test_a_subflow_waits_for_its_documents(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, CHILDREN, PAYMENT)
    lines = [{"what": "机票", "sum": 300}, {"what": "酒店", "sum": 200}, {"what": "无", "sum": 0}]
    document = made.expense(made.door("clerk"), lines=lines)
    do(made.door("boss"), "expense", "approve", document=document)
    assert made.at(document) == ["pay"]
    assert [one.state for one in made.drain() if one.state != "done"] == []
    made_for_it = children(made, document)
    assert len(made_for_it) == 2
    for child in made_for_it:
        assert made.status(child, "payment") == "pending"
        assert made.at(document) == ["pay"]
        do(made.door("finance"), "payment", "approve", document=child)
        made.drain()
    assert made.status(document) == "approved" and made.at(document) == []
    kept = made.values(document)
    assert kept["paid"] in (Decimal(200), Decimal(300)) and kept["remark"] == "已付"
    assert kept["twice"] == 2 * Decimal(str(kept["paid"]))
    assert made.count(tables.message, "title_zh LIKE '%已付'") == 1


def test_a_rejected_child_rejects(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, CHILDREN, PAYMENT)
    document = made.expense(made.door("clerk"), lines=[{"what": "机票", "sum": 300}])
    do(made.door("boss"), "expense", "approve", document=document)
    made.drain()
    (child,) = children(made, document)
    do(made.door("finance"), "payment", "reject", document=child, reason="不付")
    made.drain()
    assert made.status(document) == "rejected"


def test_a_subflow_without_documents_goes_on(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, CHILDREN, PAYMENT)
    document = made.expense(made.door("clerk"))
    do(made.door("boss"), "expense", "approve", document=document)
    made.drain()
    assert made.status(document) == "approved"


def supplier(made: Firm) -> int:
    return do(made.door("clerk"), "supplier", "save", {"code": "S1", "name": "甲", "account": "1"}).document


def test_a_change_takes_effect_when_agreed(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, CHANGE)
    clerk, boss, record = made.door("clerk"), made.door("boss"), supplier(made)
    do(clerk, "supplier", "save", {"account": "2"}, document=record)
    assert made.values(record, "supplier")["account"] == "2"
    do(clerk, "supplier", "save", {"account": "3", "limit": "5000"}, document=record)
    assert made.values(record, "supplier")["account"] == "2" and made.at(record, "supplier") == ["boss"]
    with pytest.raises(Refused) as refused:
        do(clerk, "supplier", "save", {"account": "4"}, document=record)
    assert codes(refused.value) == ["flow.running"]
    do(boss, "supplier", "approve", document=record)
    kept = made.values(record, "supplier")
    assert (kept["account"], kept["limit"]) == ("3", Decimal(5000))
    assert made.count(tables.proposal, "outcome = 'applied'") == 2
    with made.watch().reading() as unit:
        last = history.of(unit.connection, "supplier", record)[-1]
    assert last.user == clerk.actor.user and last.origin == "auto"


def test_a_refused_change_leaves_the_record(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, CHANGE)
    record = supplier(made)
    do(made.door("clerk"), "supplier", "save", {"limit": "5000"}, document=record)
    do(made.door("boss"), "supplier", "reject", document=record, reason="太多")
    assert made.values(record, "supplier")["limit"] is None
    assert made.count(tables.proposal, "outcome = 'refused'") == 1


def test_a_change_of_what_has_changed_waits_for_an_administrator(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, CHANGE)
    record = supplier(made)
    do(made.door("clerk"), "supplier", "save", {"limit": "5000"}, document=record)
    with made.watch().reading() as unit:
        found = proposals.open_of(unit.connection, "supplier", record)
    assert found is not None
    made.publish(company())  # without the workflow anybody may change the record
    do(made.door("finance"), "supplier", "save", {"name": "乙"}, document=record)
    do(made.door("boss"), "supplier", "approve", document=record)
    assert made.values(record, "supplier")["limit"] is None
    with made.watch().reading() as unit:
        (waiting,) = proposals.in_conflict(unit.connection)
    assert waiting.id == found.id


def test_what_was_posted_is_not_changed_by_a_proposal(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, EXPENSE_CHANGE)
    clerk = made.door("clerk")
    document = made.expense(clerk, 5000, "approve")
    assert made.status(document) == "approved"
    do(clerk, "expense", "save", {"amount": 7000}, document=document)
    assert made.values(document)["amount"] == 5000
    with pytest.raises(Refused) as refused:
        do(clerk, "expense", "unapprove", document=document)
    assert codes(refused.value) == ["flow.running"]
    do(made.door("boss"), "expense", "approve", document=document)
    assert made.values(document)["amount"] == 7000 and made.status(document) == "approved"


def test_a_called_workflow_runs_beside_the_document(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, CALLED)
    clerk = made.door("clerk")
    document = made.expense(clerk, 10, "approve")
    do(clerk, "expense", "flow", document=document, flow="expense_audit")
    assert made.at(document) == ["legal"] and made.status(document) == "approved"
    with pytest.raises(Refused):
        do(clerk, "expense", "flow", document=document, flow="expense_audit")
    do(made.door("legal"), "expense", "approve", document=document)
    assert made.at(document) == [] and made.status(document) == "approved"
