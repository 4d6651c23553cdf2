"""Coming in and going out: the sign-in page of a workspace, and signing out.

A sign-in form carries a token that is also in a cookie of the same browser, so that nobody can be signed in to an
account that is not theirs from another site. Which logins are refused, and for how long, is the facade's decision.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from engine.labels import LANGUAGES, Label
from engine.problems import Problem, Refused, problem
from runtime.facade import accounts
from runtime.web.cookies import (
    drop_session,
    entrance_token,
    keep_entrance,
    keep_language,
    keep_session,
    language_before_sign_in,
    new_entrance,
    session_token,
)
from runtime.web.dependencies import OnSite, Posted, SentOutside, Visiting, text_of
from runtime.web.links import Links, within
from runtime.web.pages import render_outside
from runtime.web.responses import STATUS
from runtime.web.site import Site
from runtime.workspaces import list_workspaces

LONGEST_BACK = 2000


def session_routes() -> APIRouter:
    """The routes of sessions."""
    router = APIRouter()

    @router.get("/")
    def entrance(request: Request, site: OnSite) -> Response:
        keys = list_workspaces(site.settings)
        if len(keys) == 1:
            return RedirectResponse(Links(keys[0], "").root + "/", status_code=303)
        return render_outside(request, "entrance.html", language_before_sign_in(request, site), workspaces=keys)

    @router.get("/w/{workspace}")
    @router.get("/w/{workspace}/")
    def door(request: Request, found: Visiting) -> Response:
        return RedirectResponse(found.links.home, status_code=303)

    @router.get("/w/{workspace}/{app}")
    @router.get("/w/{workspace}/{app}/")
    def app_door(request: Request, found: Visiting, app: str) -> Response:
        return RedirectResponse(found.links.home, status_code=303)

    return router


def sign_in_routes() -> APIRouter:
    """The sign-in page; included before the routes of apps, whose first part is a name like ``login``."""
    router = APIRouter(prefix="/w/{workspace}")

    @router.get("/login")
    def ask(request: Request, site: OnSite, workspace: str, back: str = "") -> Response:
        token = session_token(request, site, workspace)
        if token and accounts.session_door(site.house, workspace, token):
            return RedirectResponse(within(back, workspace) or f"{Links(workspace, '').root}/", status_code=303)
        return _ask(request, site, workspace, back=back)

    @router.post("/login")
    def sign_in(request: Request, site: OnSite, workspace: str, sent: SentOutside) -> Response:
        login, back = text_of(sent, "login"), text_of(sent, "back")
        _company(site, workspace)
        if not _from_our_page(request, site, sent):
            again = [problem("web.stale_page")]
            return _ask(request, site, workspace, back=back, login=login, problems=again, status=403)
        password = sent.get("password")
        try:
            session = accounts.sign_in(site.house, workspace, login, password if isinstance(password, str) else "")
        except Refused as refused:
            return _ask(
                request, site, workspace,
                back=back, login=login, problems=refused.problems, status=STATUS.get(refused.kind, 422),
            )  # fmt: skip
        response = RedirectResponse(within(back, workspace) or f"{Links(workspace, '').root}/", status_code=303)
        keep_session(response, site, workspace, session.token)
        return response

    @router.post("/login/language")
    def choose_language(request: Request, site: OnSite, workspace: str, sent: SentOutside) -> Response:
        language = text_of(sent, "language")
        back = within(text_of(sent, "back"), workspace)
        response = RedirectResponse(_sign_in_address(workspace, back or ""), status_code=303)
        if language in LANGUAGES and _from_our_page(request, site, sent):
            keep_language(response, language)
        return response

    @router.post("/logout")
    def sign_out(request: Request, site: OnSite, workspace: str, found: Visiting, sent: Posted) -> Response:
        accounts.sign_out(site.house, workspace, found.token)
        response = RedirectResponse(_sign_in_address(workspace, ""), status_code=303)
        drop_session(response, workspace)
        keep_language(response, found.language)
        return response

    return router


def _ask(
    request: Request,
    site: Site,
    workspace: str,
    *,
    back: str = "",
    login: str = "",
    problems: tuple[Problem, ...] | list[Problem] = (),
    status: int = 200,
) -> Response:
    company = _company(site, workspace)
    token = entrance_token(request, site) or new_entrance()
    response = render_outside(
        request,
        "login.html",
        language_before_sign_in(request, site),
        status=status,
        workspace=workspace,
        company=company,
        entrance=token,
        back=within(back[:LONGEST_BACK], workspace) or "",
        login=login[:100],
        changed=request.query_params.get("changed") == "1",
        problems=problems,
    )
    keep_entrance(response, site, token)
    return response


def _company(site: Site, workspace: str) -> Label:
    """Name of the workspace on its sign-in page. A stranger learns nothing of other workspaces, even near ones."""
    if workspace not in list_workspaces(site.settings):
        raise Refused([problem("web.no_page")], "missing")
    return site.house.published(site.house.workspace(workspace)).bundle.app.label


def _from_our_page(request: Request, site: Site, sent: FormData) -> bool:
    kept = entrance_token(request, site)
    return kept is not None and hmac.compare_digest(kept.encode(), text_of(sent, "entrance").encode())


def _sign_in_address(workspace: str, back: str) -> str:
    return f"{Links(workspace, '').login}" + (f"?{urlencode({'back': back})}" if back else "")
