"""Who calls: an API key in ``Authorization: Bearer``, or the session of a browser with its CSRF token.

A key is its own proof; a session counts only when an unsafe request also carries the token, because a browser sends
its cookie along with everybody's requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Request, Response
from starlette.responses import JSONResponse

from engine.problems import Refused, problem
from runtime.facade import accounts
from runtime.facade.door import Door
from runtime.strict_json import deeper_than, read_json
from runtime.web.dependencies import guarded, visit
from runtime.web.site import site_of

PREFIX = "/api/v1/{workspace}/{app}"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_BYTES = 4 * 1024 * 1024
DEEPEST = 12


def caller(request: Request, workspace: str, app: str) -> Door:
    """The door of whoever calls.

    Raises:
        Refused: ``unauthenticated`` without a valid key or session, ``missing`` for another app's name.
    """
    word, _, key = request.headers.get("Authorization", "").partition(" ")
    if word.lower() == "bearer" and key:
        door = accounts.key_door(site_of(request).house, workspace, key.strip())
        if door is None:
            raise Refused([problem("api.bad_key")], "unauthenticated")
        if door.bundle.app.app != app:
            raise Refused([problem("api.no_app", name=app)], "missing")
        return door
    found = visit(request)
    if request.method not in SAFE:
        guarded(request, found)
    return found.door


Calling: TypeAlias = Annotated[Door, Depends(caller)]


def answered(endpoint: Callable[..., Mapping[str, Any] | Response], status: int = 200) -> Callable[..., Response]:
    """``endpoint`` with everything a call needs done in one thread: open its ``door``, do the work, write the JSON.

    Handing over from thread to thread costs more than looking up a key, so it happens once per call; and what FastAPI
    is not told of, it neither looks for nor checks: workspace and app are read from the path.
    """

    @wraps(endpoint)
    def run(*, request: Request, **given: Any) -> Response:
        path = request.path_params
        answer = endpoint(door=caller(request, path["workspace"], path["app"]), **given)
        return answer if isinstance(answer, Response) else JSONResponse(answer, status)

    asked = signature(endpoint)
    names = [
        Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request),
        *(one.replace(kind=Parameter.KEYWORD_ONLY) for name, one in asked.parameters.items() if name != "door"),
    ]
    run.__signature__ = asked.replace(parameters=names)  # type: ignore[attr-defined]
    return run


async def body(request: Request) -> Mapping[str, Any]:
    """The JSON object sent, numbers exact.

    Raises:
        Refused: not JSON, not an object, too large, too deep, or a number that is none (``NaN``).
    """
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise Refused([problem("api.too_large", limit=MOST_BYTES // 1024 // 1024)], "too_large")
    if not raw:
        return {}
    try:
        data = read_json(raw)
    except ValueError as error:
        raise Refused([problem("api.not_json")]) from error
    if not isinstance(data, dict):
        raise Refused([problem("api.not_an_object")])
    if deeper_than(data, DEEPEST):
        raise Refused([problem("api.too_deep", limit=DEEPEST)])
    return data


Body: TypeAlias = Annotated[Mapping[str, Any], Depends(body)]
