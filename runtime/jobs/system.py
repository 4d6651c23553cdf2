"""What the six verbs mean to DBOS. The only module, with `runtime.jobs.execution`, that imports it.

Importing takes over a second, so `runtime.jobs.engine` imports this module when it is first needed. Payloads and
results are stored as portable JSON, never pickled. Every job carries the same application version, the ABI of the two
generic workflows: jobs written before a deployment are therefore run by it. Names, states and errors of DBOS end here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions, WorkflowStatus, error

from engine.problems import Problem, Refused, problem
from runtime.jobs.attempt import problems_from_json, reason
from runtime.jobs.contract import JobState, JobStatus, Payload, Progress, in_workspace
from runtime.jobs.system_database import is_sqlite, system_engine

APPLICATION = "stockloom"
ABI = "stockloom-jobs-1"
SCHEMA = "dbos"
RUN_JOB = "run_job"
RUN_SCHEDULED = "run_scheduled"
DEAD_LETTER = "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
TAKEOVERS = "takeovers"
PARKED_AS = "parked"
BATCH = 500
MOST_PAGES = 10

NO_PAYLOAD: Payload = MappingProxyType({})
STATES: Mapping[str, JobState] = MappingProxyType(
    {
        "DELAYED": JobState.DELAYED,
        "ENQUEUED": JobState.WAITING,
        "PENDING": JobState.RUNNING,
        "SUCCESS": JobState.DONE,
        "ERROR": JobState.PARKED,
        DEAD_LETTER: JobState.PARKED,
        "CANCELLED": JobState.CANCELLED,
    }
)


class System:
    """A connection to the job database. Opening one creates or migrates the tables."""

    def __init__(self, url: str, concurrency: int, zone: str) -> None:
        self.url = url
        self.engine: sa.Engine = system_engine(url, concurrency)
        self._zone = zone
        if not is_sqlite(url):
            DBOS.migrate(url, schema=SCHEMA)
        else:
            with self.engine.begin():  # create the file with its journal mode before DBOS opens it with its own
                pass
            DBOS.migrate(url)
        self.client = DBOSClient(
            system_database_engine=self.engine,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
        )

    def close(self) -> None:
        """Give the connections back."""
        self.client.destroy()
        self.engine.dispose()

    def enqueue(self, kind: str, payload: Payload, *, job_id: str | None, queue: str, seconds: float | None) -> str:
        """Store one job; an id in use changes nothing. A delay of None means now."""
        chosen = job_id or uuid4().hex
        options = EnqueueOptions(workflow_name=RUN_JOB, queue_name=queue, workflow_id=chosen, app_version=ABI)
        if seconds is not None:
            options["delay_seconds"] = seconds
        self.client.enqueue(options, kind, dict(payload))
        return chosen

    def schedule(self, kind: str, cron: str, payload: Payload, name: str, queue: str) -> None:
        """Create or replace the schedule ``name``."""
        self.client.apply_schedules(
            [
                {
                    "schedule_name": name,
                    "workflow_name": RUN_SCHEDULED,
                    "schedule": cron,
                    "context": {"kind": kind, "payload": dict(payload)},
                    "queue_name": queue,
                    "cron_timezone": self._zone,
                }
            ]
        )

    def cancel(self, job_id: str) -> None:
        """Take back a job that has not ended; drop one that is parked."""
        if self.status(job_id).state is JobState.PARKED:
            self.client.delete_workflows([job_id])
        else:
            self.client.cancel_workflow(job_id)

    def status(self, job_id: str) -> JobStatus:
        """Raises ``Refused`` when there is no such job."""
        try:
            found = self.client.retrieve_workflow(job_id).get_status()
        except error.DBOSNonExistentWorkflowError:
            raise Refused([problem("job.unknown", job=job_id)], kind="missing") from None
        return self._status(found)

    def parked(self, limit: int, workspace: str | None = None) -> tuple[JobStatus, ...]:
        """Failed jobs, newest first; see `ParkedJobs.parked`."""
        killers = [each for each in self._cancelled() if _was_parked(each)]
        found = [(each.created_at or 0, self._status(each)) for each in killers]
        found = [one for one in found if in_workspace(one[1], workspace)]
        for page in range(MOST_PAGES):
            failed = self.client.list_workflows(
                status=["ERROR", DEAD_LETTER], limit=BATCH, offset=page * BATCH, sort_desc=True
            )
            more = [(each.created_at or 0, self._status(each)) for each in failed]
            found += [one for one in more if in_workspace(one[1], workspace)]
            if len(failed) < BATCH or len(found) >= limit + len(killers):
                break
        found.sort(key=lambda one: one[0], reverse=True)
        return tuple(status for _, status in found[:limit])

    def retry(self, job_id: str, queue: str) -> None:
        """Run a parked job again, from its beginning, under its id."""
        if self.status(job_id).state is not JobState.PARKED:
            raise Refused([problem("job.not_parked", job=job_id)], kind="conflict")
        self.client.update_workflow_attributes(job_id, None)
        self.client.rewind_workflow(job_id, application_version=ABI, queue_name=queue)

    def report_progress(self, job_id: str, progress: Progress) -> bool:
        """Make the progress visible. False when the job has been cancelled meanwhile."""
        self.client.update_workflow_attributes(job_id, {"progress": [progress.done, progress.total]}, merge=True)
        rows = self.client.list_workflows(workflow_ids=[job_id], load_input=False, load_output=False)
        return bool(rows) and rows[0].status != "CANCELLED"

    def running(self) -> Sequence[WorkflowStatus]:
        """Jobs some worker has begun and not ended."""
        return self.client.list_workflows(
            status="PENDING", app_version=ABI, limit=BATCH, load_input=False, load_output=False
        )

    def hand_on(self, job: WorkflowStatus, most: int, default_queue: str) -> bool:
        """Give a dead worker's job to whoever comes first; park it if it was handed on ``most`` times. True: given."""
        attributes = job.attributes or {}
        times = int(attributes.get(TAKEOVERS, 0)) + 1
        if times > most:
            self.client.update_workflow_attributes(job.workflow_id, {**attributes, PARKED_AS: "killed"})
            self.client.cancel_workflow(job.workflow_id)
            return False
        self.client.update_workflow_attributes(job.workflow_id, {**attributes, TAKEOVERS: times})
        self.client.resume_workflows([job.workflow_id], queue_name=job.queue_name or default_queue)
        return True

    def delete_finished(self, before: datetime) -> int:
        """Forget jobs that ended before ``before`` (with a zone). Parked ones are kept. Returns how many."""
        deleted = 0
        while True:
            found = self.client.list_workflows(
                status=["SUCCESS", "CANCELLED"],
                completed_before=before.astimezone(UTC).isoformat(),
                limit=BATCH,
                load_input=False,
                load_output=False,
            )
            ids = [each.workflow_id for each in found if not _was_parked(each)]
            if not ids:
                return deleted
            self.client.delete_workflows(ids)
            deleted += len(ids)

    def _cancelled(self) -> Iterable[WorkflowStatus]:
        return self.client.list_workflows(status="CANCELLED", limit=BATCH, sort_desc=True)

    def _status(self, found: WorkflowStatus) -> JobStatus:
        attributes: Mapping[str, Any] = found.attributes or {}
        reported = attributes.get("progress")
        kind, payload = _asked(found)
        moved = found.updated_at or found.created_at
        return JobStatus(
            job_id=found.workflow_id,
            kind=kind,
            state=JobState.PARKED if _was_parked(found) else STATES[found.status],
            progress=Progress(done=reported[0], total=reported[1]) if reported else None,
            error=_error(found),
            payload=payload,
            at=None if moved is None else self._moment(moved),
        )

    def _moment(self, milliseconds: int) -> datetime:
        moment = datetime.fromtimestamp(milliseconds // 1000, ZoneInfo(self._zone))
        return moment.replace(tzinfo=None)


def _was_parked(found: WorkflowStatus) -> bool:
    return found.status == "CANCELLED" and PARKED_AS in (found.attributes or {})


def _asked(found: WorkflowStatus) -> tuple[str, Payload]:
    """The kind and the payload of a job."""
    arguments: Sequence[Any] = found.input["args"] if found.input else ()
    if len(arguments) < 2:
        return (str(arguments[0]) if arguments else "", NO_PAYLOAD)
    if found.name == RUN_SCHEDULED:
        return str(arguments[1]["kind"]), dict(arguments[1].get("payload") or {})
    return str(arguments[0]), dict(arguments[1] or {})


def _error(found: WorkflowStatus) -> tuple[Problem, ...]:
    if found.status == DEAD_LETTER or _was_parked(found):
        return (problem("job.killed_worker"),)
    if found.status != "ERROR" or found.error is None:
        return ()
    data = getattr(found.error, "data", None)
    if isinstance(data, dict) and "problems" in data:
        return problems_from_json(data["problems"])
    return (problem("job.failed", reason=reason(found.error)),)
