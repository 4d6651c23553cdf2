"""What is queued arrives, is tried again under its own id, rests, is given up and replayed; two workers agree."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta

from runtime.delivering.circuits import AFTER, LONGEST_REST, Circuits
from runtime.delivering.sending import LEASE, PAUSES, Sender
from runtime.standard_webhooks import new_secret, verified
from runtime.storage import deliveries
from runtime.storage.database import in_transaction
from tests.outgoing.conftest import SECRET, Office

MANY = 300


def wait_for_retry(office: Office) -> None:
    """Until the next attempt of whatever waits longest."""
    due = max(row.next_at for row in office.rows() if row.state == "waiting")
    office.acme.now = max(due, office.acme.now + LONGEST_REST) + timedelta(seconds=1)


def test_a_message_arrives_once(office: Office) -> None:
    office.set_up("outbound", "crm")
    office.queue(3)
    assert office.sender().send_due(office.acme) == 3
    assert office.sender().send_due(office.acme) == 0
    assert office.counts() == {"done": 3}
    assert sorted(got.headers["webhook-id"] for got in office.there.arrived) == ["msg_crm_0", "msg_crm_1", "msg_crm_2"]
    assert [row.done_at for row in office.rows()] == [office.acme.now] * 3


def test_attempts_keep_the_id_and_the_body_and_then_wait_for_a_person(office: Office) -> None:
    office.set_up("outbound", "crm")
    office.queue(1)
    office.there.says(503)
    sender, gaps = office.sender(), []
    for _ in PAUSES:
        before = office.acme.now
        sender.send_due(office.acme)
        [row] = office.rows()
        assert (row.state, row.status, row.error) == ("waiting", 503, "HTTP 503")
        gaps.append((row.next_at - before).total_seconds())
        wait_for_retry(office)
    assert all(pause <= gap <= pause * 1.2 for pause, gap in zip(PAUSES, gaps, strict=True))
    sender.send_due(office.acme)
    [row] = office.rows()
    assert (row.state, row.attempts) == ("dead", len(PAUSES) + 1)
    assert {got.headers["webhook-id"] for got in office.there.arrived} == {"msg_crm_0"}
    assert len({got.body for got in office.there.arrived}) == 1
    assert len({got.headers["webhook-timestamp"] for got in office.there.arrived}) == len(office.there.arrived)


def test_what_was_given_up_is_replayed_under_its_own_id(office: Office) -> None:
    office.queue(2)  # no address is set up
    office.sender().send_due(office.acme)
    assert office.counts() == {"dead": 2}
    assert {row.error for row in office.rows()} == {"no address is set up for this"}
    office.set_up("outbound", "crm")
    first = office.rows()[0]
    replayed = in_transaction(
        office.acme.database, lambda connection: deliveries.replay(connection, office.acme.now, first.id)
    )
    office.sender().send_due(office.acme)
    assert (replayed, office.counts()) == (1, {"done": 1, "dead": 1})
    in_transaction(office.acme.database, lambda connection: deliveries.replay(connection, office.acme.now))
    office.sender().send_due(office.acme)
    assert office.counts() == {"done": 2}
    assert sorted(got.headers["webhook-id"] for got in office.there.arrived) == ["msg_crm_0", "msg_crm_1"]


def test_a_receiver_that_is_gone_is_switched_off(office: Office) -> None:
    office.set_up("outbound", "crm")
    office.queue(1)
    office.there.says(410)
    office.sender().send_due(office.acme)
    office.queue(1, address="crm")
    office.sender().send_due(office.acme)
    assert len(office.there.arrived) == 1
    assert [row.error for row in office.rows()] == ["HTTP 410", "the address is switched off"]


def test_a_receiver_that_is_down_rests_and_then_gets_everything(office: Office) -> None:
    office.set_up("outbound", "crm")
    office.set_up("outbound", "bi")
    office.queue(MANY)
    down = {"now": True}
    office.there.answer = lambda number, got: (500 if down["now"] and got.path == "/crm" else 200, {}, b"")
    sender = office.sender()
    sender.send_due(office.acme)
    tried = len(office.there.arrived)
    assert AFTER <= tried < AFTER + 10, "the others were not tried"
    office.queue(20, address="bi")
    assert sender.send_due(office.acme) == 20, "and keep nobody waiting"
    for _ in range(6):  # an hour
        office.acme.wait(minutes=10)
        sender.send_due(office.acme)
    crm = [got for got in office.there.arrived if got.path == "/crm"]
    assert len(crm) < tried + 12
    assert office.counts() == {"waiting": MANY, "done": 20}
    down["now"] = False
    office.acme.wait(minutes=11)
    for _ in range(2):  # the first answer makes due at once what had failed
        sender.send_due(office.acme)
    assert office.counts() == {"done": MANY + 20}
    assert len({got.headers["webhook-id"] for got in office.there.arrived}) == MANY + 20


def test_two_workers_send_everything_and_nothing_under_two_ids(office: Office) -> None:
    office.set_up("outbound", "crm")
    office.queue(MANY)
    failures: list[BaseException] = []

    def work(sender: Sender) -> None:
        try:
            sender.send_due(office.acme)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(office.sender(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert office.counts() == {"done": MANY}
    ids = Counter(got.headers["webhook-id"] for got in office.there.arrived)
    assert (len(ids), max(ids.values())) == (MANY, 1)


def test_a_worker_that_died_gives_its_messages_back(office: Office) -> None:
    office.set_up("outbound", "crm")
    office.queue(5)
    now = office.acme.now
    taken = in_transaction(office.acme.database, lambda connection: deliveries.take(connection, now, now + LEASE, 10))
    assert len(taken) == 5
    assert office.sender().send_due(office.acme) == 0
    office.acme.now += LEASE
    assert office.sender().send_due(office.acme) == 5
    assert {got.headers["webhook-id"] for got in office.there.arrived} == {row.message_id for row in taken}


def test_while_a_secret_is_replaced_both_sign(office: Office) -> None:
    identity = office.set_up("outbound", "crm")
    fresh = new_secret()
    office.change(identity, secret=fresh, old_secret=SECRET, replaced_at=office.acme.now)
    office.queue(1)
    office.sender().send_due(office.acme)
    office.acme.wait(days=1, minutes=1)
    office.queue(1, address="crm")
    office.sender().send_due(office.acme)
    signed = [
        [
            secret
            for secret in (fresh, SECRET)
            if verified(
                [secret], got.headers["webhook-id"], int(got.headers["webhook-timestamp"]), got.body,
                got.headers["webhook-signature"],
            )
        ]
        for got in office.there.arrived
    ]  # fmt: skip
    assert signed == [[fresh, SECRET], [fresh]]


def test_a_broken_channel_keeps_nobody_waiting(office: Office) -> None:
    office.set_up("channel", "email", options={"sender": "a@b.cn"}, address="127.0.0.1:9")
    office.set_up("outbound", "crm", secret="not a secret")
    office.set_up("outbound", "bi")
    office.queue(2)
    office.queue(2, address="bi")
    assert office.sender().send_due(office.acme) == 2
    assert {row.error for row in office.rows() if row.address == "crm"} == {"the channel failed: ValueError"}


def test_a_line_rests_longer_each_time_and_one_message_tries_it() -> None:
    circuits, now, line = Circuits(), datetime(2026, 3, 2, 12), ("outbound", "crm")
    rests = []
    for _ in range(8):
        while circuits.enter(line, now):
            assert not (rests and circuits.enter(line, now)), "one at a time"
            circuits.failed(line, now)
        start = now
        while line in circuits.resting(now):
            now += timedelta(seconds=1)
        rests.append(int((now - start).total_seconds()))
    assert rests == [30, 60, 120, 240, 480, 600, 600, 600]
    assert circuits.enter(line, now)
    assert circuits.answered(line)
    assert circuits.enter(line, now) and circuits.enter(line, now)
