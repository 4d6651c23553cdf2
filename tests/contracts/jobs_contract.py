"""What every job engine promises. A test module subclasses `JobsContract` and gives it a ``harness``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import pytest

from engine.labels import Label
from engine.problems import Problem, Refused, problem
from runtime.jobs.contract import Handlers, JobContext, JobDesk, Jobs, JobState, JobStatus, Payload, Progress, Retry

RETRY = Retry(attempts=3, first_s=0.05, factor=1.0)
REFUSAL = (
    problem("stock.short", "lines.2.qty", product=Label(zh="螺丝", en="Screw"), missing=Decimal("3.50")),
    problem("period.closed", "biz_date", day=date(2026, 2, 28), number=7),
)


@dataclass(kw_only=True)
class Harness:
    """An engine with a running worker, what its handlers saw, and a way to wait."""

    jobs: JobDesk
    seen: Seen
    settle: Callable[[str], JobStatus]
    pass_time: Callable[[float], None]

    def calls(self, mark: str) -> list[JobContext]:
        """The calls whose payload carries ``mark``."""
        return [context for context, payload in self.seen.calls if payload.get("mark") == mark]


@dataclass
class Seen:
    """Handlers of the kinds the contract uses. They remember every call."""

    calls: list[tuple[JobContext, Payload]] = field(default_factory=list)
    jobs: list[Jobs] = field(default_factory=list)

    def handlers(self) -> Handlers:
        """Kind → handler."""
        kinds: dict[str, Any] = {
            "note": lambda context, payload: None,
            "fail": self._fail,
            "recover": self._recover,
            "refuse": self._refuse,
            "count": self._count,
            "give_up": self._give_up,
            "chain": self._chain,
        }
        return MappingProxyType({kind: self._remembering(handler) for kind, handler in kinds.items()})

    def _remembering(self, handler: Any) -> Any:
        def call(context: JobContext, payload: Payload) -> None:
            self.calls.append((context, payload))
            handler(context, payload)

        return call

    def _fail(self, context: JobContext, payload: Payload) -> None:
        raise ConnectionError("nobody answers")

    def _recover(self, context: JobContext, payload: Payload) -> None:
        if context.attempt < RETRY.attempts:
            raise ConnectionError("not yet")

    def _refuse(self, context: JobContext, payload: Payload) -> None:
        raise Refused(REFUSAL, kind="conflict")

    def _count(self, context: JobContext, payload: Payload) -> None:
        for number in range(1, 6):
            context.progress(number, 5)

    def _give_up(self, context: JobContext, payload: Payload) -> None:
        self.jobs[0].cancel(context.job_id)
        context.progress(1, 1)
        raise AssertionError("a cancelled job went on")

    def _chain(self, context: JobContext, payload: Payload) -> None:
        self.jobs[0].enqueue("note", {"mark": payload["mark"] + "-child"}, job_id=payload["mark"] + "-child")


def fresh() -> str:
    """An id or mark no other test uses."""
    return uuid4().hex


class JobsContract:
    """The promises."""

    def test_a_job_runs_once_with_its_payload(self, harness: Harness) -> None:
        mark = fresh()
        job_id = harness.jobs.enqueue("note", {"mark": mark, "document": 184, "names": ["螺丝"], "none": None})
        assert harness.settle(job_id) == JobStatus(job_id=job_id, kind="note", state=JobState.DONE)
        [(context, payload)] = [call for call in harness.seen.calls if call[1].get("mark") == mark]
        assert (context.job_id, context.kind, context.attempt) == (job_id, "note", 1)
        assert payload == {"mark": mark, "document": 184, "names": ["螺丝"], "none": None}

    def test_an_id_is_used_once(self, harness: Harness) -> None:
        mark, job_id = fresh(), f"company:{fresh()}"
        assert harness.jobs.enqueue("note", {"mark": mark}, job_id=job_id) == job_id
        assert harness.jobs.enqueue("note", {"mark": mark}, job_id=job_id) == job_id
        harness.settle(job_id)
        assert harness.jobs.enqueue("note", {"mark": mark}, job_id=job_id) == job_id
        assert harness.settle(harness.jobs.enqueue("note", {})).state is JobState.DONE
        assert len(harness.calls(mark)) == 1

    def test_the_long_queue_runs_too(self, harness: Harness) -> None:
        assert harness.settle(harness.jobs.enqueue("note", {}, queue="long")).state is JobState.DONE

    def test_a_job_may_enqueue_another(self, harness: Harness) -> None:
        mark = fresh()
        harness.settle(harness.jobs.enqueue("chain", {"mark": mark}))
        assert harness.settle(f"{mark}-child").state is JobState.DONE

    def test_a_delayed_job_waits_for_its_time(self, harness: Harness) -> None:
        mark, job_id = fresh(), fresh()
        harness.jobs.delay("note", {"mark": mark}, 0.6, job_id)
        assert harness.jobs.status(job_id).state is JobState.DELAYED
        harness.pass_time(0.2)
        assert harness.calls(mark) == []
        harness.pass_time(0.5)
        assert harness.settle(job_id).state is JobState.DONE
        assert len(harness.calls(mark)) == 1

    def test_a_cancelled_job_never_runs(self, harness: Harness) -> None:
        mark, job_id = fresh(), fresh()
        harness.jobs.delay("note", {"mark": mark}, 0.3, job_id)
        harness.jobs.cancel(job_id)
        harness.pass_time(0.5)
        assert harness.jobs.status(job_id).state is JobState.CANCELLED
        assert harness.calls(mark) == []

    def test_cancelling_what_is_done_changes_nothing(self, harness: Harness) -> None:
        job_id = harness.jobs.enqueue("note", {})
        harness.settle(job_id)
        harness.jobs.cancel(job_id)
        assert harness.jobs.status(job_id).state is JobState.DONE

    def test_a_running_job_stops_at_its_next_progress(self, harness: Harness) -> None:
        job_id = harness.jobs.enqueue("give_up", {})
        assert harness.settle(job_id).state is JobState.CANCELLED

    def test_progress_is_seen(self, harness: Harness) -> None:
        status = harness.settle(harness.jobs.enqueue("count", {}, queue="long"))
        assert (status.state, status.progress) == (JobState.DONE, Progress(done=5, total=5))

    def test_a_failure_is_repeated_until_it_recovers(self, harness: Harness) -> None:
        mark = fresh()
        assert harness.settle(harness.jobs.enqueue("recover", {"mark": mark})).state is JobState.DONE
        assert [context.attempt for context in harness.calls(mark)] == [1, 2, 3]
        assert [context.last_attempt for context in harness.calls(mark)] == [False, False, True]

    def test_what_keeps_failing_is_parked_and_visible(self, harness: Harness) -> None:
        mark = fresh()
        job_id = harness.jobs.enqueue("fail", {"mark": mark})
        status = harness.settle(job_id)
        assert status.state is JobState.PARKED
        assert status.error == (problem("job.failed", reason="ConnectionError: nobody answers"),)
        assert len(harness.calls(mark)) == RETRY.attempts
        assert status in harness.jobs.parked()

    def test_parked_jobs_are_told_by_workspace_with_what_they_were_given(self, harness: Harness) -> None:
        mark, other = fresh(), fresh()
        given = {"workspace": mark, "import": 7}
        ids = [harness.jobs.enqueue("refuse", one) for one in (given, {"workspace": other}, {})]
        for job_id in ids:
            harness.settle(job_id)
        assert harness.jobs.up()
        [found] = harness.jobs.parked(workspace=mark)
        assert (found.job_id, dict(found.payload)) == (ids[0], given)
        assert found.at is not None and found.at.tzinfo is None
        assert ids[2] in [one.job_id for one in harness.jobs.parked(workspace="")]
        assert not {*ids[:2]} & {one.job_id for one in harness.jobs.parked(workspace="")}
        assert harness.jobs.parked(workspace=fresh()) == ()

    def test_a_refusal_is_final_and_keeps_every_problem(self, harness: Harness) -> None:
        mark = fresh()
        status = harness.settle(harness.jobs.enqueue("refuse", {"mark": mark}))
        assert (status.state, status.error) == (JobState.PARKED, REFUSAL)
        assert len(harness.calls(mark)) == 1

    def test_an_unknown_kind_is_parked(self, harness: Harness) -> None:
        status = harness.settle(harness.jobs.enqueue("from_the_future", {}))
        assert (status.state, status.kind) == (JobState.PARKED, "from_the_future")
        assert status.error == (problem("job.unknown_kind", kind="from_the_future"),)

    def test_a_parked_job_can_be_retried_under_its_id(self, harness: Harness) -> None:
        mark = fresh()
        job_id = harness.jobs.enqueue("refuse", {"mark": mark})
        harness.settle(job_id)
        harness.jobs.retry(job_id)
        assert harness.settle(job_id).state is JobState.PARKED
        assert len(harness.calls(mark)) == 2

    def test_only_a_parked_job_can_be_retried(self, harness: Harness) -> None:
        job_id = harness.jobs.enqueue("note", {})
        harness.settle(job_id)
        with pytest.raises(Refused) as refused:
            harness.jobs.retry(job_id)
        assert _codes(refused.value.problems) == ["job.not_parked"]

    def test_cancelling_a_parked_job_drops_it(self, harness: Harness) -> None:
        job_id = harness.jobs.enqueue("refuse", {})
        harness.settle(job_id)
        harness.jobs.cancel(job_id)
        assert job_id not in [status.job_id for status in harness.jobs.parked()]
        with pytest.raises(Refused) as refused:
            harness.jobs.status(job_id)
        assert (refused.value.kind, _codes(refused.value.problems)) == ("missing", ["job.unknown"])

    def test_a_schedule_runs_at_its_moments_and_is_replaced_by_name(self, harness: Harness) -> None:
        first, second, name = fresh(), fresh(), fresh()
        harness.jobs.schedule("note", "0 0 0 1 1 *", {"mark": first}, name)
        harness.jobs.schedule("note", "* * * * * *", {"mark": second}, name)
        for _ in range(40):
            harness.pass_time(0.25)
            if harness.calls(second):
                break
        meant = harness.calls(second)[0].scheduled_for
        assert isinstance(meant, datetime)
        assert (meant.tzinfo, meant.microsecond) == (None, 0)
        assert harness.calls(first) == []
        harness.jobs.schedule("note", "0 0 0 1 1 *", {"mark": first}, name)

    @pytest.mark.parametrize("cron", ["", "every day", "61 * * * *", "* * * *"])
    def test_a_wrong_schedule_is_refused(self, harness: Harness, cron: str) -> None:
        with pytest.raises(Refused) as refused:
            harness.jobs.schedule("note", cron, {}, fresh())
        assert _codes(refused.value.problems) == ["job.bad_cron"]

    @pytest.mark.parametrize(
        ("job_id", "queue", "code"), [(None, "slow", "job.unknown_queue"), ("x" * 201, "quick", "job.bad_id")]
    )
    def test_a_wrong_queue_or_id_is_refused(self, harness: Harness, job_id: str | None, queue: str, code: str) -> None:
        with pytest.raises(Refused) as refused:
            harness.jobs.enqueue("note", {}, job_id=job_id, queue=queue)
        assert _codes(refused.value.problems) == [code]


def _codes(problems: tuple[Problem, ...]) -> list[str]:
    return [each.code for each in problems]
