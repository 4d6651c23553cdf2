"""Cookies: the signed session token of a workspace, and the language chosen before anybody signed in.

The token itself is opaque and kept on the server; the signature only spares the database a look at forged ones.
Cookies are HttpOnly and SameSite=Lax; one per workspace, so that two companies may be open in one browser.
"""

from __future__ import annotations

import secrets

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from engine.labels import LANGUAGES, Language
from runtime.web.site import Site

LANGUAGE_COOKIE = "stockloom_language"
ENTRANCE_COOKIE = "stockloom_entrance"
YEAR_S = 365 * 24 * 3600
ENTRANCE_BYTES = 24


def session_cookie(workspace: str) -> str:
    """Name of the session cookie of ``workspace``."""
    return f"stockloom_{workspace}"


def session_token(request: Request, site: Site, workspace: str) -> str | None:
    """The token of a correctly signed session cookie, or None."""
    return _unsigned(site, "session", request.cookies.get(session_cookie(workspace), ""))


def keep_session(response: Response, site: Site, workspace: str, token: str) -> None:
    """Hand the browser its session."""
    response.set_cookie(
        session_cookie(workspace),
        _signer(site, "session").sign(token).decode(),
        max_age=YEAR_S,
        httponly=True,
        samesite="lax",
        secure=site.settings.secure_cookies,
    )


def drop_session(response: Response, workspace: str) -> None:
    """Make the browser forget its session."""
    response.delete_cookie(session_cookie(workspace), httponly=True, samesite="lax")


def entrance_token(request: Request, site: Site) -> str | None:
    """The token that ties a sign-in form to the browser it was sent to."""
    return _unsigned(site, "entrance", request.cookies.get(ENTRANCE_COOKIE, ""))


def keep_entrance(response: Response, site: Site, token: str) -> None:
    """Hand the browser the token of its sign-in form."""
    response.set_cookie(
        ENTRANCE_COOKIE,
        _signer(site, "entrance").sign(token).decode(),
        httponly=True,
        samesite="lax",
        secure=site.settings.secure_cookies,
    )


def new_entrance() -> str:
    """An unguessable token for a sign-in form."""
    return secrets.token_urlsafe(ENTRANCE_BYTES)


def language_before_sign_in(request: Request, site: Site) -> Language:
    """The language chosen on the sign-in page, else the installation's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return next((language for language in LANGUAGES if language == chosen), site.settings.language)


def keep_language(response: Response, language: str) -> None:
    """Remember the language chosen on the sign-in page."""
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, httponly=True, samesite="lax")


def _signer(site: Site, purpose: str) -> Signer:
    return Signer(site.secret, salt=f"stockloom.{purpose}")


def _unsigned(site: Site, purpose: str, signed: str) -> str | None:
    try:
        return _signer(site, purpose).unsign(signed).decode()
    except (BadSignature, UnicodeDecodeError):
        return None
