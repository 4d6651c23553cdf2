"""Who is asking, and whether the request really comes from our own page.

`visit` finds the session behind the cookie and refuses with ``unauthenticated`` where there is none; `posted` reads a
form and refuses one without the session's CSRF token or sent from another site. Every unsafe verb goes through
`posted` or `guarded`, htmx and plain forms alike. What the person may do is decided behind the facade, never here.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated, TypeAlias, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from pydantic import Field
from starlette.convertors import IntegerConvertor
from starlette.datastructures import FormData

from engine.problems import Refused, problem
from engine.values import INT64_MAX, MOST_DIGITS
from engine.values import number_in as number_in
from runtime.facade import accounts
from runtime.facade.door import Door
from runtime.web.cookies import session_token
from runtime.web.links import Links
from runtime.web.site import Site, site_of

# An id, or how many rows to skip; the databases count no further.
Natural: TypeAlias = Annotated[int, Field(ge=0, le=INT64_MAX)]
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
MOST_FIELDS = 5_000
AUTO = "auto"
THEMES = ("light", "dark", AUTO)


class IdConvertor(IntegerConvertor):
    """``:int`` in the path of a route: an id, of no more digits than the databases always hold.

    Starlette's own takes any number, also one Python refuses to read; a longer one now is an address there is not.
    """

    regex = f"[0-9]{{1,{MOST_DIGITS - 1}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One signed-in request: the door, the session's tokens and the addresses of its app."""

    door: Door
    token: str
    csrf: str
    theme: str
    links: Links

    @property
    def language(self) -> str:
        """Language of the page."""
        return self.door.language


def visit(request: Request) -> Visit:
    """The session of the person asking. Raises ``Refused`` (unauthenticated) when nobody is signed in, and
    (missing) when the path names another app than the workspace's."""
    site, workspace = site_of(request), request.path_params["workspace"]
    token = session_token(request, site, workspace)
    session = accounts.session_door(site.house, workspace, token) if token else None
    if session is None or token is None:
        raise Refused([problem("web.sign_in")], "unauthenticated")
    key = session.door.bundle.app.app
    found = Visit(
        door=session.door,
        token=token,
        csrf=session.csrf,
        theme=session.theme if session.theme in THEMES else AUTO,
        links=Links(workspace, key),
    )
    request.state.visit = found
    if request.path_params.get("app", key) != key:
        raise Refused([problem("web.no_page")], "missing")
    return found


Visiting: TypeAlias = Annotated[Visit, Depends(visit)]


async def posted(request: Request, found: Visiting) -> FormData:
    """The form of an unsafe request, once it is known to come from our own page.

    Raises ``Refused`` (forbidden) otherwise.
    """
    refuse_foreign(request)
    form = await request.form(max_fields=MOST_FIELDS)
    _refuse_without_token(request.headers.get(CSRF_HEADER) or form.get(CSRF_FIELD), found.csrf)
    return form


def guarded(request: Request, found: Visiting) -> Visit:
    """The visit of an unsafe request that carries its token in the header (JSON, uploads)."""
    refuse_foreign(request)
    _refuse_without_token(request.headers.get(CSRF_HEADER), found.csrf)
    return found


async def sent_outside(request: Request) -> FormData:
    """The form of somebody who is not signed in. Raises ``Refused`` (forbidden) when another site sent it."""
    refuse_foreign(request)
    return await request.form(max_fields=MOST_FIELDS)


Posted: TypeAlias = Annotated[FormData, Depends(posted)]
Guarded: TypeAlias = Annotated[Visit, Depends(guarded)]
SentOutside: TypeAlias = Annotated[FormData, Depends(sent_outside)]
OnSite: TypeAlias = Annotated[Site, Depends(site_of)]


def refuse_foreign(request: Request) -> None:
    """Refuse what the browser says another site sent. Raises ``Refused`` (forbidden)."""
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        foreign = fetched not in {"same-origin", "none"}
    else:
        origin = request.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc not in _own_names(request)
    if foreign:
        raise Refused([problem("web.foreign")], "forbidden")


def text_of(form: FormData, name: str) -> str:
    """The text a form sent under ``name``, stripped; empty when there is none."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def texts_of(form: FormData, name: str) -> tuple[str, ...]:
    """Every text a form sent under ``name``."""
    return tuple(value for value in form.getlist(name) if isinstance(value, str))


def visit_so_far(request: Request) -> Visit | None:
    """The visit of a request that failed later on, for the page that says so."""
    return cast("Visit | None", getattr(request.state, "visit", None))


def _refuse_without_token(given: object, expected: str) -> None:
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refused([problem("web.stale_page")], "forbidden")


def _own_names(request: Request) -> frozenset[str]:
    public = urlsplit(site_of(request).settings.public_url).netloc
    return frozenset(name for name in (request.headers.get("Host", ""), public) if name)
