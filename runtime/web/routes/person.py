"""我的: the person's own language, theme, password and API keys."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine.labels import LANGUAGES
from engine.problems import Refused, problem
from runtime.facade import accounts
from runtime.web.cookies import drop_session, keep_language
from runtime.web.dependencies import THEMES, Natural, Posted, Visit, Visiting, text_of
from runtime.web.links import within
from runtime.web.pages import go_to, render, say
from runtime.web.site import site_of


def person_routes() -> APIRouter:
    """The routes of the signed-in person."""
    router = APIRouter(prefix="/w/{workspace}/{app}/me")

    @router.get("")
    def show(request: Request, found: Visiting) -> Response:
        return _page(request, found)

    @router.post("/language")
    def choose_language(request: Request, found: Visiting, sent: Posted) -> Response:
        language = text_of(sent, "language")
        if language not in LANGUAGES:
            raise Refused([problem("web.unreadable")])
        accounts.set_language(found.door, language)
        response = go_to(request, _back(found, text_of(sent, "back")))
        keep_language(response, language)
        return response

    @router.post("/theme")
    def choose_theme(request: Request, found: Visiting, sent: Posted) -> Response:
        theme = text_of(sent, "theme")
        if theme not in THEMES:
            raise Refused([problem("web.unreadable")])
        accounts.set_theme(found.door, theme)
        return go_to(request, _back(found, text_of(sent, "back")))

    @router.post("/password")
    def change_password(request: Request, found: Visiting, sent: Posted) -> Response:
        old, new, again = (sent.get(name) for name in ("old", "new", "again"))
        if not isinstance(old, str) or not isinstance(new, str) or new != again:
            raise Refused([problem("web.passwords_differ", "again")])
        accounts.change_password(found.door, old, new)
        # Every session ended with the old password, this one too.
        response = go_to(request, f"{found.links.login}?changed=1")
        drop_session(response, found.links.workspace)
        return response

    @router.post("/keys")
    def create_key(request: Request, found: Visiting, sent: Posted) -> Response:
        label = text_of(sent, "label")
        if not label:
            raise Refused([problem("web.key_label", "label")])
        return _page(request, found, fresh_key=accounts.create_api_key(found.door, label[:100]))

    @router.post("/keys/{key}/revoke")
    def revoke_key(request: Request, found: Visiting, key: Natural, sent: Posted) -> Response:
        accounts.revoke_api_key(found.door, key)
        return go_to(request, found.links.page("me"), say(site_of(request), found.language, "me.key_revoked"))

    return router


def _page(request: Request, found: Visit, fresh_key: str = "") -> Response:
    return render(request, found, "me.html", keys=accounts.api_keys(found.door), fresh_key=fresh_key)


def _back(found: Visit, back: str) -> str:
    return within(back, found.links.workspace) or found.links.home
