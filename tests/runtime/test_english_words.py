"""What people who read English see where texts were kept in Chinese, or are made of several names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.labels import Label, joined, listed
from runtime.facade import documents, flow_acts, flow_inbox, flow_view, rules
from runtime.facade.door import Door
from runtime.facade.flow_acts import Act
from tests.runtime.flow_house import Firm, company, expense_flow, firm

FLOW = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
    actions: [add_sign]
    deadlines: [{hours: 8, then: agree}]
""")
SETS = """
rule: note_approval
label: {zh: 审批备注, en: Note of approval}
when: {form: expense, on: [approve]}
then:
  - set: {remark: "'ok'"}
"""
DAILY = """
rule: daily
label: {zh: 每日检查, en: Daily check}
when: {form: expense, schedule: 每周一、三 9:00}
then:
  - message: {to: {role: boss}, title: {zh: 检查, en: Check}}
"""


def in_english(door: Door) -> Door:
    """The same person, reading English."""
    return replace(door, actor=replace(door.actor, language="en"))


def made_by_the_clock(folder: Path) -> tuple[Firm, int]:
    """An expense that two people were to sign, approved at its deadline, with a rule that then set a value."""
    made = firm(folder, None)
    made.publish(company(FLOW, changes={"rules/note_approval.yaml": SETS, "rules/daily.yaml": DAILY}))
    document = made.expense(made.door("clerk"))
    others = tuple(made.door(role).actor.user for role in ("legal", "finance"))
    flow_acts.act(made.door("boss"), "expense", document, "add_sign", Act(users=others, place="beside"))
    made.home.clock.wait(days=1)
    made.drain()
    assert made.status(document) == "approved"
    return made, document


def test_the_log_names_the_automation_and_lists_people(tmp_path: Path) -> None:
    made, document = made_by_the_clock(tmp_path)
    boss = made.door("boss")
    for door, automatic, signed in (
        (boss, "自动", "legal、finance"),
        (in_english(boss), "Automatic", "legal, finance"),
    ):
        log = flow_view.flow_view(door, "expense", document).log
        assert automatic in [line.user for line in log if line.kind.startswith("timer")]
        assert signed in [line.others for line in log]
        shown = documents.read(door, "expense", document)
        assert automatic in [line.user for line in shown.approvals] and signed in [
            line.others for line in shown.approvals
        ]


def test_the_history_names_the_rule(tmp_path: Path) -> None:
    made, document = made_by_the_clock(tmp_path)
    clerk = made.door("clerk")
    assert "审批备注" in [line.user for line in documents.read(clerk, "expense", document).history]
    assert "Note of approval" in [line.user for line in documents.read(in_english(clerk), "expense", document).history]


def test_a_list_of_people_who_are_waited_for(tmp_path: Path) -> None:
    made = firm(tmp_path, None, FLOW)
    clerk, boss = made.door("clerk"), made.door("boss")
    document = made.expense(clerk)
    other = made.door("legal").actor.user
    flow_acts.act(boss, "expense", document, "add_sign", Act(users=(other,), place="beside"))
    for door, joint in ((clerk, "、"), (in_english(clerk), ", ")):
        (row,) = flow_inbox.page(door, "mine", flow_inbox.Wanted()).rows
        assert joint in row.waits_for and row.waits_for.endswith("legal")


def test_a_schedule_is_told_in_the_language_of_the_reader(tmp_path: Path) -> None:
    made, _ = made_by_the_clock(tmp_path)
    admin = made.door("admin")
    told = {door.language: rules.rule_view(door, "daily").row.trigger for door in (admin, in_english(admin))}
    assert "每周一、三 09:00" in told["zh"] and "every Monday, Wednesday at 09:00" in told["en"]


def test_lists_of_words() -> None:
    labels = [Label("甲", "A"), Label("乙")]
    assert (joined(["a", "b"], "zh"), joined(["a", "b"], "en"), joined([], "en")) == ("a、b", "a, b", "")
    assert listed(labels) == Label("甲、乙", "A, 乙")
