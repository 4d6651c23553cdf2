"""Trying a draft workflow or rule on a stored document, and replaying it over a past period; nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import trying
from runtime.facade.door import Door
from runtime.facade.trying import Period, Tried
from runtime.storage import process_tables as tables
from runtime.storage import product_tables
from runtime.trying import drafts
from tests.houses import codes
from tests.runtime.flow_house import Firm, company, firm

FLOW = """
workflow: expense_approval
label: {zh: 报销审批, en: Expense approval}
form: expense
steps:
  - approve: finance
    label: {zh: 财务审批, en: Finance}
    by: {role: finance}
  - branch:
      - when: amount > 50000
        label: {zh: 大额, en: Large}
        steps:
          - approve: boss
            label: {zh: 老板审批, en: Boss node}
            by: {role: boss}
      - label: {zh: 小额, en: Small}
        steps:
          - notify: told
            label: {zh: 知会, en: Told}
            to: {role: legal}
  - action: paid
    label: {zh: 登记, en: Register}
    then:
      - set: {audit: "'ok'"}
tests:
  - given: {amount: 50001}
    walks: [finance, boss]
"""
RULE = """
rule: big_expense
label: {zh: 大额报销, en: Big expense}
when: {form: expense, on: [submit]}
if: amount * 2 > 100000
then:
  - message:
      to: {role: boss}
      title: {zh: "大额 {amount}", en: "Big {amount}"}
"""
GIVEN = {
    "roles/admin.yaml": """
role: admin
label: {zh: 管理员, en: Administrator}
grants:
  - forms: [expense, payment, supplier]
    actions: [read]
pages: [settings]
"""
}
JANUARY = Period(first=date(2026, 1, 1), last=date(2026, 1, 31))


@pytest.fixture
def house(tmp_path: Path, house_url: str | None) -> Firm:
    made = firm(tmp_path, house_url, FLOW)
    made.publish(company(FLOW, changes=GIVEN))
    return made


@pytest.fixture
def admin(house: Firm) -> Door:
    return house.door("admin", "legal")


def changed(limit: int) -> str:
    return FLOW.replace("50000", str(limit)).replace("50001", str(limit + 1))


def kinds(tried: Tried) -> list[str]:
    return [f"{step.kind} {step.label}".strip() for step in tried.steps]


def written(house: Firm) -> list[int]:
    counted = (tables.task, tables.rule_run, product_tables.history, product_tables.outbox, tables.message)
    return [house.count(table) for table in counted]


def test_every_step_with_what_was_found(house: Firm, admin: Door) -> None:
    house.door("finance"), house.door("boss")
    document = house.expense(house.door("clerk"), 60_000)
    before = written(house)
    tried = trying.try_draft(admin, FLOW, document)
    assert kinds(tried) == ["submit", "asked 财务审批", "condition", "asked 老板审批", "action 登记", "end 审批通过"]
    assert tried.outcome == "approved"
    assert tried.steps[1].people == ("finance（任一人）",)
    condition = tried.steps[2].conditions[0]
    assert (condition.label, condition.source, condition.holds) == ("大额", "amount > 50000", "yes")
    assert condition.trace == ((0, "amount > 50000", "是"), (1, "amount", "60000"))
    assert tried.steps[4].follows == ("写入 审计意见 · ok",)
    assert written(house) == before and house.values(document)["audit"] is None, "nothing has happened"


def test_the_draft_decides_not_what_is_published(house: Firm, admin: Door) -> None:
    document = house.expense(house.door("clerk"), 60_000)
    tried = trying.try_draft(admin, changed(80_000), f"#{document}")
    assert kinds(tried) == ["submit", "asked 财务审批", "condition", "copied 知会", "action 登记", "end 审批通过"]
    assert [one.holds for one in tried.steps[2].conditions] == ["no", "yes"]
    assert house.at(document) == ["finance"], "the running approval has not moved"


def test_red_tests_are_told_and_keep_nobody_from_trying(house: Firm, admin: Door) -> None:
    document = house.expense(house.door("clerk"), 60_000)
    tried = trying.try_draft(admin, FLOW.replace("amount > 50000", "amount > 80000"), document)
    assert [one.code for one in tried.red] == ["definition.workflow_walks"]


def test_where_a_try_ends_before_the_run(house: Firm, admin: Door) -> None:
    document = house.expense(house.door("clerk"), 10)
    nobody = FLOW.replace("by: {role: finance}", "by: {field: owner}")
    tried = trying.try_draft(admin, nobody, document)
    assert [step.kind for step in tried.steps] == ["submit", "stop"] and tried.outcome == "running"
    assert tried.steps[-1].reason
    waits = FLOW.replace(
        "  - action: paid", "  - wait: later\n    label: {zh: 等, en: Wait}\n    hours: 5\n  - action: paid"
    )
    assert "wait 等" in kinds(trying.try_draft(admin, waits, document))


def test_a_rule_with_its_trace_and_what_would_follow(house: Firm, admin: Door) -> None:
    document = house.expense(house.door("clerk"), 60_000)
    before = written(house)
    tried = trying.try_draft(admin, RULE, document)
    assert (tried.kind, tried.outcome) == ("rule", "fired")
    step = tried.steps[0]
    assert step.follows == ("消息：大额 60000 · boss（任一人）",)
    assert step.conditions[0].trace[0] == (0, "amount * 2 > 100000", "是")
    assert tried.facts == {"amount": "60000"}
    assert trying.try_draft(admin, RULE.replace("100000", "200000"), document).outcome == "quiet"
    assert written(house) == before


def test_a_replay_tells_what_would_have_gone_differently(house: Firm, admin: Door) -> None:
    clerk = house.door("clerk")
    amounts = (10, 55_000, 60_000, 80_000, 90_000)
    made = [house.expense(clerk, amount) for amount in amounts]
    house.expense(clerk, 70_000, action="save")
    done = trying.replay(admin, changed(80_000), JANUARY)
    assert (done.looked, done.differing, done.next) == (5, 3, None), "drafts have asked nobody"
    assert [row.document for row in done.rows] == made[1:4]
    assert (done.rows[0].before, done.rows[0].after) == ("finance → boss", "finance")
    assert done.sentences == ("finance：审批仍为 5 次。", "boss：4 次审批中可省去 3 次。")
    assert trying.replay(admin, changed(80_000), Period(first=date(2025, 1, 1), last=date(2025, 2, 1))).looked == 0


def test_a_replay_goes_on_where_it_stopped(house: Firm, admin: Door) -> None:
    clerk = house.door("clerk")
    made = [house.expense(clerk, amount) for amount in (60_000, 61_000, 62_000)]
    first = trying.replay(admin, changed(80_000), JANUARY, limit=2, rows=1)
    assert (first.looked, first.next, len(first.rows), first.more) == (2, made[1], 1, 1)
    rest = trying.replay(admin, changed(80_000), JANUARY, after=first.next or 0, limit=2)
    assert (rest.looked, rest.next, [row.document for row in rest.rows]) == (1, None, made[2:])


def test_a_draft_is_compiled_once_for_all_pages(house: Firm, admin: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    for amount in (60_000, 61_000):
        house.expense(house.door("clerk"), amount)
    seen: list[str] = []
    compiled = drafts.drafted
    monkeypatch.setattr(drafts, "drafted", lambda published, text: seen.append(text) or compiled(published, text))
    first = trying.replay(admin, changed(80_000), JANUARY, limit=1)
    assert trying.replay(admin, changed(80_000), JANUARY, after=first.next or 0, limit=2).looked == 1
    assert seen == [changed(80_000)]
    trying.replay(admin, changed(90_000), JANUARY)
    trying.replay(admin, changed(90_001), JANUARY)
    trying.replay(admin, changed(80_000), JANUARY)
    assert seen[1:] == [changed(90_000), changed(90_001), changed(80_000)], "only the last two are kept"
    house.publish(company(changed(80_000), changes=GIVEN))
    again = trying.replay(house.door("admin", "legal"), changed(80_000), JANUARY)
    assert (again.differing, len(seen)) == (0, 5), "a draft belongs to what was published when it was compiled"


def test_portions_are_told_on_the_way(house: Firm, admin: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "PORTION", 2)
    for amount in range(5):
        house.expense(house.door("clerk"), amount)
    assert [part.looked for part in trying.replaying(admin, FLOW, JANUARY)] == [2, 4, 5]


def test_a_rule_is_replayed_against_its_published_version(house: Firm, admin: Door) -> None:
    clerk = house.door("clerk")
    house.publish(company(FLOW, changes={**GIVEN, "rules/big_expense.yaml": RULE}))
    for amount in (10, 60_000, 120_000):
        house.expense(clerk, amount)
    admin = house.door("admin", "legal")
    done = trying.replay(admin, RULE.replace("100000", "200000"), JANUARY)
    assert (done.looked, done.differing) == (3, 1)
    assert [(one.label, one.before, one.after) for one in done.counts] == [("触发", 2, 1)]
    assert (done.rows[0].before, done.rows[0].after) == ("触发", "不触发")
    new = trying.replay(admin, RULE.replace("big_expense", "other"), JANUARY)
    assert [(one.before, one.after) for one in new.counts] == [(0, 2)], "a new rule has not fired before"


def test_what_cannot_be_tried_is_refused(house: Firm, admin: Door) -> None:
    document = house.expense(house.door("clerk"), 10)
    timed = RULE.replace("{form: expense, on: [submit]}", "{schedule: 每天 9:00}").replace(
        "amount * 2 > 100000", "1 > 2"
    )
    timed = timed.replace("{amount}", "x")
    for text, code in (
        ("hello: 1", "trying.no_name"),
        (FLOW.replace("amount > 50000", "amont > 50000"), "expression.unknown_name"),
        (timed, "trying.no_record"),
    ):
        with pytest.raises(Refused) as refused:
            trying.try_draft(admin, text, document)
        assert code in codes(refused.value), codes(refused.value)
    with pytest.raises(Refused) as refused:
        trying.replay(admin, timed, JANUARY)
    assert codes(refused.value) == ["trying.no_past"]
    with pytest.raises(Refused) as refused:
        trying.replay(admin, FLOW, Period(first=JANUARY.last, last=JANUARY.first))
    assert codes(refused.value) == ["trying.period"]
    for missing in (99_999, "", "EX-nothing"):
        with pytest.raises(Refused) as refused:
            trying.try_draft(admin, FLOW, missing)
        assert refused.value.kind == "missing"


def test_only_administrators_who_may_read_the_form(house: Firm) -> None:
    document = house.expense(house.door("clerk"), 10)
    attempts: tuple[Callable[[Door], object], ...] = (
        trying.choices,
        lambda door: trying.source(door, "app.yaml"),
        lambda door: trying.try_draft(door, FLOW, document),
        lambda door: trying.replay(door, FLOW, JANUARY),
    )
    for attempt in attempts:
        with pytest.raises(Refused) as refused:
            attempt(house.door("boss"))
        assert (refused.value.kind, codes(refused.value)) == ("forbidden", ["trying.administrators_only"])
    house.publish(
        company(FLOW, changes={"roles/admin.yaml": GIVEN["roles/admin.yaml"].replace("[expense, payment", "[payment")})
    )
    with pytest.raises(Refused) as refused:
        trying.try_draft(house.door("admin"), FLOW, document)
    assert refused.value.kind == "missing"


def test_what_is_hidden_from_the_person_is_not_told(house: Firm) -> None:
    secret = GIVEN["roles/admin.yaml"].replace("[expense, payment, supplier]", "[expense]")
    secret = secret.replace("actions: [read]", "actions: [read]\n    fields: {amount: hidden}")
    house.publish(company(FLOW, changes={"roles/admin.yaml": secret}))
    document = house.expense(house.door("clerk"), 61_234)
    admin = house.door("admin")
    for text in (FLOW, RULE):
        tried = trying.try_draft(admin, text, document)
        traces = [line for step in tried.steps for one in step.conditions for line in one.trace]
        assert traces and all("61234" not in line[2] for line in traces)
        assert "61234" not in str(tried), "nor in what would be sent"


def test_drafts_begin_with_what_is_published(house: Firm, admin: Door) -> None:
    assert trying.choices(admin) == (("workflows/expense_approval.yaml", "报销审批", "workflow"),)
    assert "amount > 50000" in trying.source(admin, "workflows/expense_approval.yaml")
    assert trying.source(admin, "app.yaml") == "" and trying.source(admin, "rules/none.yaml") == ""


def test_what_an_action_sets_is_seen_behind_it_and_kept_nowhere(house: Firm, admin: Door) -> None:
    acting = """
workflow: expense_approval
label: {zh: 报销审批, en: Expense approval}
form: expense
steps:
  - branch:
      - when: coalesce(paid, 0) > 100
        steps: [{approve: early, label: {zh: 过早, en: Early}, by: {role: boss}}]
  - action: paid
    label: {zh: 登记, en: Register}
    then: [{set: {paid: "amount * 2"}}]
  - branch:
      - when: paid > 100
        steps: [{approve: boss, label: {zh: 老板审批, en: Boss node}, by: {role: boss}}]
  - action: twice
    label: {zh: 再记, en: Again}
    then: [{set: {paid: "paid + 1"}}]
"""
    house.door("boss")
    document = house.expense(house.door("clerk"), 60)
    before = written(house)
    tried = trying.try_draft(admin, acting, document)
    assert kinds(tried) == [
        "submit", "condition", "action 登记", "condition", "asked 老板审批", "action 再记", "end 审批通过",
    ]  # fmt: skip
    assert [step.conditions[0].holds for step in tried.steps if step.conditions] == ["no", "yes"]
    assert tried.steps[3].conditions[0].trace[1][1:] == ("paid", "120")
    assert [Decimal(step.follows[0].split(" · ")[-1]) for step in tried.steps if step.follows] == [120, 121]
    assert written(house) == before and house.values(document)["paid"] is None
