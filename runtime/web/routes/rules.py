"""系统设置 → 规则, 规则日志, 异常: what happens by itself, what came of it, what waits. Administrators only."""

from __future__ import annotations

from datetime import date
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from runtime.facade import dead_ends, rule_log, rules
from runtime.web.dependencies import Natural, Posted, Visiting, text_of
from runtime.web.pages import go_to, render, say
from runtime.web.site import site_of

PAGE_SIZE = 50


def rule_routes() -> APIRouter:
    """The routes of rules, their log and dead ends."""
    router = APIRouter(prefix="/w/{workspace}/{app}/settings")

    @router.get("/rules")
    def every(request: Request, found: Visiting) -> Response:
        return render(request, found, "rules/list.html", rules=rules.rule_rows(found.door))

    @router.get("/rules/{rule}")
    def one(request: Request, found: Visiting, rule: str) -> Response:
        return render(request, found, "rules/rule.html", rule=rules.rule_view(found.door, rule))

    @router.get("/rule-log")
    def log(
        request: Request,
        found: Visiting,
        rule: str = "",
        verdict: str = "",
        form: str = "",
        first: str = "",
        last: str = "",
        after: Natural | None = None,
    ) -> Response:
        start, end = _day(first), _day(last)
        page = rule_log.run_page(
            found.door, rule=rule, verdict=verdict, form=form, first=start, last=end, after=after, limit=PAGE_SIZE
        )
        days = {"first": start.isoformat() if start else "", "last": end.isoformat() if end else ""}
        wanted = {"rule": rule, "verdict": verdict, "form": form, **days}
        bundle = found.door.bundle
        return render(
            request, found, "rules/log.html",
            page=page, after=after, wanted=wanted, narrowed=any(wanted.values()),
            verdicts=rule_log.verdict_words(found.door),
            rules=[(key, one.definition.label.text(found.language)) for key, one in bundle.rules.items()],
            forms=[(key, one.label.text(found.language)) for key, one in bundle.forms.items()],
        )  # fmt: skip

    @router.get("/rule-log/{run}")
    def run(request: Request, found: Visiting, run: Natural) -> Response:
        return render(request, found, "rules/run.html", run=rule_log.run_view(found.door, run))

    @router.post("/rule-log/{run}/again")
    def run_again(request: Request, found: Visiting, run: Natural, sent: Posted) -> Response:
        made = rule_log.run_again(found.door, run)
        said = say(site_of(request), found.language, "rules.again_done")
        return go_to(request, found.links.page("settings", "rule-log", made), said)

    @router.get("/dead-ends")
    def dead(request: Request, found: Visiting) -> Response:
        ends = dead_ends.dead_ends(found.door)
        return render(request, found, "rules/dead_ends.html", found=ends, most=dead_ends.COUNTED)

    @router.post("/dead-ends/jobs/{what}")
    def job(request: Request, found: Visiting, what: Literal["again", "drop"], sent: Posted) -> Response:
        settle = dead_ends.try_job_again if what == "again" else dead_ends.drop_job
        settle(found.door, text_of(sent, "job"))
        said = say(site_of(request), found.language, "rules.dead_retried" if what == "again" else "jobs.dropped")
        return go_to(request, found.links.page("settings", "dead-ends"), said)

    @router.post("/dead-ends/{effect}/again")
    def again(request: Request, found: Visiting, effect: Natural, sent: Posted) -> Response:
        dead_ends.try_again(found.door, effect)
        said = say(site_of(request), found.language, "rules.dead_retried")
        return go_to(request, found.links.page("settings", "dead-ends"), said)

    return router


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
