"""What is asked of the database once, however many want to know it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.problems import Refused
from engine.workflow.directory import Directory, Person
from runtime.facade import flow_inbox, flow_moves
from runtime.stages.steps import Outcome
from runtime.storage.directory import PEOPLE
from tests.houses import WORKSPACE, codes
from tests.runtime.flow_house import Firm, company, expense_flow, firm

FLOW = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
""")
TELLS = """
rule: tell_finance
label: {zh: 通知财务, en: Tell finance}
when: {form: expense, on: [submit]}
then:
  - message: {to: {role: finance}, title: {zh: 有报销, en: An expense}}
  - task: {to: {member: legal}, title: {zh: 备票, en: Prepare the invoice}}
"""


@pytest.fixture
def made(tmp_path: Path, house_url: str | None) -> Firm:
    house = firm(tmp_path, house_url)
    house.publish(company(FLOW, changes={"rules/tell_finance.yaml": TELLS}))
    return house


@contextmanager
def statements(made: Firm) -> Iterator[list[str]]:
    """What is asked of the company's database meanwhile."""
    asked: list[str] = []
    engine = made.home.house.workspace(WORKSPACE).database.engine

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def test_a_flow_and_a_rule_of_one_submission_look_at_the_same_people(made: Firm) -> None:
    clerk, legal = made.door("clerk"), made.door("legal").actor.user
    made.expense(clerk)
    everybody = " ".join(str(PEOPLE).split())
    with statements(made) as asked:
        document = made.expense(clerk)
    assert [" ".join(one.split()) for one in asked].count(everybody) == 1
    made.drain()
    assert {task.user for task in made.tasks(document)} >= {legal}


def test_who_administers_differs_and_the_people_are_the_same() -> None:
    people = {
        number: Person(id=number, login=f"u{number}", name="", active=number != 3, roles=frozenset(roles))
        for number, roles in {1: {"admin"}, 2: {"boss", "admin"}, 3: {"boss"}, 4: {"boss"}}.items()
    }
    whole = Directory(people=people, admins=(1, 2))
    other = whole.administered_by(frozenset({"boss"}))
    assert other.admins == (2, 4) and other.people is people and other.by_role == whole.by_role
    assert whole.administered_by(frozenset({"admin"})) == whole


def test_a_batch_reads_its_tasks_together_and_decides_each_by_itself(made: Firm) -> None:
    clerk, boss = made.door("clerk"), made.door("boss")
    documents = [made.expense(clerk, number) for number in range(1, 7)]
    numbers = [made.tasks(document)[0].id or 0 for document in documents]
    asked = []
    for some in (numbers[:2], numbers):
        with statements(made) as heard:
            found = flow_inbox.several(boss, some)
        assert list(found) == some and [found[one].document for one in some] == documents[: len(some)]
        asked.append(len(heard))
    assert asked[0] == asked[1], "whatever their number"
    assert flow_inbox.several(clerk, numbers) == {}, "they wait for somebody else"

    made.flow(boss, documents[1], "reject", comment="不")
    results = flow_moves.agree_to_all(boss, [*numbers[:3], numbers[0], 999_999], "同意")
    assert [isinstance(one, Outcome) for _, one in results] == [True, False, True, False, False]
    refused = [one for _, one in results if isinstance(one, Refused)]
    assert all(codes(one) for one in refused) and codes(refused[-1]) == ["task.missing"]
    assert [made.status(document) for document in documents[:4]] == ["approved", "rejected", "approved", "pending"]
    assert [made.log(document)[-1].reason for document in (documents[0], documents[2])] == ["同意", "同意"]
    made.sound()
