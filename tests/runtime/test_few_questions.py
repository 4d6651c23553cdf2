"""What is asked of the database once, however many want to know it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.forms.draft import Patch
from engine.problems import Refused
from engine.workflow.directory import Directory, Person
from runtime.facade import flow_inbox, flow_moves
from runtime.stages.steps import Outcome
from runtime.storage.database import in_transaction
from runtime.storage.directory import PEOPLE
from runtime.submit import Command, submit_many_within, unit_of
from tests.houses import WORKSPACE, codes
from tests.runtime.flow_house import Firm, company, expense_flow, firm
from tests.runtime.rule_house import runs

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


KNOWN = """
rule: known
label: {zh: 同名, en: Known}
when: {form: supplier, on: [create]}
lookups:
  same: {form: supplier, where: "name == row.name", take: count}
  near: {form: supplier, where: "limit == 1 / row.limit", take: exists}
if: same > 1 or near
then: [{message: {to: {role: boss}, title: {zh: "{name} 已有 {same}", en: Known}}}]
"""


def test_the_look_ups_of_records_stored_together_are_asked_together(tmp_path: Path, house_url: str | None) -> None:
    house = firm(tmp_path, house_url)
    house.publish(company(changes={"rules/known.yaml": KNOWN.strip() + "\n"}))
    clerk = house.door("clerk")
    context = clerk.house.context(clerk.workspace, clerk.published, clerk.actor)

    def stored(*rows: tuple[str, str, str]) -> tuple[int, dict[str, str]]:
        """How often the rule asked, and what it says of whom, by their codes."""
        patches = [Patch(values=dict(zip(("code", "name", "limit"), row, strict=True))) for row in rows]
        commands = [Command(form="supplier", action="save", patch=patch, origin="import") for patch in patches]
        with statements(house) as asked:
            outcomes = in_transaction(
                clerk.workspace.database, lambda connection: submit_many_within(unit_of(context, connection), commands)
            )
        written = [one for one in outcomes if isinstance(one, Outcome)]
        assert len(written) == len(rows), outcomes
        shown = {one.document: row[0] for one, row in zip(written, rows, strict=True)}
        said = {shown[one.document]: one.verdict for one in runs(house) if one.document in shown}
        return len([one for one in asked if "count(" in one and "t_supplier" in one]), said

    assert stored(("A", "甲", "1"), ("B", "乙", "4")) == (2, {"A": "fired"}), "1 ÷ its own limit is a limit there is"
    many = [(f"C{place}", f"{place} 号", "5") for place in range(20)]
    assert stored(*many, ("D", "乙", "7"), ("E", "乙", "7")) == (2, {"D": "fired", "E": "fired"})
    _, said = stored(("F", "甲", "3"), ("G", "丙", "0"), ("H", "丁", "3"))
    assert said == {"F": "fired", "G": "failed"}, "what has no answer for one has one for the others"


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
