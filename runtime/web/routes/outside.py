"""系统设置 → 外发地址, 发送记录: where messages may go, and what became of them. Administrators only."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from runtime.facade import endpoints, outgoing
from runtime.facade.endpoints import Entered
from runtime.facade.notices import ABOUT
from runtime.web.dependencies import Natural, Posted, Visit, Visiting, text_of, texts_of
from runtime.web.pages import go_to, render, say
from runtime.web.site import site_of

PAGE_SIZE = 50
OPTION = "option_"


def outside_routes() -> APIRouter:
    """The routes of addresses and deliveries."""
    router = APIRouter(prefix="/w/{workspace}/{app}/settings")

    @router.get("/outside")
    def show(request: Request, found: Visiting) -> Response:
        return _page(request, found)

    @router.post("/outside")
    def add(request: Request, found: Visiting, sent: Posted) -> Response:
        kind, key = text_of(sent, "kind"), text_of(sent, "key")
        secret = endpoints.add_endpoint(found.door, kind, key, _entered(sent))
        return _page(request, found, key, secret) if secret else _back(request, found, "endpoints.added")

    @router.post("/outside/{endpoint}")
    def change(request: Request, found: Visiting, endpoint: Natural, sent: Posted) -> Response:
        secret = endpoints.change_endpoint(found.door, endpoint, _entered(sent))
        return _page(request, found, "", secret) if secret else _back(request, found, "endpoints.saved")

    @router.post("/outside/{endpoint}/secret")
    def replace_secret(request: Request, found: Visiting, endpoint: Natural, sent: Posted) -> Response:
        return _page(request, found, "", endpoints.replace_secret(found.door, endpoint))

    @router.post("/outside/{endpoint}/active")
    def switch(request: Request, found: Visiting, endpoint: Natural, sent: Posted) -> Response:
        endpoints.switch_endpoint(found.door, endpoint, text_of(sent, "active") == "true")
        return _back(request, found, "endpoints.switched")

    @router.post("/outside/{endpoint}/remove")
    def remove(request: Request, found: Visiting, endpoint: Natural, sent: Posted) -> Response:
        endpoints.remove_endpoint(found.door, endpoint)
        return _back(request, found, "endpoints.removed")

    @router.post("/outside/{endpoint}/test")
    def test(request: Request, found: Visiting, endpoint: Natural, sent: Posted) -> Response:
        endpoints.try_endpoint(found.door, endpoint)
        return _back(request, found, "endpoints.tested")

    @router.get("/deliveries")
    def deliveries(
        request: Request,
        found: Visiting,
        state: str = "",
        channel: str = "",
        q: str = "",
        after: Natural | None = None,
    ) -> Response:
        page = outgoing.delivery_page(found.door, state, channel, q, after, PAGE_SIZE)
        return render(
            request, found, "settings/deliveries.html",
            page=page, state=state, channel=channel, q=q.strip()[:100], after=after,
            channels=outgoing.channels(found.door),
        )  # fmt: skip

    @router.post("/deliveries/replay")
    def replay_all(request: Request, found: Visiting, sent: Posted) -> Response:
        return _replayed(request, found, outgoing.replay(found.door))

    @router.post("/deliveries/{delivery}/replay")
    def replay(request: Request, found: Visiting, delivery: Natural, sent: Posted) -> Response:
        return _replayed(request, found, outgoing.replay(found.door, delivery))

    return router


def _entered(sent: FormData) -> Entered:
    options = {name.removeprefix(OPTION): text_of(sent, name) for name in sent if name.startswith(OPTION)}
    secret = text_of(sent, "secret")
    about = tuple(one for one in texts_of(sent, "about") if one in ABOUT)
    return Entered(address=text_of(sent, "address"), secret=secret or None, options=options, about=about)


def _page(request: Request, found: Visit, fresh_for: str = "", fresh: str = "") -> Response:
    """The page of addresses; ``fresh`` is a secret shown this once."""
    origin = site_of(request).settings.public_url or str(request.base_url)
    return render(
        request, found, "settings/outside.html", part=False,
        endpoints=endpoints.all_endpoints(found.door), sorts=endpoints.sorts(found.door), about=ABOUT,
        channels=site_of(request).house.plugins.channels, fresh=fresh, fresh_for=fresh_for,
        hooks=f"{origin.rstrip('/')}/hooks/{found.links.workspace}",
    )  # fmt: skip


def _back(request: Request, found: Visit, key: str) -> Response:
    return go_to(request, found.links.page("settings", "outside"), say(site_of(request), found.language, key))


def _replayed(request: Request, found: Visit, count: int) -> Response:
    said = say(site_of(request), found.language, "deliveries.replayed", count=count)
    return go_to(request, found.links.page("settings", "deliveries", state="waiting"), said)
