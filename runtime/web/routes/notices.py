"""我的 → 消息通知: which kinds of message reach the person over which channel, and when not."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from runtime.facade import notices
from runtime.web.dependencies import Posted, Visiting, text_of
from runtime.web.pages import go_to, render, say
from runtime.web.site import site_of


def notice_routes() -> APIRouter:
    """The routes of a person's notification settings."""
    router = APIRouter(prefix="/w/{workspace}/{app}/me/notices")

    @router.get("")
    def show(request: Request, found: Visiting) -> Response:
        return render(request, found, "notices.html", settings=notices.notice_settings(found.door))

    @router.post("")
    def save(request: Request, found: Visiting, sent: Posted) -> Response:
        settings = notices.notice_settings(found.door)
        modes = {
            kind: {one.key: chosen for one in settings.channels if (chosen := text_of(sent, f"{kind}.{one.key}"))}
            for kind in settings.kinds
        }
        names = ("quiet_from", "quiet_until", "digest_at", "email", "mobile")
        notices.save_notice_settings(found.door, modes, **{name: text_of(sent, name) for name in names})
        said = say(site_of(request), found.language, "notices.saved")
        return go_to(request, found.links.page("me", "notices"), said)

    return router
