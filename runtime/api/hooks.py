"""``POST /hooks/{workspace}/{name}``: where others send webhooks to. The signature is the only proof asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

from engine.problems import Problem, Refused, problem
from runtime.facade import receiving
from runtime.facade.receiving import MOST_BYTES, Buckets
from runtime.web.responses import RETRY_AFTER_S, STATUS, problems_json
from runtime.web.site import site_of

ACCEPTED = 202


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it came; one that is too large was read no further."""

    raw: bytes


async def sent(request: Request) -> Sent:
    """The bytes of the request, up to the limit and one chunk more."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BYTES:
            break
    return Sent(bytes(raw))


Message: TypeAlias = Annotated[Sent, Depends(sent)]


def hook_routes() -> APIRouter:
    """The route of inbound webhooks."""
    router = APIRouter(prefix="/hooks")
    router.post("/{workspace}/{name}", response_model=None)(_receiver(Buckets()))
    return router


def _receiver(buckets: Buckets) -> Callable[..., Response]:
    def receive(request: Request, workspace: str, name: str, message: Message) -> Response:
        """Take a message: 202 when it arrived, whether for the first time or again."""
        headers = {key.lower(): value for key, value in request.headers.items()}
        try:
            receipt = receiving.receive(site_of(request).house, buckets, workspace, name, headers, message.raw)
        except Refused as refused:
            return _refusal(request, _told(refused), refused.kind)
        return JSONResponse({"id": receipt.message_id, "repeated": receipt.repeated}, ACCEPTED)

    return receive


def _told(refused: Refused) -> tuple[Problem, ...]:
    """An unknown workspace is told like an unknown name: nobody learns which workspaces there are."""
    return (problem("hook.unknown"),) if refused.kind == "missing" else refused.problems


def _refusal(request: Request, problems: tuple[Problem, ...], kind: str) -> Response:
    headers = {"Retry-After": RETRY_AFTER_S[kind]} if kind in RETRY_AFTER_S else {}
    return JSONResponse(problems_json(request, problems, kind), STATUS.get(kind, 422), headers)
