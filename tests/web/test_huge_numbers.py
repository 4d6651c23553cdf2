"""Numbers no database holds, and numbers Python refuses to read, in every address: no such page, never an accident."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from engine.values import INT64_MAX
from runtime.app import create_app
from runtime.house import House
from runtime.storage.signatures import number_of
from tests.web.conftest import PASSWORD, csrf_of, entrance

OWN = {"workspace": "acme", "app": "tiny", "form": "stock_in", "table": "lines"}
HUGE = {"20 digits": "9" * 20, "5,000 digits": "9" * 5_000}
PART = re.compile(r"\{(\w+)(?::(\w+))?\}")


@dataclass(frozen=True)
class Address:
    """A route: its numbers in the path, those of the query, and those typed as an ``int`` without bounds."""

    path: str
    verbs: frozenset[str]
    numbers: frozenset[str]
    counted: frozenset[str]
    loose: frozenset[str]


def addresses(app: FastAPI) -> list[Address]:
    """Every route of the product."""
    found = []
    for one in iter_route_contexts(app.routes):
        route = one.original_route
        if not isinstance(route, APIRoute):
            continue
        kinds = dict(PART.findall(one.path))
        given = (*route.dependant.path_params, *route.dependant.query_params)
        typed = {each.name: each.field_info for each in given if "int" in str(each.field_info.annotation)}
        found.append(
            Address(
                path=one.path,
                verbs=frozenset(one.methods or ()),
                numbers=frozenset({*typed} & {*kinds} | {name for name, kind in kinds.items() if kind == "int"}),
                counted=frozenset({*typed} - {*kinds}),
                loose=frozenset(
                    name
                    for name, info in typed.items()
                    if kinds.get(name) != "int" and "le=" not in f"{info.metadata} {info.annotation}"
                ),
            )
        )
    return found


@pytest.fixture
def app(house: House) -> FastAPI:
    return create_app(house.settings, house)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    opened = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
    sent = entrance(opened) | {"login": "admin", "password": PASSWORD}
    assert opened.post("/w/acme/login", data=sent).status_code == 303
    return opened


@pytest.mark.parametrize("huge", HUGE.values(), ids=HUGE.keys())
def test_a_huge_number_is_never_an_accident(app: FastAPI, client: TestClient, huge: str) -> None:
    token = {"X-CSRF-Token": csrf_of(client)}
    bodies: tuple[dict[str, Any], ...] = ({"json": {}, "headers": token}, {"data": {"x": "1"}, "headers": token})
    wrong: list[str] = []
    asked = 0
    for one in addresses(app):
        if not one.counted and all(name in OWN for name, _ in PART.findall(one.path)):
            continue
        path = PART.sub(lambda part: OWN.get(part[1], huge), one.path)
        for verb in sorted(one.verbs):
            for body in ({},) if verb in ("GET", "HEAD") else bodies:
                answer = client.request(verb, path, params=dict.fromkeys(one.counted, huge), **body)
                asked += 1
                if answer.status_code >= 500 or (one.numbers and answer.status_code < 400):
                    wrong.append(f"{verb} {one.path}: {answer.status_code}")
                elif one.numbers and verb == "GET" and answer.status_code != 404:
                    wrong.append(f"{verb} {one.path}: {answer.status_code} instead of 404")
    assert wrong == []
    assert asked > 100


def test_every_number_in_an_address_is_one_the_databases_hold(app: FastAPI) -> None:
    """A plain ``int`` would take more; `runtime.web.dependencies.Natural` says what it must not exceed."""
    assert {one.path: set(one.loose) for one in addresses(app) if one.loose} == {}


def test_the_number_of_any_signature_has_an_address(client: TestClient) -> None:
    longest = number_of("f" * 32)
    assert len(str(longest)) == len(str(INT64_MAX)), "more digits than an id in a path may have"
    kept, nowhere = (
        client.get(f"/w/acme/tiny/flows/stock_in/1/{name}/{longest}").text for name in ("signatures", "nowhere")
    )
    assert "没有这张" in kept
    assert "没有这张" not in nowhere
