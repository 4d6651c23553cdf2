"""Rules over the API, for administrators: what there is, the log, running again, dead ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from runtime.api.callers import PREFIX, Body, answered
from runtime.api.shapes import plain
from runtime.facade import dead_ends, rule_log, rules
from runtime.facade.door import Door
from runtime.web.dependencies import Natural


def rule_api() -> APIRouter:
    """The routes; the button of a rule is an action of its document, ``do/rule:<name>``."""
    router = APIRouter(prefix=PREFIX)
    router.get("/-/rules", response_model=None)(answered(every))
    router.get("/-/rules/{rule}", response_model=None)(answered(one))
    router.get("/-/rule-runs", response_model=None)(answered(runs))
    router.get("/-/rule-runs/{run}", response_model=None)(answered(run))
    router.post("/-/rule-runs/{run}/again", response_model=None)(answered(again, 201))
    router.get("/-/dead-ends", response_model=None)(answered(dead))
    router.post("/-/dead-ends/jobs/{what}", response_model=None)(answered(settle_job, 202))
    router.post("/-/dead-ends/{effect}/again", response_model=None)(answered(try_again, 202))
    return router


def every(door: Door) -> Mapping[str, Any]:
    """The rules of the app with their figures."""
    return {"rows": [plain(row) for row in rules.rule_rows(door)]}


def one(door: Door, rule: str) -> Mapping[str, Any]:
    """One rule in plain words, with its source, tests and latest runs."""
    return {"rule": plain(rules.rule_view(door, rule))}


def runs(
    door: Door,
    rule: str = "",
    verdict: str = "",
    form: str = "",
    first: date | None = None,
    last: date | None = None,
    after: Natural | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Mapping[str, Any]:
    """The log, newest first; ``after`` is the ``next`` of a page."""
    page = rule_log.run_page(
        door, rule=rule, verdict=verdict, form=form, first=first, last=last, after=after, limit=limit
    )
    return {"rows": [plain(row) for row in page.rows], "next": page.next}


def run(door: Door, run: Natural) -> Mapping[str, Any]:
    """One run: what it saw, decided and brought about."""
    return {"run": plain(rule_log.run_view(door, run))}


def again(door: Door, run: Natural, sent: Body) -> Mapping[str, Any]:
    """Judge its rule again on the record of today; the id of the new run."""
    return {"id": rule_log.run_again(door, run)}


def dead(door: Door) -> Mapping[str, Any]:
    """What ended without success and waits for somebody."""
    return {"dead_ends": plain(dead_ends.dead_ends(door))}


def settle_job(door: Door, what: Literal["again", "drop"], sent: Body) -> Mapping[str, Any]:
    """Run the parked ``job`` again, or forget it."""
    job = str(sent.get("job", ""))
    (dead_ends.try_job_again if what == "again" else dead_ends.drop_job)(door, job)
    return {"job": job}


def try_again(door: Door, effect: Natural, sent: Body) -> Mapping[str, Any]:
    """Perform an effect that was given up once more."""
    dead_ends.try_again(door, effect)
    return {"id": effect}
