"""消息: the message centre, by kind, read or not."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from engine.problems import Refused, problem
from runtime.facade import message_centre
from runtime.facade.notices import ABOUT
from runtime.web.dependencies import Natural, Posted, Visiting, number_in, text_of, texts_of
from runtime.web.pages import go_to, render, say
from runtime.web.site import site_of

PAGE_SIZE = 50


def message_routes() -> APIRouter:
    """The routes of messages."""
    router = APIRouter(prefix="/w/{workspace}/{app}/messages")

    @router.get("")
    def show(
        request: Request, found: Visiting, kind: str = "", unread: str = "", after: Natural | None = None
    ) -> Response:
        chosen = kind if kind in ABOUT else ""
        rows = message_centre.inbox_messages(
            found.door, after=after, limit=PAGE_SIZE, kind=chosen, unread=unread == "1"
        )
        return render(
            request, found, "messages.html",
            rows=rows, kinds=ABOUT, kind=chosen, unread=unread == "1", after=after,
            waiting=message_centre.unread_by_kind(found.door),
            next=rows[-1].id if len(rows) == PAGE_SIZE else None,
        )  # fmt: skip

    @router.get("/{message}")
    def read(request: Request, found: Visiting, message: Natural) -> Response:
        one = message_centre.open_message(found.door, message)
        if one is None:
            raise Refused([problem("web.no_page")], "missing")
        about = found.links.record(one.form, one.document) if one.form and one.document else ""
        return RedirectResponse(about or found.links.page("messages"), status_code=303)

    @router.post("/read")
    def mark_read(request: Request, found: Visiting, sent: Posted) -> Response:
        ids = tuple(number for text in texts_of(sent, "id") if (number := number_in(text)) is not None)
        kind = text_of(sent, "kind")
        message_centre.mark_read(found.door, ids or None, kind=kind if kind in ABOUT else "")
        said = "" if ids else say(site_of(request), found.language, "messages.read_done")
        return go_to(request, found.links.page("messages", kind=kind), said)

    return router
