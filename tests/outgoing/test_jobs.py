"""Sending as a job: a look enqueues once whoever looks, one job sends, and what arrived is forgotten in time."""

from __future__ import annotations

from datetime import timedelta

from runtime.delivering.jobs import APART_S, sending_chore, sending_handlers
from runtime.jobs.contract import JobState
from runtime.jobs.inline import InlineJobs
from runtime.storage import deliveries
from runtime.storage.database import in_transaction
from tests.outgoing.conftest import Office


def jobs_of(office: Office) -> InlineJobs:
    jobs = InlineJobs(office.acme.clock, lambda key: {office.acme.key: office.acme}[key])
    jobs.worker(sending_handlers(office.sender()))
    return jobs


def test_workers_that_look_at_once_enqueue_one_job(office: Office) -> None:
    office.set_up("outbound", "crm")
    jobs = jobs_of(office)
    known = {office.acme.key: office.acme}
    looks = [sending_chore(known.__getitem__, lambda: ["gone", *known], office.acme.clock)(jobs) for _ in range(2)]
    for look in looks:
        look.run()
    assert jobs.drain() == (), "nothing is due"
    office.queue(3)
    for look in looks:
        look.run()
    assert [status.state for status in jobs.drain()] == [JobState.DONE]
    assert office.counts() == {"done": 3}
    office.queue(1)
    office.acme.wait(seconds=APART_S)
    looks[0].run()
    assert len(jobs.drain()) == 1
    assert office.counts() == {"done": 4}


def test_what_arrived_is_forgotten_and_what_failed_is_kept(office: Office) -> None:
    office.set_up("outbound", "crm")
    office.queue(2)
    office.queue(1, address="nowhere")
    office.sender().send_due(office.acme)
    assert office.counts() == {"done": 2, "dead": 1}
    before = office.acme.now + timedelta(seconds=1)
    assert in_transaction(office.acme.database, lambda connection: deliveries.forget(connection, before)) == 2
    assert office.counts() == {"dead": 1}
