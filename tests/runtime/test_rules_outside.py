"""Rules that nobody's submission wakes, on both databases: the clock, dates, messages, buttons, to-dos left undone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.problems import Refused
from runtime.facade import documents
from runtime.ruling.again import run_again
from runtime.storage import outbox, rule_runs
from runtime.storage import process_tables as tables
from runtime.storage.database import in_transaction, read
from runtime.storage.outbox import OutboxRow
from tests.houses import WORKSPACE, codes, do
from tests.runtime.flow_house import COMPANY, Firm
from tests.runtime.rule_house import ruled, runs, tick, titles, verdicts

DAILY = """
rule: daily
label: {zh: 每天, en: Daily}
when: {schedule: 每天 17:30}
then: [{message: {to: {role: boss}, title: {zh: 下班了, en: Done}}}]
"""
EVERY = """
rule: every
label: {zh: 每单, en: Every}
when: {schedule: "0 8 * * *", form: expense}
if: amount > 40
then: [{message: {to: {role: boss}, title: {zh: "{amount}", en: Every}}}]
"""
DUE = """
rule: due
label: {zh: 到期, en: Due}
when: {form: expense, date: {field: biz_date, days: [-1, 2]}}
then: [{message: {to: {role: boss}, title: {zh: "{amount} {offset}", en: Due}}}]
"""
PRESS = """
rule: bump
label: {zh: 加一, en: Bump}
when: {form: expense, button: {zh: 加一, en: Bump}}
if: amount < 100
then:
  - set: {paid: "coalesce(paid, 0) + 1"}
  - when: amount > 60
    warn: {say: {zh: 真的, en: Really}}
"""
OPEN = """
rule: open
label: {zh: 没付, en: Unpaid}
when: {form: expense, on: [submit, update]}
if: empty(paid)
once: true
then: [{task: {to: {role: boss}, title: {zh: "付 {amount}", en: Pay}, hours: 4}}]
escalate: [{hours: 8, to: {role: finance}}]
"""
ORDERED = """
rule: ordered
label: {zh: 来单, en: Ordered}
when: {webhook: shop}
if: payload.total > 10
then: [{create: {form: expense, set: {purpose: payload.title, amount: payload.total}, each: payload.rows,
  lines: {lines: {what: name, sum: price}}}}]
"""


def todos(house: Firm) -> list[tuple[str, str, bool]]:
    with read(house.home.house.workspace(WORKSPACE).database) as connection:
        query = sa.select(tables.task).where(tables.task.c.kind == "todo").order_by(tables.task.c.id)
        return [(row.role, row.title_zh, row.done_at is None) for row in connection.execute(query)]


def test_a_schedule_comes_once_and_survives_a_closed_house(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, DAILY)
    house.door("boss")
    clock = house.home.clock
    clock.now = datetime(2026, 1, 5, 17, 29)
    assert (tick(house), verdicts(house)) == (0, [])
    clock.wait(minutes=1)
    assert (tick(house), tick(house), len(runs(house))) == (1, 0, 1)
    clock.wait(days=3, hours=2)
    assert (tick(house), tick(house), len(runs(house))) == (1, 0, 2)
    assert titles(house) == ["下班了"] * 2


def test_a_schedule_over_records_takes_each_once(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, EVERY)
    house.door("boss")
    for amount in (30, 50, 60):
        house.expense(house.door("clerk"), amount, "save")
    tick(house)
    assert titles(house) == []
    house.home.clock.now = datetime(2026, 1, 6, 8, 0)
    assert tick(house) == 1 and tick(house) == 0
    assert sorted(titles(house)) == ["50", "60"]


def test_dates_come_once_per_record_and_offset(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, DUE)
    house.door("boss")
    tick(house)
    clerk, clock = house.door("clerk"), house.home.clock
    house.expense(clerk, 10, "save", biz_date="2026-01-07")
    house.expense(clerk, 20, "save", biz_date="2026-01-05")
    clock.now = datetime(2026, 1, 6, 7, 59)
    tick(house)
    assert titles(house) == []
    clock.wait(minutes=1)
    tick(house)
    tick(house)
    assert titles(house) == ["10 -1"]
    clock.now = datetime(2026, 1, 9, 9, 0)
    tick(house)
    tick(house)
    assert sorted(titles(house)) == ["10 -1", "10 2", "20 2"]


def test_a_button_sets_asks_and_says_why_not(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, PRESS)
    clerk = house.door("clerk")
    document = house.expense(clerk, 50, "save")
    assert "rule:bump" in [one.key for one in documents.read(clerk, "expense", document).actions]
    for _ in range(2):
        do(clerk, "expense", "rule:bump", document=document)
    assert house.values(document)["paid"] == 2
    do(clerk, "expense", "rule:bump", document=document, idempotency_key="k")
    assert do(clerk, "expense", "rule:bump", document=document, idempotency_key="k").repeated
    assert house.values(document)["paid"] == 3
    big, huge = house.expense(clerk, 70, "save"), house.expense(clerk, 700, "save")
    for number, code in ((big, "rule.warned"), (huge, "rule.does_not_hold")):
        with pytest.raises(Refused) as refused:
            do(clerk, "expense", "rule:bump", document=number)
        assert codes(refused.value) == [code]
    do(clerk, "expense", "rule:bump", document=big, confirmed=True)
    assert house.values(big)["paid"] == 1
    with pytest.raises(Refused):
        do(house.door("stranger"), "expense", "rule:bump", document=document)


def test_an_open_to_do_is_escalated_once_and_recovers(tmp_path: Path, house_url: str | None) -> None:
    house = ruled(tmp_path, house_url, OPEN)
    clerk = house.door("clerk")
    house.door("finance")
    document = house.expense(clerk, 50, "submit")
    house.drain()
    assert todos(house) == [("boss", "付 50", True)]
    house.home.clock.wait(hours=9)
    house.drain()
    house.drain()
    assert todos(house) == [("boss", "付 50", True), ("finance", "付 50", True)] and titles(house)[-1:] == ["付 50"]
    do(clerk, "expense", "withdraw", document=document)
    do(clerk, "expense", "save", {"paid": 50}, document=document)
    house.drain()
    assert [one[2] for one in todos(house)] == [False, False]


def test_a_message_is_read_as_declared_and_counts_once(tmp_path: Path, house_url: str | None) -> None:
    app = (COMPANY / "app.yaml").read_text() + "\n".join((
        "webhooks:", "  inbound:", "    shop:", "      label: {zh: 店, en: Shop}", "      fields:",
        "        title: {type: text}", "        total: {type: number}",
        "        rows: {type: lines, fields: {name: {type: text}, price: {type: number}}}", "",
    ))  # fmt: skip
    house = ruled(tmp_path, house_url, ORDERED, app=app)
    place = house.home.house.workspace(WORKSPACE)

    def arrives(total: object) -> None:
        payload = {"title": "网单", "total": total, "rows": [{"name": "甲", "price": "4.5"}, {"name": "乙"}], "more": 1}
        row = OutboxRow(
            kind="webhook_received", payload={"name": "shop", "message_id": "m", "payload": payload},
            created_at=house.home.clock(),
        )  # fmt: skip
        ids = in_transaction(place.database, lambda connection: outbox.add(connection, [row]))
        house.home.house.hand_over(place, ids)
        house.drain()

    for total in ("12.5", 5, "viel"):
        arrives(total)
    assert verdicts(house) == ["fired", "failed"]
    made = house.count(house.home.house.published(place).tables.forms["expense"].header)
    assert made == 1
    again = run_again(house.home.house, place, house.door("admin").actor, runs(house)[0].id)
    house.drain()
    with read(place.database) as connection:
        entry = rule_runs.get(connection, again)
    assert entry is not None and (entry.rerun_of, entry.verdict) == (runs(house)[0].id, "fired")
    assert house.count(house.home.house.published(place).tables.forms["expense"].header) == 2
    assert [one.error[0]["code"] for one in runs(house) if one.verdict == "failed"] == ["rule.payload"]
