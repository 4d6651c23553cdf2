"""待办: what waits for this person."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from runtime.facade import tasks
from runtime.web.dependencies import Posted, Visiting
from runtime.web.pages import go_to, render, say
from runtime.web.site import site_of

PAGE_SIZE = 50


def inbox_routes() -> APIRouter:
    """The routes of tasks."""
    router = APIRouter(prefix="/w/{workspace}/{app}")

    @router.get("/tasks")
    def show_tasks(request: Request, found: Visiting, after: int | None = None, kind: str = "") -> Response:
        rows = tasks.inbox(found.door, after=after, limit=PAGE_SIZE)
        shown = tuple(row for row in rows if not kind or row.kind == kind)
        return render(
            request, found, "tasks.html",
            rows=shown, kind=kind, next=rows[-1].id if len(rows) == PAGE_SIZE else None, after=after,
        )  # fmt: skip

    @router.post("/tasks/{task}/finish")
    def finish(request: Request, found: Visiting, task: int, sent: Posted) -> Response:
        tasks.finish(found.door, task)
        return go_to(request, found.links.page("tasks"), say(site_of(request), found.language, "tasks.finished"))

    return router
