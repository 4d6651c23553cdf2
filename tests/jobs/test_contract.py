"""Every job engine, on every database, keeps the contract."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from runtime.jobs.contract import JobStatus, Workspace
from runtime.jobs.engine import EngineOptions, JobEngine
from runtime.jobs.inline import InlineJobs
from tests.contracts.jobs_contract import RETRY, Harness, JobsContract, Seen

PATIENCE_S = 20


def no_workspace(key: str) -> Workspace:
    """The contract needs none."""
    raise LookupError(key)


@contextmanager
def running_engine(url: str) -> Iterator[Harness]:
    """A harness around a durable engine that works in this process."""
    engine = JobEngine(EngineOptions(url=url, poll_s=0.05, retry=RETRY), no_workspace)
    seen = Seen(jobs=[engine])
    worker = engine.worker(seen.handlers())

    def settle(job_id: str) -> JobStatus:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            status = engine.status(job_id)
            if status.state.finished:
                return status
            time.sleep(0.02)
        raise AssertionError(f"{engine.status(job_id)} has not ended")

    try:
        yield Harness(jobs=engine, seen=seen, settle=settle, pass_time=time.sleep)
    finally:
        worker.close()
        engine.close()


class TestInline(JobsContract):
    @pytest.fixture
    def harness(self) -> Harness:
        now = [datetime(2026, 3, 1, 8, 30)]
        jobs = InlineJobs(lambda: now[0], no_workspace, RETRY)
        seen = Seen(jobs=[jobs])
        jobs.worker(seen.handlers())

        def settle(job_id: str) -> JobStatus:
            jobs.drain()
            return jobs.status(job_id)

        def pass_time(seconds: float) -> None:
            now[0] += timedelta(seconds=seconds)
            jobs.drain()

        return Harness(jobs=jobs, seen=seen, settle=settle, pass_time=pass_time)


class TestSqlite(JobsContract):
    @pytest.fixture(scope="class")
    @classmethod
    def harness(cls, jobs_sqlite_url: str) -> Iterator[Harness]:
        with running_engine(jobs_sqlite_url) as harness:
            yield harness


@pytest.mark.postgres
class TestPostgres(JobsContract):
    @pytest.fixture(scope="class")
    @classmethod
    def harness(cls, jobs_postgres_url: str) -> Iterator[Harness]:
        with running_engine(jobs_postgres_url) as harness:
            yield harness
