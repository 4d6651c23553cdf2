"""One call of a handler, and the line between a failure worth repeating and one that is final.

A refusal is an answer, not an accident: repeating it changes nothing, except when the database was busy. Everything
else (a lost connection, a defect) is tried again until the attempts are used up. What is final becomes problems, so
that whoever looks at a parked job reads sentences. Both engines call `attempt`; neither knows how a failure is judged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import structlog

from engine.labels import Label
from engine.problems import Param, Problem, Refused, problem
from runtime.jobs.contract import Handlers, JobCancelled, JobContext, Payload

BUSY = "busy"
LONGEST_REASON = 500
MOST_KEPT = 2000

_log = structlog.get_logger("stockloom.jobs")


def attempt(handlers: Handlers, context: JobContext, payload: Payload) -> tuple[Problem, ...]:
    """Call the handler once. Empty: done. Problems: final, park the job. An exception: worth another attempt."""
    handler = handlers.get(context.kind)
    if handler is None:
        return (problem("job.unknown_kind", kind=context.kind),)
    try:
        handler(context, payload)
    except JobCancelled:
        return ()
    except Exception as error:
        final = is_final(context, error)
        log = _log.bind(job=context.job_id, kind=context.kind, attempt=context.attempt)
        if not final:
            log.warning("job failed, will be repeated", reason=reason(error))
            raise
        log.error("job parked", reason=reason(error), exc_info=not isinstance(error, Refused))
        return problems_of(error)
    return ()


def is_final(context: JobContext, error: Exception) -> bool:
    """Whether the job is parked after ``error`` instead of being repeated."""
    return context.last_attempt or (isinstance(error, Refused) and error.kind != BUSY)


def problems_of(error: Exception) -> tuple[Problem, ...]:
    """What a parked job says about ``error``."""
    if isinstance(error, Refused):
        return error.problems
    return (problem("job.failed", reason=reason(error)),)


def reason(error: BaseException) -> str:
    """Type and message of an exception in one short line."""
    return f"{type(error).__name__}: {error}"[:LONGEST_REASON]


def kept_reason(error: Exception) -> str:
    """A failure as text to be kept: its problems, so that whoever reads them reads sentences; at most ``MOST_KEPT``."""
    text = json.dumps(problems_json(problems_of(error)), ensure_ascii=False)
    return text if len(text) <= MOST_KEPT else json.dumps(problems_json([problem("job.failed", reason=reason(error))]))


def problems_kept(text: str) -> tuple[Problem, ...]:
    """Inverse of `kept_reason`; what an earlier version kept is its own reason."""
    try:
        return problems_from_json(json.loads(text))
    except (ValueError, TypeError, KeyError):
        return (problem("job.failed", reason=text),)


def problems_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Problems as JSON, exact: parameters that JSON has no word for are tagged with their type."""
    return [
        {
            "code": each.code,
            "where": each.where,
            "params": {name: _param_json(value) for name, value in each.params.items()},
        }
        for each in problems
    ]


def problems_from_json(data: Sequence[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Inverse of `problems_json`."""
    return tuple(
        Problem(
            code=each["code"],
            where=each["where"],
            params=MappingProxyType({name: _param(value) for name, value in each["params"].items()}),
        )
        for each in data
    )


def _param_json(value: Param) -> object:
    match value:
        case Label():
            return {"label": [value.zh, value.en]}
        case Decimal():
            return {"decimal": str(value)}
        case date():
            return {"date": value.isoformat()}
        case str() | int():
            return value


def _param(value: Any) -> Param:
    match value:
        case {"label": [zh, en]}:
            return Label(zh=zh, en=en)
        case {"decimal": text}:
            return Decimal(text)
        case {"date": text}:
            return date.fromisoformat(text[:10])
        case int():
            return value
        case _:
            return str(value)
