"""系统设置 → 试一下: a draft workflow or rule on a document or over a past period. Administrators only; no effects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from engine.problems import Problem, Refused, problem
from runtime.facade import trying
from runtime.facade.trying import Period
from runtime.web.dependencies import Natural, Posted, Visit, Visiting, text_of
from runtime.web.pages import render

AT_ONCE = 10_000
ROWS = 200


def trying_routes() -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/w/{workspace}/{app}/settings/try")

    @router.get("")
    def show(request: Request, found: Visiting, file: str = "", document: Natural | None = None) -> Response:
        typed = {"draft": trying.source(found.door, file), "document": str(document or "")}
        return _page(request, found, typed, file=file)

    @router.post("/document")
    def on_document(request: Request, found: Visiting, sent: Posted) -> Response:
        return _done(request, found, sent, lambda draft: trying.try_draft(found.door, draft, text_of(sent, "document")))

    @router.post("/period")
    def on_period(request: Request, found: Visiting, sent: Posted) -> Response:
        def work(draft: str) -> object:
            period = Period(first=_day(sent, "from"), last=_day(sent, "until"))
            return trying.replay(found.door, draft, period, limit=AT_ONCE, rows=ROWS)

        return _done(request, found, sent, work)

    return router


def _done(request: Request, found: Visit, sent: FormData, work: Callable[[str], object]) -> Response:
    typed = {name: text_of(sent, name) for name in ("document", "from", "until")}
    raw = sent.get("draft")
    typed["draft"] = raw.replace("\r\n", "\n") if isinstance(raw, str) else ""
    try:
        result = work(typed["draft"])
    except Refused as refused:
        if refused.kind == "forbidden":
            raise
        return _page(request, found, typed, problems=refused.problems, status=422)
    return _page(request, found, typed, result=result)


def _page(
    request: Request,
    found: Visit,
    typed: dict[str, str],
    *,
    file: str = "",
    result: object = None,
    problems: tuple[Problem, ...] = (),
    status: int = 200,
) -> Response:
    today = found.door.house.now().date()
    typed = {"draft": "", "document": "", "from": f"{today.replace(day=1)}", "until": f"{today}"} | {
        name: value for name, value in typed.items() if value
    }
    return render(
        request, found, "settings/trying.html",
        status=status, choices=trying.choices(found.door), file=file, typed=typed, result=result, problems=problems,
    )  # fmt: skip


def _day(sent: FormData, name: str) -> date:
    try:
        return date.fromisoformat(text_of(sent, name))
    except ValueError as wrong:
        raise Refused([problem("trying.day", name)]) from wrong
