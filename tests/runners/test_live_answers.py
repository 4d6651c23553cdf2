"""Live answers: what conditions, people, votes and deadlines of a workflow come to on a document and its people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest

from engine.built_in import built_in_kinds
from engine.calendars.calendar import Calendar
from engine.definitions.bundle import read_bundle
from engine.definitions.compiled import CompiledWorkflow
from engine.expressions import Clock, Row
from engine.kinds import Kinds, PluginKind
from engine.labels import Label
from engine.workflow.answers import NEVER, Unanswerable
from engine.workflow.directory import Department, Directory, Person, StandIn
from engine.workflow.live import LiveAnswers, external
from engine.workflow.state import Asked, RunStatus
from engine.workflow.walk import begin

NOW = datetime(2026, 1, 5, 16)  # a Monday
SUBMITTER, BOSS, KEEPER, AWAY, STAND_IN, LEFT = range(1, 7)
APP = """
app: approvals
version: 1.0.0
calendar: office
label: {zh: 审批, en: Approvals}
"""
CALENDAR = """
calendar: office
label: {zh: 办公室, en: Office}
hours:
  monday: ["09:00-17:00"]
  tuesday: ["09:00-17:00"]
"""
FORM = """
form: order
label: {zh: 订单, en: Order}
number: "SO{biz_date:%Y%m%d}-{seq:4}"
fields:
  total: {type: money, label: {zh: 金额, en: Total}}
  rate: {type: number, label: {zh: 率, en: Rate}}
  due: {type: date, label: {zh: 交期, en: Due}}
  meet: {type: datetime, label: {zh: 会面, en: Meeting}}
  owner: {type: member, label: {zh: 负责人, en: Owner}}
  customer: {type: link, to: customer, label: {zh: 客户, en: Customer}}
"""
CUSTOMER = """
form: customer
kind: master
label: {zh: 客户, en: Customer}
fields:
  name: {type: text, label: {zh: 名称, en: Name}}
  seller: {type: member, label: {zh: 业务员, en: Seller}}
"""
ROLES = ("boss", "keeper", "chief")
ROLE = "role: {0}\nlabel: {{zh: {0}, en: {0}}}\ngrants: [{{forms: ['*'], actions: [read]}}]\n"
WORKFLOW = """
workflow: approval
label: {zh: 审批, en: Approval}
form: order
steps:
  - branch:
      - {when: total > 1000, steps: [{approve: large, label: 大, by: {role: boss}}]}
      - {when: 100 / rate > 5, steps: []}
  - inclusive:
      - {when: total > 10, steps: []}
      - {when: total > 5000, steps: []}
      - {steps: []}
  - approve: sellers
    label: 业务
    by: [{field: customer.seller}, {field: owner}, {expression: customer.seller}, {role: keeper}]
    own: exclude
    deadlines:
      - {hours: 4}
      - {hours: 4, clock: working, every: 3}
      - {until: due, then: escalate, to: {department_head: true}}
      - {until: meet, then: transfer, to: {role: keeper}}
  - approve: board
    label: 会
    by: [{role: boss}, {member: [away, keeper]}, {initiator: true}]
    mode: vote
    vote: {weight: 5, weights: {boss: 3, chief: 4}, veto: [chief]}
  - {fill: picked, label: 选, by: {chosen: {most: 2}}}
  - {notify: outside, label: 外, to: [{resolver: {use: hr, params: {grade: total, site: "'S'"}}}, {initiator: true}]}
  - {wait: some, label: 等, hours: 4, clock: working}
  - {wait: day, label: 等, until: due}
  - {wait: event, label: 等, event: paid}
  - {wait: limited, label: 等, event: paid, until: due}
"""


@cache
def flow() -> CompiledWorkflow:
    kinds: Kinds = replace(
        built_in_kinds(), resolvers={"hr": PluginKind(label=Label("人事", "HR"), params=("grade", "site"))}
    )
    files = {
        "app.yaml": APP, "calendars/office.yaml": CALENDAR, "forms/order.yaml": FORM, "forms/customer.yaml": CUSTOMER,
        "workflows/approval.yaml": WORKFLOW, **{f"roles/{role}.yaml": ROLE.format(role) for role in ROLES},
    }  # fmt: skip
    bundle, problems = read_bundle(files, kinds)
    assert bundle is not None, [f"{one.where} {one.code}" for one in problems]
    return bundle.workflows["order"]


def person(number: int, login: str, *roles: str, active: bool = True) -> Person:
    return Person(id=number, login=login, name=login, department=1, roles=frozenset(roles), active=active)


PEOPLE = (
    person(SUBMITTER, "submitter"),
    person(BOSS, "boss", "boss"),
    person(KEEPER, "keeper", "keeper"),
    person(AWAY, "away", "chief"),
    person(STAND_IN, "standin"),
    person(LEFT, "left", "boss", active=False),
)
ABSENT = StandIn(user=AWAY, to_user=STAND_IN, from_at=NOW - timedelta(days=1), until_at=NOW + timedelta(days=1))
DIRECTORY = Directory(
    people={each.id: each for each in PEOPLE},
    departments={1: Department(id=1, head=BOSS)},
    stand_ins=(ABSENT,),
    admins=(BOSS,),
)


def answers(**names: object) -> LiveAnswers:
    every: dict[str, object] = {
        "total": Decimal(2000), "rate": Decimal(1), "due": date(2026, 1, 9), "meet": None, "owner": None,
        "customer": Row(9, {"seller": AWAY}),
    }  # fmt: skip
    return LiveAnswers(
        flow=flow(),
        names=every | names,
        clock=Clock(today=NOW.date(), now=NOW),
        directory=DIRECTORY,
        starter=SUBMITTER,
        calendar=Calendar(key="office", week=(((540, 1020),), ((540, 1020),), (), (), (), (), ())),
        form="order",
    )


def test_the_first_arm_that_holds_is_enough_of_an_exclusive_branch() -> None:
    assert answers(total=Decimal(2000), rate=Decimal(0)).holding((0,)) == (0,)
    assert answers(total=Decimal(1), rate=Decimal(1)).holding((0,)) == (1,)
    assert answers(total=Decimal(1), rate=Decimal(100)).holding((0,)) == ()
    with pytest.raises(Unanswerable) as failed:
        answers(total=Decimal(1), rate=Decimal(0)).holding((0,))
    assert failed.value.problem.code == "expression.division_by_zero"


def test_every_arm_that_holds_is_told_of_an_inclusive_branch() -> None:
    assert answers(total=Decimal(2000)).holding((1,)) == (0, 2)
    assert answers(total=Decimal(9000)).holding((1,)) == (0, 1, 2)


def test_people_of_several_ways_are_asked_once() -> None:
    assert answers(owner=KEEPER).persons("sellers") == (
        Asked(user=STAND_IN, behalf=AWAY), Asked(user=KEEPER), Asked(role="keeper"),
    )  # fmt: skip
    assert answers(owner=None, customer=None).persons("sellers") == (Asked(role="keeper"),)
    assert answers().persons("large") == (Asked(role="boss"),)


def test_deadlines_name_people_of_their_own() -> None:
    assert answers().persons("sellers", 2) == (Asked(user=BOSS),)
    assert answers().persons("sellers", 3) == (Asked(role="keeper"),)
    assert answers().persons("sellers", 0) == ()


def test_weights_and_vetoes_are_those_of_the_absent() -> None:
    assert answers().persons("board") == (
        Asked(user=BOSS, weight=3),
        Asked(user=STAND_IN, behalf=AWAY, weight=4, veto=True),
        Asked(user=KEEPER),
        Asked(user=SUBMITTER),
    )


def test_picked_and_externally_named_people() -> None:
    assert answers().persons("picked") == ()
    assert replace(answers(), chosen={"picked": (KEEPER, AWAY, BOSS)}).persons("picked") == (
        Asked(user=KEEPER), Asked(user=STAND_IN, behalf=AWAY),
    )  # fmt: skip
    assert answers().persons("outside") is None
    found = answers().resolver("outside")
    assert found is not None and found[0].use == "hr" and dict(found[1]) == {"grade": Decimal(2000), "site": "S"}
    assert answers().resolver("board") is None
    assert list(external(flow())) == ["outside"]
    named = replace(answers(), named={"outside": (LEFT, BOSS)})
    assert named.persons("outside") == (Asked(user=BOSS), Asked(user=SUBMITTER))
    assert answers().standing_in("sellers", (AWAY, LEFT)) == (Asked(user=STAND_IN, behalf=AWAY),)
    assert answers().persons("some") == ()
    assert answers().administrators() == (BOSS,)
    assert answers().holds(BOSS, "boss") and not answers().holds(LEFT, "boss")


def test_deadlines_fall_due_as_their_clock_says() -> None:
    arrived = datetime(2026, 1, 5, 16)
    assert answers(meet=datetime(2026, 1, 7, 10)).moments("sellers", arrived) == (
        datetime(2026, 1, 5, 20),
        datetime(2026, 1, 6, 12),  # an hour on Monday, three on Tuesday
        datetime(2026, 1, 10),  # the end of the day
        datetime(2026, 1, 7, 10),
    )
    assert answers(due=None).moments("sellers", arrived)[2:] == (NEVER, NEVER)
    assert answers().again("sellers", 1, datetime(2026, 1, 6, 16)) == datetime(2026, 1, 12, 11)
    assert answers().again("sellers", 0, arrived) == NEVER
    assert replace(answers(), calendar=None).moments("sellers", arrived)[1] == datetime(2026, 1, 5, 20)


def test_waits_end_when_their_time_has_come() -> None:
    arrived = datetime(2026, 1, 5, 16)
    assert answers().moments("some", arrived) == (datetime(2026, 1, 6, 12),)
    assert answers().moments("day", arrived) == (datetime(2026, 1, 9),)
    assert answers(due=datetime(2026, 1, 9, 8)).moments("day", arrived) == (datetime(2026, 1, 9, 8),)
    assert answers().moments("event", arrived) == ()
    assert answers(due=None).moments("limited", arrived) == (NEVER,)
    with pytest.raises(Unanswerable) as failed:
        answers(due=None).moments("day", arrived)
    assert failed.value.problem.code == "workflow.no_date"


def test_a_run_is_walked_by_live_answers() -> None:
    begun = begin(flow(), "hash", SUBMITTER, answers(), NOW, {"picked": (KEEPER,)})
    assert begun.problems == () and begun.run.status is RunStatus.RUNNING
    assert [(seat.role, begun.run.token(seat.token).node) for seat in begun.opened] == [("boss", "large")]  # type: ignore[union-attr]
