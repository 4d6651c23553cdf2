"""Refusals as answers: the status of each kind, and sentences with hints as a page, a part of a page, or JSON.

A refusal never loses what was typed: htmx shows it in the page's notice area and leaves the rest alone. What nobody
foresaw is logged with a reference the person can name, and shows neither path nor code.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from traceback import format_exception
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from engine.problems import Problem, Refused, problem
from runtime.web.cookies import drop_session, language_before_sign_in
from runtime.web.dependencies import visit_so_far
from runtime.web.links import LOGIN
from runtime.web.pages import asks_for_part, from_htmx, render, render_outside
from runtime.web.security import HEADERS, NOT_KEPT
from runtime.web.site import site_of

STATUS: Mapping[str, int] = MappingProxyType(
    {
        "invalid": 422,
        "unauthenticated": 401,
        "forbidden": 403,
        "missing": 404,
        "conflict": 409,
        "too_large": 413,
        "too_many": 429,
        "busy": 503,
        "unforeseen": 500,
    }
)
RETRY_AFTER_S = MappingProxyType({"busy": "2", "too_many": "60"})
REFERENCE_BYTES = 4
NOTICE = "#notice"

_log = structlog.get_logger("stockloom.web")


def install(app: FastAPI) -> None:
    """Answer refusals and accidents of every route in words."""
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(RequestValidationError, _on_unreadable)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_accident)


def refusal(request: Request, problems: Iterable[Problem], kind: str) -> Response:
    """The answer to a refused request, in the form the asker understands."""
    found = tuple(problems)
    status = STATUS.get(kind, 422)
    headers = {"Retry-After": RETRY_AFTER_S[kind]} if kind in RETRY_AFTER_S else {}
    if wants_json(request):
        return JSONResponse(problems_json(request, found, kind), status_code=status, headers=headers)
    if kind == "unauthenticated":
        return _to_sign_in(request)
    context: dict[str, Any] = {"problems": found, "kind": kind}
    visit = visit_so_far(request)
    if from_htmx(request) and visit is not None:
        headers |= {"HX-Retarget": NOTICE, "HX-Reswap": "innerHTML", "HX-Push-Url": "false"}
        return render(request, visit, "parts/notice.html", status=status, headers=headers, part=True, **context)
    if visit is not None:
        response: Response = render(request, visit, "problem.html", status=status, part=False, **context)
    else:
        response = render_outside(request, "problem_outside.html", _language(request), status=status, **context)
    response.headers.update(headers)
    return response


def problems_json(request: Request, problems: Iterable[Problem], kind: str) -> dict[str, Any]:
    """Problems with their addresses and sentences, for scripts."""
    catalogue = site_of(request).catalogue
    language = _language(request)

    def one(each: Problem) -> dict[str, Any]:
        sentence, hint = catalogue.text(each, language)
        return {
            "code": each.code,
            "where": each.where,
            "severity": str(each.severity),
            "text": sentence,
            "hint": hint,
        }

    return {"kind": kind, "problems": [one(each) for each in problems]}


def wants_json(request: Request) -> bool:
    """Whether the asker is a script."""
    accepts = request.headers.get("Accept", "")
    return request.url.path.startswith("/api/") or ("application/json" in accepts and "text/html" not in accepts)


def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(request, error.problems, error.kind)


def _on_unreadable(request: Request, error: Exception) -> Response:
    """A path that names no record, or a query that cannot be read: there is no such page."""
    assert isinstance(error, RequestValidationError)
    from_path = any(str(each["loc"][0]) == "path" for each in error.errors())
    if from_path or request.method == "GET":
        return refusal(request, [problem("web.no_page")], "missing")
    return refusal(request, [problem("web.unreadable")], "invalid")


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        response = refusal(request, [problem("web.no_page")], "missing")
        response.status_code = 405
        return response
    if error.status_code == 413:
        limit = site_of(request).settings.upload_limit_mb
        return refusal(request, [problem("web.too_large", limit=limit)], "too_large")
    if error.status_code in {400, 422}:
        return refusal(request, [problem("web.unreadable")], "invalid")
    return refusal(request, [problem("web.no_page")], "missing")


def _on_accident(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(REFERENCE_BYTES).upper()
    # As text: a formatted traceback with the values of variables would put what people typed into the log.
    told = "".join(format_exception(error))
    _log.error("accident", reference=reference, method=request.method, path=request.url.path, trace=told)
    found = [problem("web.accident", reference=reference)]
    try:
        response = refusal(request, found, "unforeseen")
    except Exception:  # the page that says so may meet the same accident; then the plain one does
        _log.error("accident while answering", reference=reference)
        response = render_outside(
            request, "problem_outside.html", _language(request), status=500, problems=found, kind="unforeseen"
        )
    # This answer is made outside the middleware that sets them.
    response.headers.update({**HEADERS, "Cache-Control": NOT_KEPT})
    return response


def _to_sign_in(request: Request) -> Response:
    workspace = str(request.path_params.get("workspace", ""))
    if not workspace:
        return RedirectResponse("/", status_code=303)
    shown = str(request.url) if request.method == "GET" and not asks_for_part(request) else _page_of(request)
    at = urlsplit(shown)
    back = at.path + (f"?{at.query}" if at.query else "")
    address = f"/w/{workspace}/{LOGIN}" + (f"?{urlencode({'back': back})}" if back else "")
    if from_htmx(request):
        response = Response(status_code=401, headers={"HX-Redirect": address})
    else:
        response = RedirectResponse(address, status_code=303)
    drop_session(response, workspace)
    return response


def _page_of(request: Request) -> str:
    """The page a part was asked for, or a form was sent from."""
    return request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")


def _language(request: Request) -> str:
    visit = visit_so_far(request)
    return visit.language if visit is not None else language_before_sign_in(request, site_of(request))
