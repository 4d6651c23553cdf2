"""Pages and parts of pages: the templates and what they are handed.

`render` answers a whole page, or only its content when htmx asks for a part of the page it already shows; `go_to` ends
a form with another page. Values arrive formatted by the facade; templates place them, autoescaped. What templates may
call is listed in `template_environment` and `_words`; nothing of the request is decided here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from engine.fieldtypes.money import currency_sign
from engine.labels import Label
from engine.problems import Problem
from runtime.facade import flow_acts, menu
from runtime.messages.catalogue import Shown, shown
from runtime.web.dependencies import Visit
from runtime.web.look import beside, mark, state_look, type_look
from runtime.web.site import Site, site_of

FOLDER = Path(__file__).parent / "templates"
WHOLE = "base.html"
PART = "part.html"
FLASH_COOKIE = "stockloom_said"
SEEN_AT_ONCE_S = 60
UNKNOWN_ICON = "file-text"


def template_environment() -> Environment:
    """The templates, autoescaped whatever their suffix; an unknown name is an error, never an empty text."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(state_look=state_look, type_look=type_look, mark=mark, beside=beside)
    made.filters["json"] = _json
    return made


def render(
    request: Request,
    visit: Visit,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    part: bool | None = None,
    **context: Any,
) -> HTMLResponse:
    """``template`` for a signed-in person; ``part`` overrides what the request says about wanting only a part."""
    site = site_of(request)
    wants_part = asks_for_part(request) if part is None else part
    language = visit.language
    said = None if wants_part else request.cookies.get(FLASH_COOKIE)
    frame = {} if wants_part else {"groups": menu.menu(visit.door), "hotkeys": menu.hotkeys(visit.door)}
    text = site.templates.get_template(template).render(
        _words(site, language)
        | {
            "layout": PART if wants_part else WHOLE,
            "visit": visit,
            "door": visit.door,
            "person": visit.door.actor,
            "links": visit.links,
            "csrf": visit.csrf,
            "theme": visit.theme,
            "here": request.url.path,
            "administers": partial(flow_acts.administers_any, visit.door),
            "said": _unfold(site, said) if said else [],
        }
        | frame
        | context
    )
    response = HTMLResponse(text, status_code=status, headers=dict(headers or {}))
    if said:
        response.delete_cookie(FLASH_COOKIE)
    return response


def render_outside(
    request: Request, template: str, language: str, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """``template`` for somebody who is not signed in."""
    site = site_of(request)
    given = _words(site, language) | {"theme": "auto"} | context
    return HTMLResponse(site.templates.get_template(template).render(given), status_code=status)


def asks_for_part(request: Request) -> bool:
    """Whether htmx asks for a part of the page it shows, rather than a browser for a page."""
    return (
        request.headers.get("HX-Request") == "true"
        and request.headers.get("HX-Request-Type", "partial") == "partial"
        and "HX-History-Restore-Request" not in request.headers
    )


def from_htmx(request: Request) -> bool:
    """Whether htmx sent the request."""
    return request.headers.get("HX-Request") == "true"


def go_to(request: Request, address: str, said: str = "", tone: str = "success") -> Response:
    """Answer a form with another page; ``said`` is shown there as a toast."""
    if from_htmx(request):
        response = Response(status_code=204, headers={"HX-Redirect": address})
    else:
        response = RedirectResponse(address, status_code=303)
    if said:
        folded = _folder(site_of(request)).dumps([{"text": said[:500], "tone": tone}])
        response.set_cookie(FLASH_COOKIE, str(folded), max_age=SEEN_AT_ONCE_S, httponly=True, samesite="lax")
    return response


def trigger(event: str, detail: Mapping[str, object]) -> str:
    """Value of ``HX-Trigger`` that raises ``event`` in the page."""
    return json.dumps({event: detail})


def say(site: Site, language: str, key: str, **params: Shown) -> str:
    """A text of the interface."""
    return site.catalogue.ui(key, language, **params)


def _words(site: Site, language: str) -> dict[str, Any]:
    """What every template may say and show."""
    catalogue, now = site.catalogue, site.house.now()

    def problem_text(problem: Problem) -> tuple[str, str | None]:
        return catalogue.text(problem, language)

    def word(value: object) -> str:
        return value.text(language) if isinstance(value, Label) else str(value)

    def has(key: str) -> bool:
        return catalogue.has(key)

    return {
        "money": money,
        "moment": lambda at: moment(at, now),
        "t": partial(say, site, language),
        "has": has,
        "word": word,
        "fmt": partial(shown, language=language),
        "problem_text": problem_text,
        "language": language,
        "static": site.static.__getitem__,
        "icon": partial(icon, site),
        "version": site.version,
        "now": now,
    }


def money(value: Decimal | None, currency: str, decimals: int) -> str:
    """``¥1,234.50``, or ``JPY 1,235`` where the currency has no sign of its own; empty for None."""
    if value is None:
        return ""
    return f"{'-' if value < 0 else ''}{currency_sign(currency)}{abs(value):,.{decimals}f}"


def moment(at: datetime, now: datetime) -> str:
    """``09:30`` today, ``01-20 09:30`` this year, ``2025-12-31`` before."""
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"{at:%m-%d %H:%M}" if at.year == now.year else f"{at:%Y-%m-%d}"


def icon(site: Site, name: str, label: str = "") -> Markup:
    """An icon of the sprite. Decoration for a screen reader unless it has a ``label``."""
    known = name if name in site.icons else UNKNOWN_ICON
    sprite = site.static["@tabler/icons/tabler-icons.svg"]
    spoken = Markup(' role="img" aria-label="{}"').format(label) if label else Markup(' aria-hidden="true"')
    return Markup('<svg class="icon" width="20" height="20"{}><use href="{}#{}"></use></svg>').format(
        spoken, sprite, known
    )


def _folder(site: Site) -> URLSafeSerializer:
    return URLSafeSerializer(site.secret, salt="stockloom.said")


def _unfold(site: Site, folded: str) -> list[Mapping[str, str]]:
    try:
        read = _folder(site).loads(folded)
    except BadSignature:
        return []
    return read if isinstance(read, list) else []


def _json(value: object) -> str:
    """JSON for an attribute; the template escapes it."""

    def plain(other: object) -> str:
        if isinstance(other, Label):
            return other.zh
        if isinstance(other, date | datetime):
            return other.isoformat()
        if isinstance(other, Decimal):
            return f"{other:f}"
        raise TypeError(f"{type(other).__name__} has no JSON form")

    return json.dumps(value, ensure_ascii=False, default=plain)
