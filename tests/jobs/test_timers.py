"""Due timers are handed over a page at a time, in bundles, each once; one that fails keeps nobody waiting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine.problems import Refused, problem
from runtime.jobs.contract import JobContext, Payload
from runtime.jobs.inline import InlineJobs
from runtime.jobs.timers import BUNDLE, LOST_AFTER, PAGE, TIMER, due_timers, hand_over_alone, in_turn, timer_chore
from runtime.storage import timers
from runtime.storage.database import in_transaction, read
from runtime.storage.timers import FIRED, FLOW, TimerRow
from tests.jobs.company import START, Company, company

PAGES = 3


@pytest.fixture
def acme(database_url: str) -> Iterator[Company]:
    with company(database_url) as opened:
        rows = [TimerRow(kind=FLOW, due_at=START, created_at=START) for _ in range(PAGE * PAGES)]
        in_transaction(opened.database, lambda connection: timers.add(connection, rows))
        yield opened


class Told:
    """Ends each timer it is told, except the ones that are refused; of a bundle those are handed over alone."""

    def __init__(self, acme: Company, refused: frozenset[int] = frozenset()) -> None:
        self.numbers: list[int] = []
        self.jobs: InlineJobs | None = None
        self._acme, self._refused = acme, refused

    def __call__(self, context: JobContext, payload: Payload) -> None:
        for number in payload.get("timers", ()):
            if number not in self._refused:
                self._end(number)
            elif self.jobs is not None:
                hand_over_alone(self.jobs, "acme", number)
        if "timer" in payload:
            if payload["timer"] in self._refused:
                raise Refused([problem("job.failed", reason="no way")])
            self._end(payload["timer"])

    def _end(self, number: int) -> None:
        self.numbers.append(number)
        now = self._acme.now
        in_transaction(self._acme.database, lambda connection: timers.end(connection, number, now, FIRED))


def jobs_of(acme: Company, told: Told) -> InlineJobs:
    jobs = InlineJobs(acme.clock, lambda key: acme)
    jobs.worker(in_turn({TIMER: told}))
    told.jobs = jobs
    return jobs


def numbers_of(acme: Company) -> list[int]:
    with read(acme.database) as connection:
        return [row.id or 0 for row in timers.due(connection, acme.now, PAGE * PAGES)]


def test_the_next_page_comes_when_half_of_the_last_has_been_told(acme: Company) -> None:
    told, expected = Told(acme), numbers_of(acme)
    jobs = jobs_of(acme, told)
    chore = timer_chore(lambda: ["acme"], lambda key: acme, acme.clock)(jobs)
    for turn in range(1, PAGES + 1):
        chore.run()
        chore.run()
        ended = jobs.drain()
        assert len(ended) in (PAGE // BUNDLE, PAGE // BUNDLE + 1), "a second look hands over nothing meanwhile"
        assert told.numbers == expected[: turn * PAGE]
    chore.run()
    assert jobs.drain() == ()


def test_two_workers_hand_each_over_once(acme: Company) -> None:
    told, expected = Told(acme), numbers_of(acme)
    jobs = jobs_of(acme, told)
    chores = [timer_chore(lambda: ["acme"], lambda key: acme, acme.clock)(jobs) for _ in range(2)]
    for _ in range(2 * PAGES + 2):
        for chore in chores:
            chore.run()
        jobs.drain()
    assert told.numbers == expected


def test_timers_that_are_refused_keep_nobody_waiting(acme: Company) -> None:
    expected = numbers_of(acme)
    stuck = frozenset(expected[: PAGE + PAGE // 2])
    told = Told(acme, stuck)
    jobs = jobs_of(acme, told)
    chore = timer_chore(lambda: ["acme"], lambda key: acme, acme.clock)(jobs)
    for _ in range(PAGES + 1):
        chore.run()
        jobs.drain()
    assert told.numbers == [each for each in expected if each not in stuck]
    assert len(jobs.parked(PAGE * PAGES)) == len(stuck)
    acme.wait(seconds=(LOST_AFTER + timedelta(seconds=1)).total_seconds())
    chore.run()
    assert jobs.drain() == (), "asked again after an hour, they are still parked"


def test_what_was_lost_with_its_bundle_is_handed_over_alone_after_an_hour(acme: Company) -> None:
    expected = numbers_of(acme)
    told = Told(acme)
    jobs = jobs_of(acme, told)
    chore = timer_chore(lambda: ["acme"], lambda key: acme, acme.clock)(jobs)
    jobs.worker(in_turn({TIMER: lambda context, payload: None}))  # jobs that end and have told nobody
    for _ in range(PAGES):
        chore.run()
        jobs.drain()
    jobs.worker(in_turn({TIMER: told}))
    chore.run()
    assert jobs.drain() == ()
    acme.wait(seconds=(LOST_AFTER + timedelta(seconds=1)).total_seconds())
    for _ in range(PAGES):
        chore.run()
        jobs.drain()
    assert told.numbers == [each for each in expected if each % PAGE], "the last of a page had its own job, which ended"


def test_bundles_of_two_workers_that_begin_apart_are_the_same_jobs(acme: Company) -> None:
    told, expected = Told(acme), numbers_of(acme)
    jobs = jobs_of(acme, told)
    first, second = (timer_chore(lambda: ["acme"], lambda key: acme, acme.clock)(jobs) for _ in range(2))
    first.run()
    jobs.drain()
    in_transaction(acme.database, lambda connection: timers.end(connection, expected[PAGE], acme.now, FIRED))
    first.run()
    second.run()
    ids = {status.job_id for status in jobs.drain()}
    assert told.numbers == [*expected[:PAGE], *expected[PAGE + 1 : 2 * PAGE + 1]]
    assert len(ids) <= PAGE // BUNDLE + 1


def test_a_story_gets_everything_at_once(acme: Company) -> None:
    jobs, known = jobs_of(acme, Told(acme)), set[int]()
    assert due_timers(jobs, acme, acme.now, known) == PAGE * PAGES
    assert due_timers(jobs, acme, acme.now, known) == 0
    assert len(jobs.drain()) == PAGE * PAGES
    assert due_timers(jobs, acme, acme.now, known) == 0
    assert known == set()
