"""From a committed effect to what people see of it: handed over once, performed once, found again after a crash."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine.effects import Audience, CloseTask, CreateTask, Notify, StartDocument
from engine.labels import Label
from engine.problems import Refused, problem
from runtime.jobs.assembly import JobParts, inline_jobs
from runtime.jobs.contract import JobState, Payload
from runtime.jobs.deliver import Performing, delivery_handler
from runtime.jobs.inline import InlineJobs
from runtime.jobs.relay import BUNDLE, MANY, BackgroundRelay, delivery_id, relay
from runtime.jobs.retention import RETENTION
from runtime.jobs.sweep import GRACE, LOST_AFTER, sweep, sweep_all
from runtime.storage import messages, workflow_runs
from runtime.storage.database import read
from runtime.storage.outbox import OutboxRow
from tests.jobs.company import Company, company

SHORT = Label(zh="库存不足：螺丝", en="Low stock: screws")
ALARM = CreateTask(to=Audience(users=(1,), roles=("buyer",)), title=SHORT, form="product", document=7, once_key="low:7")
CALM = CloseTask(once_key="low:7")
NEWS = Notify(to=Audience(users=(1, 3), roles=("buyer",)), title=SHORT, form="product", document=7)
FOLLOW_UP = StartDocument(form="stock_out", source_form="sales_order", source_document=12)


class FollowUps:
    """Stands for the facade: remembers what it was asked to start, and refuses while told to."""

    def __init__(self) -> None:
        self.started: list[tuple[str, StartDocument, int]] = []
        self.refusal: Refused | None = None

    def __call__(self, workspace: str, effect: StartDocument, outbox_id: int) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.started.append((workspace, effect, outbox_id))


@pytest.fixture
def acme(database_url: str) -> Iterator[Company]:
    with company(database_url) as opened:
        yield opened


@pytest.fixture
def follow_ups() -> FollowUps:
    return FollowUps()


@pytest.fixture
def jobs(acme: Company, follow_ups: FollowUps) -> InlineJobs:
    parts = JobParts(
        open_workspace=lambda key: {acme.key: acme}[key],
        workspaces=lambda: ["gone", acme.key],
        start_document=follow_ups,
        clock=acme.clock,
    )
    return inline_jobs(parts)


def titles_of(acme: Company, user: int, *roles: str) -> list[str]:
    """Titles of the open tasks somebody sees."""
    with read(acme.database) as connection:
        return [str(task.title) for task in workflow_runs.open_tasks_of(connection, user, roles)]


def deliver(acme: Company, jobs: InlineJobs, *ids: int) -> None:
    relay(jobs, acme, ids, acme.now)
    jobs.drain()


def test_a_task_reaches_the_user_and_the_role(acme: Company, jobs: InlineJobs) -> None:
    [row_id] = acme.commit(ALARM)
    deliver(acme, jobs, row_id)
    assert titles_of(acme, 1) == ["库存不足：螺丝"]
    assert titles_of(acme, 2, "buyer") == ["库存不足：螺丝"]
    assert titles_of(acme, 2) == []
    row = acme.row(row_id)
    assert (row.handed_at, row.done_at, row.attempts, row.error) == (acme.now, acme.now, 0, None)


def test_a_message_reaches_each_active_user_once(acme: Company, jobs: InlineJobs) -> None:
    deliver(acme, jobs, *acme.commit(NEWS))
    with read(acme.database) as connection:
        inboxes = {user: messages.of_user(connection, user) for user in (1, 2, 3, 4)}
        unread = messages.count_unread(connection, 3)
    assert {user: len(found) for user, found in inboxes.items()} == {1: 1, 2: 1, 3: 1, 4: 0}
    assert (inboxes[3][0].title, inboxes[3][0].form, inboxes[3][0].document, unread) == (SHORT, "product", 7, 1)


def test_a_follow_up_document_is_started_under_the_row(acme: Company, jobs: InlineJobs, follow_ups: FollowUps) -> None:
    [row_id] = acme.commit(FOLLOW_UP)
    deliver(acme, jobs, row_id)
    assert follow_ups.started == [("acme", FOLLOW_UP, row_id)]
    assert acme.row(row_id).done_at == acme.now


def test_handing_over_twice_performs_once(acme: Company, jobs: InlineJobs) -> None:
    ids = acme.commit(ALARM, NEWS)
    for _ in range(3):
        deliver(acme, jobs, *ids)
    assert len(titles_of(acme, 1)) == 1
    with read(acme.database) as connection:
        assert len(messages.of_user(connection, 2)) == 1


def test_the_engine_losing_its_memory_performs_nothing_twice(acme: Company, jobs: InlineJobs) -> None:
    """At least once, twice: the job ran, and its record was lost before anybody could read it."""
    ids = acme.commit(NEWS)
    deliver(acme, jobs, *ids)
    fresh = InlineJobs(acme.clock, lambda key: acme)
    fresh.worker({"deliver": delivery_handler(FollowUps(), acme.clock)})
    deliver(acme, fresh, *ids)
    with read(acme.database) as connection:
        assert len(messages.of_user(connection, 2)) == 1


def test_many_messages_go_in_bundles_and_anything_else_alone(
    acme: Company, jobs: InlineJobs, follow_ups: FollowUps
) -> None:
    ids = acme.commit(*[NEWS] * (BUNDLE + 1), ALARM, FOLLOW_UP)
    deliver(acme, jobs, *ids)
    deliver(acme, jobs, *ids)
    with read(acme.database) as connection:
        assert len(messages.of_user(connection, 2, limit=100)) == BUNDLE + 1
    assert len(titles_of(acme, 1)) == len(follow_ups.started) == 1
    assert {acme.row(each).done_at for each in ids} == {acme.now}
    assert jobs.status(delivery_id("acme", ids[-1])).state is JobState.DONE
    with pytest.raises(Refused):
        jobs.status(delivery_id("acme", ids[0]))


def test_one_that_fails_in_a_bundle_takes_no_other_with_it(acme: Company, jobs: InlineJobs) -> None:
    ids = acme.commit(*[NEWS] * MANY)
    from_the_future(acme, ids[3], "call_webhook")
    deliver(acme, jobs, *ids)
    assert [each == ids[3] for each in ids] == [acme.row(each).error is not None for each in ids]
    with read(acme.database) as connection:
        assert len(messages.of_user(connection, 2)) == MANY - 1
    [parked] = jobs.parked()
    assert [each.code for each in parked.error] == ["job.unknown_effect"]
    from_the_future(acme, ids[3], "notify")
    jobs.retry(parked.job_id)
    jobs.drain()
    assert acme.row(ids[3]).error is None
    with read(acme.database) as connection:
        assert len(messages.of_user(connection, 2)) == MANY


def test_a_bundle_that_is_repeated_leaves_alone_what_was_given_up(acme: Company) -> None:
    ids = acme.commit(*[NEWS] * MANY)
    from_the_future(acme, ids[0], "call_webhook")
    called: list[int] = []

    def write(connection: object, workspace: object, row: OutboxRow) -> None:
        called.append(row.id or 0)
        if row.id == ids[1] and called.count(ids[1]) < 3:
            raise OSError("for now")

    jobs = InlineJobs(acme.clock, lambda key: acme)
    jobs.worker(
        {"deliver": delivery_handler(FollowUps(), acme.clock, performing=Performing(writers={"notify": write}))}
    )
    deliver(acme, jobs, *ids)
    assert called.count(ids[1]) == 3
    assert all(called.count(each) == 1 for each in ids[2:])
    assert [acme.row(each).done_at for each in ids] == [acme.now] * MANY
    assert [acme.row(each).attempts for each in ids] == [1, 2, *[0] * (MANY - 2)]
    assert [acme.row(each).error is None for each in ids] == [False, *[True] * (MANY - 1)]


def test_two_workers_on_one_row_perform_it_once(acme: Company) -> None:
    handler = delivery_handler(FollowUps(), acme.clock)
    failures: list[BaseException] = []
    for row_id in acme.commit(*[NEWS] * 10):
        barrier = threading.Barrier(4)

        def race(row_id: int = row_id, barrier: threading.Barrier = barrier) -> None:
            racer = InlineJobs(acme.clock, lambda key: acme)
            racer.worker({"deliver": handler})
            racer.enqueue("deliver", {"workspace": "acme", "outbox": row_id})
            barrier.wait()
            failures.extend(AssertionError(status) for status in racer.drain() if status.state is not JobState.DONE)

        threads = [threading.Thread(target=race) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    with read(acme.database) as connection:
        assert len(messages.of_user(connection, 2)) == 10


def test_an_alarm_stays_one_task_until_it_recovers(acme: Company, jobs: InlineJobs) -> None:
    deliver(acme, jobs, *acme.commit(ALARM, ALARM))
    assert len(titles_of(acme, 1)) == 1
    deliver(acme, jobs, *acme.commit(CALM))
    assert titles_of(acme, 1) == titles_of(acme, 2, "buyer") == []
    deliver(acme, jobs, *acme.commit(ALARM))
    assert len(titles_of(acme, 1)) == 1


def test_an_alarm_and_its_end_keep_their_order(acme: Company, jobs: InlineJobs) -> None:
    first, second, third = acme.commit(ALARM, CALM, ALARM)
    deliver(acme, jobs, second)
    assert titles_of(acme, 1) == []
    assert acme.row(first).done_at is not None
    deliver(acme, jobs, first)
    assert titles_of(acme, 1) == []
    deliver(acme, jobs, third)
    assert len(titles_of(acme, 1)) == 1


def test_a_crash_before_the_relay_is_swept_up(acme: Company, jobs: InlineJobs) -> None:
    [row_id] = acme.commit(ALARM)
    assert sweep(jobs, acme, acme.now) == 0, "the relay may still be on its way"
    acme.wait(seconds=GRACE.total_seconds())
    assert sweep_all(jobs, lambda: ["gone", acme.key], lambda key: {acme.key: acme}[key], acme.clock) == 1
    jobs.drain()
    assert len(titles_of(acme, 1)) == 1
    assert acme.row(row_id).done_at == acme.now
    acme.wait(days=2)
    assert sweep(jobs, acme, acme.now) == 0


def test_a_crash_between_enqueue_and_mark_is_swept_up_without_a_second_job(acme: Company, jobs: InlineJobs) -> None:
    [row_id] = acme.commit(NEWS)
    jobs.enqueue("deliver", {"workspace": "acme", "outbox": row_id}, job_id=delivery_id("acme", row_id))
    acme.wait(seconds=30)
    assert sweep(jobs, acme, acme.now) == 1
    assert len(jobs.drain()) == 1


def test_what_a_lost_job_database_held_is_handed_over_again(acme: Company, jobs: InlineJobs) -> None:
    [row_id] = acme.commit(ALARM)
    relay(InlineJobs(acme.clock, lambda key: acme), acme, [row_id], acme.now)
    acme.wait(minutes=1)
    assert sweep(jobs, acme, acme.now) == 0
    acme.wait(seconds=LOST_AFTER.total_seconds())
    assert sweep(jobs, acme, acme.now) == 1
    jobs.drain()
    assert len(titles_of(acme, 1)) == 1


def test_a_refused_follow_up_is_parked_seen_and_retried(acme: Company, jobs: InlineJobs, follow_ups: FollowUps) -> None:
    follow_ups.refusal = Refused([problem("stock.short", "lines.1.qty")], kind="invalid")
    [row_id] = acme.commit(FOLLOW_UP)
    deliver(acme, jobs, row_id)
    [parked] = jobs.parked()
    assert (parked.job_id, parked.error) == (f"acme:{row_id}", follow_ups.refusal.problems)
    row = acme.row(row_id)
    assert (row.attempts, row.done_at) == (1, acme.now)
    assert row.error is not None
    assert "stock.short" in row.error
    acme.wait(hours=2)
    assert sweep(jobs, acme, acme.now) == 0, "it was given up, not lost"
    follow_ups.refusal = None
    jobs.retry(parked.job_id)
    jobs.drain()
    assert len(follow_ups.started) == 1
    assert (acme.row(row_id).error, acme.row(row_id).done_at) == (None, acme.now)


def test_a_busy_database_is_repeated(acme: Company, jobs: InlineJobs, follow_ups: FollowUps) -> None:
    follow_ups.refusal = Refused([problem("storage.busy")], kind="busy")
    [row_id] = acme.commit(FOLLOW_UP)
    deliver(acme, jobs, row_id)
    assert acme.row(row_id).attempts == 5


def test_an_effect_of_a_newer_version_is_parked(acme: Company, jobs: InlineJobs) -> None:
    class Webhook:
        kind = "call_webhook"

    [row_id] = acme.commit(ALARM)
    from_the_future(acme, row_id, Webhook.kind)
    deliver(acme, jobs, row_id)
    [parked] = jobs.parked()
    assert [each.code for each in parked.error] == ["job.unknown_effect"]


def from_the_future(acme: Company, row_id: int, kind: str) -> None:
    """Rewrite the kind of a row."""
    with acme.database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.exec_driver_sql(f"UPDATE sys_outbox SET kind = '{kind}' WHERE id = {row_id}")


def test_the_nightly_job_forgets_what_was_done_and_keeps_what_failed(
    acme: Company, jobs: InlineJobs, follow_ups: FollowUps
) -> None:
    follow_ups.refusal = Refused([problem("stock.short")])
    done, failed, waiting = acme.commit(NEWS, FOLLOW_UP, NEWS)
    deliver(acme, jobs, done, failed)
    acme.wait(days=29)
    only_here = JobParts(
        open_workspace=lambda key: acme,
        workspaces=lambda: [acme.key],
        start_document=follow_ups,
        clock=acme.clock,
    )
    nightly = inline_jobs(only_here)
    nightly.enqueue(RETENTION, {})
    nightly.drain()
    assert acme.row(done).done_at is not None
    acme.now += timedelta(days=2)
    nightly.enqueue(RETENTION, {})
    assert [status.state for status in nightly.drain()] == [JobState.DONE]
    with pytest.raises(AssertionError):
        acme.row(done)
    assert acme.row(failed).error is not None
    assert acme.row(waiting).handed_at is None


def test_the_background_relay_hands_over_and_survives_a_failure(acme: Company) -> None:
    class Moody(InlineJobs):
        angry = True

        def enqueue(self, kind: str, payload: Payload, *, job_id: str | None = None, queue: str = "quick") -> str:
            if self.angry:
                raise ConnectionError("not now")
            return super().enqueue(kind, payload, job_id=job_id, queue=queue)

    jobs = Moody(acme.clock, lambda key: acme)
    lost, *ids = acme.commit(*[NEWS] * 30)
    hand = BackgroundRelay(jobs, acme.clock)
    hand.hand_over(acme, [lost])
    hand.close()
    jobs.angry = False
    hand = BackgroundRelay(jobs, acme.clock)
    hand.hand_over(acme, ids[:10])
    hand.hand_over(acme, [])
    hand.hand_over(acme, ids[10:])
    hand.close()
    assert acme.row(lost).handed_at is None
    assert all(acme.row(each).handed_at == acme.now for each in ids)
