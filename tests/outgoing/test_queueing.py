"""Who is told outside the house, over what and when: by what people chose, or by what the author of a rule says."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from engine.effects import Audience, CallWebhook, Notify
from engine.labels import Label
from engine.problems import Problem
from runtime.delivering.choices import Choices, choices_entered, choices_from_json, choices_json
from runtime.delivering.queueing import DIGESTED, PART
from runtime.storage.deliveries import Delivery
from tests.outgoing.conftest import Office

NEWS = Notify(
    to=Audience(users=(1, 2, 3)),
    title=Label("请审批", "Please approve"),
    body=Label("共 3 单", "3 documents"),
    form="purchase_order",
    document=7,
    about="task",
)
MAIL = {"email": "now"}


def told(rows: tuple[Delivery, ...]) -> list[tuple[str, str, int]]:
    return [(row.channel, row.address, row.user) for row in rows]


def test_nothing_leaves_the_house_where_nothing_is_set_up(office: Office) -> None:
    office.chooses(1, modes={"task": MAIL}, email="u1@example.com")
    office.decide(NEWS)
    assert office.rows() == ()


def test_each_person_is_mailed_as_they_chose(office: Office) -> None:
    office.set_up("channel", "email")
    office.chooses(1, modes={"task": MAIL}, email="u1@example.com")
    office.chooses(2, modes={"task": {"email": "off"}, "overdue": MAIL}, email="u2@example.com")
    office.chooses(3, modes={"task": MAIL})
    [outbox] = office.decide(NEWS)
    [row] = office.rows()
    assert told((row,)) == [("email", "u1@example.com", 1)]
    assert (row.event, row.state, row.outbox, row.next_at) == ("task", "waiting", outbox, office.acme.now)
    assert row.payload["title"] == "请审批"
    assert row.payload["person"] == "用户1"
    assert row.message_id.startswith("msg_")


def test_what_nobody_chose_goes_as_the_administrator_set(office: Office) -> None:
    office.set_up("channel", "email", options={"about": ["task"]})
    office.chooses(1, email="u1@example.com")
    office.chooses(2, modes={"task": {"email": "off"}}, email="u2@example.com")
    office.decide(NEWS)
    assert told(office.rows()) == [("email", "u1@example.com", 1)]


def test_the_author_of_a_rule_decides_over_everybody(office: Office) -> None:
    office.set_up("channel", "email")
    office.set_up("channel", "wecom_robot", options={"about": ["task"]})
    office.chooses(2, modes={"task": {"email": "off"}}, email="u2@example.com")
    office.decide(Notify(to=Audience(users=(2,)), title=NEWS.title, about="rule", channels=("email", "feishu_robot")))
    assert told(office.rows()) == [("email", "u2@example.com", 2)]


def test_a_group_gets_one_message_that_calls_those_who_are_not_left_alone(office: Office) -> None:
    office.set_up("channel", "dingtalk_robot", options={"about": ["task"]})
    office.chooses(1, mobile="13800000001")
    office.chooses(2, mobile="13800000002", quiet=["08:00", "09:00"])
    office.decide(NEWS)
    [row] = office.rows()
    assert told((row,)) == [("dingtalk_robot", "dingtalk_robot", 0)]
    assert row.payload["mentions"] == ("13800000001",)
    assert row.payload["person"] == "用户1、用户2、用户3"


def test_an_address_that_is_switched_off_gets_nothing(office: Office) -> None:
    office.set_up("channel", "email", options={"about": ["task"]}, active=False)
    office.chooses(1, email="u1@example.com")
    office.decide(NEWS)
    assert office.rows() == ()


def test_quiet_hours_postpone_and_digests_collect(office: Office) -> None:
    office.set_up("channel", "email")
    office.chooses(1, modes={"task": MAIL}, email="u1@example.com", quiet=["22:00", "08:45"])
    office.chooses(2, modes={"task": {"email": "digest"}}, email="u2@example.com", digest_at="17:00")
    office.decide(NEWS)
    later, part = office.rows()
    assert later.next_at == office.acme.now.replace(hour=8, minute=45)
    assert (part.event, part.next_at) == (PART, office.acme.now.replace(hour=17, minute=0))


def test_a_digest_is_one_message(office: Office) -> None:
    office.set_up("channel", "email", address="127.0.0.1:9")
    office.chooses(1, modes={"task": {"email": "digest"}}, email="u1@example.com", digest_at="17:00")
    for _ in range(3):
        office.decide(NEWS)
    assert office.sender().send_due(office.acme) == 0
    assert {row.event for row in office.rows()} == {PART}
    office.acme.wait(hours=9)
    office.sender().send_due(office.acme)
    *parts, digest = office.rows()
    assert [row.state for row in parts] == ["done"] * 3
    assert (digest.event, digest.address, digest.attempts) == (DIGESTED, "u1@example.com", 1)
    assert digest.payload["title"] == "消息摘要：3 条"
    assert str(digest.payload["body"]).count("请审批") == 3


def test_an_event_waits_for_its_address(office: Office) -> None:
    office.decide(CallWebhook(to="crm", event="order.shipped", data={"number": "SO-1", "qty": "1.5"}))
    [row] = office.rows()
    assert (row.channel, row.address, row.event) == ("outbound", "crm", "order.shipped")
    assert dict(row.payload["data"]) == {"number": "SO-1", "qty": "1.5"}


@pytest.mark.parametrize(
    ("quiet", "now", "is_quiet", "due"),
    [
        (("22:00", "07:00"), "23:30", True, "2026-03-03 07:00"),
        (("22:00", "07:00"), "06:59", True, "2026-03-02 07:00"),
        (("22:00", "07:00"), "07:00", False, "2026-03-02 07:00"),
        (("12:00", "14:00"), "13:00", True, "2026-03-02 14:00"),
        (("12:00", "14:00"), "11:59", False, "2026-03-02 11:59"),
    ],
)
def test_quiet_hours_may_span_midnight(quiet: tuple[str, str], now: str, is_quiet: bool, due: str) -> None:
    start, end = (time.fromisoformat(each) for each in quiet)
    moment = datetime.fromisoformat(f"2026-03-02 {now}")
    choices = Choices(quiet=(start, end))
    assert choices.is_quiet(moment) is is_quiet
    assert choices.due(moment, "now") == datetime.fromisoformat(due)


def test_a_digest_in_quiet_hours_waits_for_their_end() -> None:
    choices = Choices(quiet=(time(7), time(9)), digest_at=time(8))
    assert choices.due(datetime(2026, 3, 2, 10), "digest") == datetime(2026, 3, 3, 9)


def test_choices_are_kept_as_they_were() -> None:
    made = choices_entered({"task": {"email": "digest"}}, "22:00", "07:00", "17:30", "a@b.cn", "+8613800000001")
    assert isinstance(made, Choices)
    assert choices_from_json(choices_json(made)) == made
    assert choices_from_json(None) == choices_from_json({"quiet": ["x"], "digest_at": 3}) == Choices()


def test_every_wrong_entry_is_told_at_once() -> None:
    wrong = choices_entered({}, "25:00", "", "8", "no address", "call me")
    assert isinstance(wrong, tuple)
    assert [each.where for each in wrong if isinstance(each, Problem)] == [
        "email", "mobile", "quiet_from", "digest_at", "quiet_until",
    ]  # fmt: skip
