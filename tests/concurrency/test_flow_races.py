"""Several people at one run at once, on both databases: one decision counts, one claim wins, a timer fires once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade.flow_jobs import fire_timer
from runtime.storage import process_tables as tables
from runtime.storage import timers
from tests.concurrency.test_races import at_once
from tests.houses import do
from tests.runtime.flow_house import Firm, expense_flow, firm

FLOW = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
    deadlines:
      - {hours: 1, then: agree}
  - approve: finance
    label: {zh: 财务审批, en: Finance}
    by: {role: finance}
""")


@pytest.fixture
def made(tmp_path: Path, house_url: str | None) -> Firm:
    return firm(tmp_path, house_url, FLOW)


def won(results: list[object]) -> int:
    return sum(not isinstance(one, Refused) for one in results)


def test_one_approval_counts(made: Firm) -> None:
    boss, document = made.door("boss"), made.expense(made.door("clerk"))
    results = at_once(lambda number: do(boss, "expense", "approve", document=document), 4)
    assert won(results) == 1 and made.at(document) == ["finance"]
    assert made.words(document) == ["submit", "approve"]
    made.sound()


def test_one_claim_wins(made: Firm) -> None:
    document = made.expense(made.door("clerk"))
    doors = [made.door("boss"), made.door("boss", "legal"), made.door("boss", "finance")]
    results = at_once(lambda number: made.flow(doors[number], document, "claim"), 3)
    assert won(results) == 1 and len(made.tasks(document)) == 1
    made.sound()


def test_unapproving_and_deciding_at_once(made: Firm) -> None:
    clerk, boss, finance = made.door("clerk"), made.door("boss"), made.door("finance")
    document = made.expense(clerk)
    do(boss, "expense", "approve", document=document)

    def act(number: int) -> object:
        if number % 2:
            return do(finance, "expense", "approve", document=document)
        return do(clerk, "expense", "unapprove", document=document)

    results = at_once(act, 4)
    assert 1 <= won(results) <= 2 and made.status(document) in ("approved", "draft")
    assert made.tasks(document) == []
    made.sound()


def test_a_timer_fires_once(made: Firm) -> None:
    document = made.expense(made.door("clerk"))
    made.home.clock.wait(hours=2)
    with made.watch().reading() as unit:
        (row,) = timers.due(unit.connection, made.home.clock(), 10)
    at_once(lambda number: fire_timer(made.watch(), row), 4)
    assert made.at(document) == ["finance"] and made.words(document) == ["submit", "timer_agree"]
    assert made.count(tables.timer, "outcome = 'fired'") == 1
    made.sound()
