"""What a request to any job engine must look like; the engines behind the contract refuse the same things."""

from __future__ import annotations

from croniter import croniter

from engine.problems import Refused, problem
from runtime.jobs.contract import QUEUES

LONGEST_ID = 200


def check_request(job_id: str | None, queue: str) -> None:
    """Raises ``Refused`` (``job.unknown_queue``, ``job.bad_id``)."""
    if queue not in QUEUES:
        raise Refused([problem("job.unknown_queue", queue=queue, queues=", ".join(QUEUES))])
    if job_id is not None and not 0 < len(job_id) <= LONGEST_ID:
        raise Refused([problem("job.bad_id", job=job_id[:LONGEST_ID], most=LONGEST_ID)])


def check_cron(cron: str) -> None:
    """Raises ``Refused`` (``job.bad_cron``) unless ``cron`` has 5 fields, or 6 with the seconds first."""
    if not croniter.is_valid(cron, second_at_beginning=True):
        raise Refused([problem("job.bad_cron", cron=cron)])
