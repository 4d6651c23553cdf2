"""Acting and looking through the facade and the API: offers, batches, hand-over, migration, the stuck list, verify."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.problems import Refused
from runtime.facade import flow_acts, flow_inbox, flow_view, flows, stand_ins
from runtime.facade.door import Door
from runtime.facade.flow_acts import Act, Item
from runtime.publishing.running import running_touched
from runtime.storage import process_tables as tables
from runtime.storage.database import in_transaction
from runtime.verification import verify
from tests.houses import WORKSPACE, codes, do
from tests.runtime.flow_house import Firm, company, expense_flow, firm

ONE_STEP = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
  - approve: owner
    label: {zh: 负责人审批, en: Owner}
    by: {field: owner}
    empty: skip
  - approve: extra
    label: {zh: 由表达式决定, en: By expression}
    by: {expression: "owner if amount > 100 else owner"}
    empty: block
""")
PLAIN = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
  - approve: finance
    label: {zh: 财务审批, en: Finance}
    by: {role: finance}
""")
RENAMED = PLAIN.replace("approve: boss", "approve: chief").replace("role: boss", "role: legal")
CHANGE = """
workflow: supplier_change
label: {zh: 供应商变更, en: Supplier change}
form: supplier
start: change
steps:
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
"""


@pytest.fixture
def plain(tmp_path: Path, house_url: str | None) -> Firm:
    return firm(tmp_path, house_url, PLAIN)


def test_what_is_offered_is_accepted(plain: Firm) -> None:
    clerk, boss = plain.door("clerk"), plain.door("boss")
    document = plain.expense(clerk)
    offers = {one.kind: one for one in flows.offered(boss, "expense", document)}
    assert offers["agree"].allowed and offers["agree"].node == "老板审批"
    assert not offers["withdraw"].allowed and offers["withdraw"].reason
    mine = {one.kind: one.allowed for one in flows.offered(clerk, "expense", document)}
    assert mine["withdraw"] and mine["urge"] and not mine["agree"]
    flow_acts.act(boss, "expense", document, "agree", Act(seat=offers["agree"].seat, comment="好"))
    assert plain.at(document) == ["finance"]
    flow_acts.act(boss, "expense", document, "take_back", Act())
    assert plain.at(document) == ["boss"]
    with pytest.raises(Refused) as refused:
        flow_acts.act(boss, "expense", document, "timer", Act())
    assert codes(refused.value) == ["flow.no_such_act"]
    plain.sound()


def test_a_batch_has_an_outcome_per_document(plain: Firm) -> None:
    clerk, boss = plain.door("clerk"), plain.door("boss")
    documents = [plain.expense(clerk, amount) for amount in (1, 2, 3)]
    do(clerk, "expense", "withdraw", document=documents[1])
    done = flow_acts.batch(boss, [Item(form="expense", document=one) for one in documents], "agree", "批量")
    assert [isinstance(outcome, Refused) for _, outcome in done] == [False, True, False]
    assert [plain.at(one) for one in documents] == [["finance"], [], ["finance"]]
    plain.sound()


def test_a_leaver_hands_over(plain: Firm) -> None:
    clerk, boss, legal, admin = (plain.door(role) for role in ("clerk", "boss", "legal", "admin"))
    document = plain.expense(clerk)
    plain.flow(boss, document, "claim")
    with pytest.raises(Refused):
        flow_acts.hand_over(clerk, boss.actor.user, legal.actor.user)
    (done,) = flow_acts.hand_over(admin, boss.actor.user, legal.actor.user, "离职")
    assert not isinstance(done[1], Refused)
    assert [task.user for task in plain.tasks(document)] == [legal.actor.user]
    do(legal, "expense", "approve", document=document)
    assert plain.at(document) == ["finance"]
    plain.sound()


def test_running_runs_move_to_a_new_version_by_a_map(plain: Firm) -> None:
    document = plain.expense(plain.door("clerk"))
    database = plain.home.house.workspace(WORKSPACE).database
    assert running_touched(database, company(PLAIN)) == ()
    (told,) = running_touched(database, company(RENAMED))
    assert (told.node.zh, told.runs, told.gone) == ("老板审批", 1, True)
    plain.publish(company(RENAMED))
    clerk, admin = plain.door("clerk"), plain.door("admin")
    (dry,) = flow_acts.migrations(admin, "expense_approval", {})
    assert not dry.moved and dry.nodes == ("boss",) and plain.at(document) == ["boss"]
    (same,) = flow_acts.migrate_runs(admin, "expense_approval", {})
    assert not same.moved
    with pytest.raises(Refused):
        flow_acts.migrations(clerk, "expense_approval", {})
    (moved,) = flow_acts.migrate_runs(admin, "expense_approval", {"boss": "chief"})
    assert moved.moved and plain.at(document) == ["chief"]
    plain.sound()
    do(plain.door("boss"), "expense", "approve", document=document)
    do(plain.door("finance"), "expense", "approve", document=document)
    assert plain.status(document) == "approved"


def test_a_stuck_run_is_listed_and_freed(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, ONE_STEP)
    clerk, boss, admin, legal = (made.door(role) for role in ("clerk", "boss", "admin", "legal"))
    document = made.expense(clerk)
    do(boss, "expense", "approve", document=document)
    (stuck,) = flows.stuck(admin)
    assert (stuck.document, stuck.node) == (document, "由表达式决定") and stuck.reason
    assert flows.stuck(clerk) == () and made.status(document) == "pending"
    made.sound()
    given = Act(token=stuck.token, users=(legal.actor.user,), comment="请法务看")
    flow_acts.act(admin, "expense", document, "reassign", given)
    assert flows.stuck(admin) == ()
    do(legal, "expense", "approve", document=document)
    assert made.status(document) == "approved"
    made.sound()


def test_a_change_in_conflict_is_made_by_an_administrator(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, CHANGE)
    clerk, boss, admin = made.door("clerk"), made.door("boss"), made.door("admin")
    record = do(clerk, "supplier", "save", {"code": "S1", "name": "甲"}).document
    do(clerk, "supplier", "save", {"limit": "5000"}, document=record)
    waiting = flows.proposed(clerk, "supplier", record)
    assert waiting is not None and waiting["values"] == {"limit": "5000"} and waiting["by"] == "clerk"
    made.publish(company())
    clerk, boss, admin = made.door("clerk"), made.door("boss"), made.door("admin")
    do(clerk, "supplier", "save", {"name": "乙"}, document=record)
    do(boss, "supplier", "approve", document=record)
    (stuck,) = flows.stuck(admin)
    assert stuck.proposal and stuck.document == record
    made.drain()
    assert made.count(tables.message, f"kind = 'system' AND \"user\" = {admin.actor.user}") == 1
    with pytest.raises(Refused):
        flow_acts.make_proposal(clerk, stuck.proposal, True)
    flow_acts.make_proposal(admin, stuck.proposal, True)
    kept = made.values(record, "supplier")
    assert (kept["name"], str(kept["limit"])) == ("乙", "5000.0000") or kept["limit"] == 5000
    assert flows.stuck(admin) == () and flows.proposed(clerk, "supplier", record) is None


def test_verify_finds_what_does_not_fit(plain: Firm) -> None:
    clerk = plain.door("clerk")
    first, second = plain.expense(clerk), plain.expense(clerk)
    plain.sound()
    database = plain.home.house.workspace(WORKSPACE).database
    task, run = tables.task, tables.run
    in_transaction(
        database,
        lambda connection: connection.execute(sa.delete(task).where(task.c.document == first)).rowcount,
    )
    in_transaction(
        database,
        lambda connection: (
            connection.execute(
                sa.update(run).where(run.c.document == second).values(finished_at=plain.home.clock(), result="approved")
            ).rowcount
        ),
    )
    found = {one.code for one in verify(plain.home.house, WORKSPACE).differences}
    assert found == {"verify.seat_without_task", "verify.task_of_ended"}


def test_the_log_says_how_long_it_took(plain: Firm) -> None:
    document = plain.expense(plain.door("clerk"))
    plain.home.clock.wait(hours=3)
    do(plain.door("boss"), "expense", "approve", document=document)
    view = flow_view.flow_view(plain.door("clerk"), "expense", document)
    assert [line.kind for line in view.log if not line.waiting] == ["submit", "approve"]
    assert view.log[1].lasted and view.log[-1].waiting


def test_whoever_stands_in_for_several_decides_once_for_all_of_them(tmp_path: Path, house_url: str | None) -> None:
    several = expense_flow(
        "  - approve: both\n    label: {zh: 会签, en: Both}\n    mode: all\n"
        "    by: [{member: boss}, {member: finance}, {member: legal}]"
    )
    made = firm(tmp_path, house_url, several)
    clerk, legal = made.door("clerk"), made.door("legal")
    ids = {name: made.door(name).actor.user for name in ("boss", "finance", "legal")}
    now = made.home.clock()
    for name in ("boss", "finance"):
        stand_ins.add(made.door(name), ids["legal"], "", now, now + timedelta(days=3))
    document = made.expense(clerk)
    (task,) = made.tasks(document)
    assert (task.user, task.behalf) == (ids["legal"], (ids["legal"], ids["boss"], ids["finance"]))
    (row,) = flow_inbox.page(legal, "open", flow_inbox.Wanted()).rows
    assert (row.behalf, row.besides) == ("boss、finance", True)
    waiting = flow_view.flow_view(clerk, "expense", document).log[-1]
    assert (waiting.behalf, waiting.besides, waiting.waiting) == ("boss、finance", True, True)
    do(legal, "expense", "approve", document=document)
    assert made.status(document) == "approved"
    said = flow_view.flow_view(clerk, "expense", document).log[-1]
    assert (said.user, said.behalf, said.besides) == ("legal", "boss、finance", True)
    (first, second) = made.log(document)
    assert first.behalf == () and second.behalf == (ids["legal"], ids["boss"], ids["finance"])


def test_lists_say_why_a_button_cannot_be_pressed(plain: Firm) -> None:
    clerk, boss = plain.door("clerk"), plain.door("boss")
    document = plain.expense(clerk)

    def missing(door: Door, tab: flow_inbox.Tab) -> list[str]:
        (row,) = flow_inbox.page(door, tab, flow_inbox.Wanted()).rows
        return sorted(row.missing)

    assert missing(clerk, "mine") == [] == missing(boss, "open")
    plain.flow(clerk, document, "urge")
    assert missing(clerk, "mine") == ["urge"]
    plain.flow(boss, document, "claim")
    assert missing(boss, "open") == []
    do(boss, "expense", "approve", document=document)
    (row,) = flow_inbox.page(clerk, "mine", flow_inbox.Wanted()).rows
    assert sorted(row.missing) == ["urge", "withdraw"] and all(row.missing.values())


def test_a_pool_that_may_not_be_claimed_from_says_so(tmp_path: Path, house_url: str | None) -> None:
    steps = "  - approve: boss\n    label: {zh: 老板, en: Boss}\n    by: {role: boss}\n    actions: [transfer]"
    made = firm(tmp_path, house_url, expense_flow(steps))
    made.expense(made.door("clerk"))
    (row,) = flow_inbox.page(made.door("boss"), "open", flow_inbox.Wanted()).rows
    assert row.pool == "boss" and list(row.missing) == ["claim"]
