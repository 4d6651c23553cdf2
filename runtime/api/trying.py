"""试一下 over the API: a draft on a document, or over a past period in portions. Reads only; administrators only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter

from engine.problems import Problem, Refused, problem
from runtime.api.callers import PREFIX, Body, answered
from runtime.api.shapes import plain_object
from runtime.facade import trying
from runtime.facade.door import Door
from runtime.facade.trying import Period

MOST_ROWS = 1_000
MOST_DOCUMENTS = 5_000


def trying_api() -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX)
    router.post("/-/try", response_model=None)(answered(try_draft))
    router.post("/-/replay", response_model=None)(answered(replay))
    return router


def try_draft(door: Door, sent: Body) -> Mapping[str, Any]:
    """``definition`` (YAML) on ``document`` (id or number): steps, conditions with values, what would follow."""
    done = trying.try_draft(door, str(sent.get("definition", "")), str(sent.get("document", "")))
    return _told(door, done)


def replay(door: Door, sent: Body) -> Mapping[str, Any]:
    """``definition`` over the documents ``from`` … ``until``; ``after`` is the ``next`` of the answer before.

    Totals are of this answer's documents; at most ``limit`` of them are looked at, at most ``rows`` told.
    """
    period = Period(first=_day(sent, "from"), last=_day(sent, "until"))
    done = trying.replay(
        door,
        str(sent.get("definition", "")),
        period,
        after=_whole(sent, "after", 0),
        limit=min(_whole(sent, "limit", 1_000), MOST_DOCUMENTS),
        rows=min(_whole(sent, "rows", 200), MOST_ROWS),
    )
    return _told(door, done)


def _told(door: Door, done: object) -> Mapping[str, Any]:
    told = dict(plain_object(done))
    for name in ("red", "warnings"):
        if name in told:
            told[name] = [_problem(door, one) for one in getattr(done, name)]
    return told


def _problem(door: Door, one: Problem) -> Mapping[str, str]:
    return {"code": one.code, "where": one.where, "text": door.say(one)}


def _day(sent: Mapping[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(sent.get(name, "")))
    except ValueError as wrong:
        raise Refused([problem("trying.day", name)]) from wrong


def _whole(sent: Mapping[str, Any], name: str, default: int) -> int:
    value = sent.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refused([problem("flow.bad_value", name, name=name)])
    return value
