"""Routes by verb, first part and length of their address, so that a request looks at a handful of them, not at all.

What the index does not find word for word it leaves to the routes behind it, which also know what to say of another
verb or of no such page. This module decides nothing about a request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from types import MappingProxyType

from fastapi.routing import APIRoute
from starlette.convertors import PathConvertor
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


class RouteIndex(BaseRoute):
    """The first route of all, made over those behind it; among those of one kind the earlier wins as it does there."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        """Raises ``ValueError`` for a part that may hold slashes: the length of its address is not known."""
        found: dict[tuple[str, str, int], list[APIRoute]] = defaultdict(list)
        for route in routes:
            if not isinstance(route, APIRoute):
                raise ValueError(f"no route of an endpoint: {route}")
            if any(isinstance(each, PathConvertor) for each in route.param_convertors.values()):
                raise ValueError(f"{route.path} has no fixed length")
            for verb in route.methods or ():
                found[verb, *_shape(route.path)].append(route)
        self._found = MappingProxyType({key: tuple(routes) for key, routes in found.items()})

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The route the request means, which FastAPI notes as ``route`` of the scope, or none."""
        if scope["type"] == "http":
            for route in self._found.get((scope["method"], *_shape(scope["path"])), ()):
                match, child = route.matches(scope)
                if match is Match.FULL:
                    return match, child
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route found answer."""
        await scope["route"].handle(scope, receive, send)


def _shape(path: str) -> tuple[str, int]:
    parts = path.split("/")
    return parts[1] if len(parts) > 1 else "", len(parts)
