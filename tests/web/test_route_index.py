"""The index finds what a look at all routes one by one would find, in every address of the product."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute, Match

from runtime.api.routes import api_routes
from runtime.app import create_app
from runtime.house import House
from runtime.web.route_index import RouteIndex
from runtime.web.routes import all_routes

PART, NUMBER = re.compile(r"\{\w+\}"), re.compile(r"\{\w+:int\}")
VERBS = ("GET", "POST", "PATCH", "DELETE", "HEAD")
INT = "12"
STRANGE = ("/", "", "//", "/w", "/w/", "/w//", "/W/acme/login", "/api/v1", "/nowhere", "/static/app.css", "/healthz")


def found_by(routes: Iterable[BaseRoute], verb: str, path: str) -> tuple[object, object]:
    """Endpoint and path parameters of the first route that matches in full."""
    scope = {"type": "http", "method": verb, "path": path, "root_path": "", "headers": []}
    for route in routes:
        match, child = route.matches(scope)
        if match is Match.FULL:
            return child["endpoint"], child["path_params"]
    return None, None


def addresses(route: APIRoute) -> set[str]:
    """Addresses the route may mean, and some beside them."""
    whole = {PART.sub(text, NUMBER.sub(INT, route.path)) for text in ("stock", "-", INT)}
    return whole | {f"{path}/" for path in whole} | {path.replace("/w/", "/v/") for path in whole}


def test_the_index_finds_what_the_row_of_routes_finds() -> None:
    routes = [route for router in (api_routes(), *all_routes()) for route in router.routes]
    index = RouteIndex(routes)
    paths = {path for route in routes if isinstance(route, APIRoute) for path in addresses(route)} | {*STRANGE}
    found = {(verb, path): found_by([index], verb, path) for verb in VERBS for path in paths}
    assert found == {(verb, path): found_by(routes, verb, path) for verb, path in found}
    assert sum(endpoint is not None for endpoint, _ in found.values()) > 300


def test_what_the_index_does_not_find_is_answered_by_the_routes_behind_it(house: House) -> None:
    app = create_app(house.settings, house)
    assert sum(isinstance(route, RouteIndex) for route in app.routes) == 1
    client = TestClient(app, follow_redirects=False)
    assert client.get("/healthz").text == "ok"
    assert client.get("/w/acme/login").status_code == 200
    assert client.delete("/w/acme/login").status_code == 405
    assert client.get("/nowhere").status_code == 404


def test_an_address_of_any_length_cannot_be_indexed() -> None:
    router = APIRouter()
    router.get("/w/{rest:path}")(lambda: "")
    with pytest.raises(ValueError, match="no fixed length"):
        RouteIndex(router.routes)
