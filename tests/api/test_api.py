"""The REST API over the general template: keys, exact numbers, addresses of problems, idempotency, OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from runtime.api.routes import api_routes
from runtime.app import create_app
from runtime.facade import accounts
from tests.houses import CATALOG, WORKSPACE, Home, do, furnished, make_home

BASE = f"/api/v1/{WORKSPACE}/general"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path, CATALOG / "general")


@pytest.fixture
def client(home: Home) -> Iterator[TestClient]:
    furnished(home)
    with TestClient(create_app(home.house.settings, home.house)) as client:
        yield client


def key(home: Home, *roles: str) -> dict[str, str]:
    door = home.door(*roles) if roles else home.everybody()
    return {"Authorization": f"Bearer {accounts.create_api_key(door, 'test')}"}


ORDER = {
    "supplier": "S1",
    "warehouse": "W1",
    "arrive_date": "2026-01-20",
    "lines": [{"product": "A032", "qty": 100, "price": "10.00", "tax_rate": 13}],
}


def test_a_document_is_created_approved_read_and_listed(client: TestClient, home: Home) -> None:
    headers = key(home)
    made = client.post(f"{BASE}/purchase_order", json={"data": ORDER, "action": "approve"}, headers=headers)
    assert made.status_code == 201, made.json()
    assert made.json()["doc_status"] == "approved"
    assert made.json()["did"] == ["在途 100"]
    one = client.get(f"{BASE}/purchase_order/{made.json()['id']}", headers=headers).json()
    assert one["data"]["doc_total"] == "1130"
    assert one["text"]["doc_total"] == "¥1,130.00"
    assert one["data"]["lines"][0]["amount"] == "1000"
    wanted = {"filter": ["doc_total:ge:1130", f"supplier:eq:{one['data']['supplier']}"]}
    page = client.get(f"{BASE}/purchase_order", params=wanted, headers=headers).json()
    assert [row["id"] for row in page["rows"]] == [one["id"]]
    received = client.post(
        f"{BASE}/purchase_order/{one['id']}/push/purchase_receipt",
        json={"data": {"lines": [{"qty": 60}]}, "action": "approve"},
        headers=headers,
    )
    assert received.status_code == 201, received.json()
    levels = client.get(f"{BASE}/-/stock", headers=headers).json()["rows"]
    assert [(row["on_hand"], row["in_transit"], row["value"]) for row in levels] == [("60", "40", "600")]


def test_every_problem_comes_with_its_address(client: TestClient, home: Home) -> None:
    data = {
        "supplier": "nobody",
        "warehouse": "W1",
        "arrive_date": "2026-02-30",
        "suplier": 1,
        "lines": [{"product": "A032", "qty": "lots"}, {"product": "A032", "qty": 1e30}, 7],
    }
    answer = client.post(f"{BASE}/purchase_order", json={"data": data, "action": "submit"}, headers=key(home))
    assert answer.status_code == 422
    assert [one["where"] for one in answer.json()["problems"]] == ["lines.3"]
    data["lines"] = data["lines"][:2]
    answer = client.post(f"{BASE}/purchase_order", json={"data": data, "action": "submit"}, headers=key(home))
    found = {(one["where"], one["code"]) for one in answer.json()["problems"]}
    assert {
        ("supplier", "link.not_found"),
        ("arrive_date", "field.no_such_date"),
        ("suplier", "field.unknown"),
        ("lines.1.qty", "field.not_a_number"),
        ("lines.2.qty", "field.out_of_range"),
    } <= found
    assert client.get(f"{BASE}/purchase_order", headers=key(home)).json()["rows"] == []


def test_a_repeated_key_returns_the_first_answer_and_refuses_another_body(client: TestClient, home: Home) -> None:
    headers = {**key(home), "Idempotency-Key": "order-1"}
    first = client.post(f"{BASE}/purchase_order", json={"data": ORDER}, headers=headers)
    again = client.post(f"{BASE}/purchase_order", json={"data": ORDER}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"] and again.json()["repeated"]
    other = client.post(f"{BASE}/purchase_order", json={"data": {**ORDER, "lines": []}}, headers=headers)
    assert other.status_code == 422
    assert other.json()["problems"][0]["code"] == "document.key_reused"


def test_a_stale_version_is_refused(client: TestClient, home: Home) -> None:
    headers = key(home)
    made = client.post(f"{BASE}/purchase_order", json={"data": ORDER}, headers=headers).json()
    place = f"{BASE}/purchase_order/{made['id']}"
    assert client.patch(place, json={"data": {"warehouse": "W2"}, "version": 1}, headers=headers).status_code == 200
    late = client.patch(place, json={"data": {"warehouse": "W1"}, "version": 1}, headers=headers)
    assert late.status_code == 409
    assert late.json()["problems"][0]["code"] == "document.stale"


def test_hidden_fields_do_not_leave_by_any_door(client: TestClient, home: Home) -> None:
    furnisher = home.everybody()
    do(
        furnisher,
        "other_receipt",
        "approve",
        {"warehouse": "W1", "lines": [{"product": "A032", "qty": 5, "cost_price": "7313.377"}]},
    )
    headers = key(home, "sales")
    product = client.get(f"{BASE}/product", headers=headers)
    assert product.status_code == 200
    assert client.get(f"{BASE}/product", params={"columns": "purchase_price"}, headers=headers).status_code == 403
    assert client.get(f"{BASE}/product", params={"sort": "purchase_price"}, headers=headers).status_code == 403
    refused = client.get(f"{BASE}/product", params={"filter": "purchase_price:gt:0"}, headers=headers)
    assert refused.status_code == 403
    assert "purchase_price" not in client.get(f"{BASE}/-/openapi.json", headers=headers).text
    stock = client.get(f"{BASE}/-/stock", headers=headers)
    assert "7313" not in stock.text and "value" not in stock.json()["measures"]
    entries = client.get(f"{BASE}/-/entries", headers=headers)
    assert "7313" not in entries.text


def test_the_openapi_document_describes_each_readable_form(client: TestClient, home: Home) -> None:
    described = client.get(f"{BASE}/-/openapi.json", headers=key(home)).json()
    assert f"{BASE}/purchase_order/{{document}}/do/approve" in described["paths"]
    order = described["components"]["schemas"]["purchase_order_input"]
    assert order["properties"]["lines"]["items"]["additionalProperties"] is False
    assert "amount" not in order["properties"]["lines"]["items"]["properties"]
    assert set(order["required"]) >= {"supplier"}


def test_the_openapi_document_describes_every_route_that_is_no_form(client: TestClient, home: Home) -> None:
    described = client.get(f"{BASE}/-/openapi.json", headers=key(home)).json()["paths"]
    told = {(verb, path) for path, verbs in described.items() for verb in verbs if verb != "parameters"}
    made = {
        (verb.lower(), route.path.replace("{workspace}/{app}", f"{WORKSPACE}/general"))
        for route in iter_route_contexts(api_routes().routes)
        for verb in route.methods or ()
    }
    desk = f"{BASE}/-/"
    assert {one for one in made if one[1].startswith(desk)} - {("get", f"{BASE}/-/openapi.json")} == {
        one for one in told if one[1].startswith(desk)
    }
    run = described[f"{BASE}/-/rule-runs/{{run}}"]["get"]["parameters"]
    assert run == [{"name": "run", "in": "path", "required": True, "schema": {"type": "integer"}}]


def test_what_only_administrators_may_is_described_to_them_only(client: TestClient, home: Home) -> None:
    described = client.get(f"{BASE}/-/openapi.json", headers=key(home, "buyer")).json()["paths"]
    kinds = {path.removeprefix(f"{BASE}/-/").split("/")[0] for path in described if path.startswith(f"{BASE}/-/")}
    assert "imports" in kinds and not kinds & {"rules", "rule-runs", "dead-ends", "try", "replay"}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("nothing", b"{}", 404, "form.unknown"),
        ("purchase_order", b"{", 422, "api.not_json"),
        ("purchase_order", b"[]", 422, "api.not_an_object"),
        ("purchase_order", b'{"data": NaN}', 422, "api.not_json"),
        ("purchase_order", b'{"data": {"remark": 1e99999999999999999999}}', 422, "api.not_json"),
        ("purchase_order", b'{"data": {"remark": ' + b"1" * 41 + b"}}", 422, "api.not_json"),
        ("purchase_order", b'{"dat": {}}', 422, "api.unknown_key"),
        ("purchase_order", b'{"data": {}, "action": "close"}', 422, "api.bad_action"),
        ("purchase_order", b'{"data": {"lines": {}}}', 422, "lines.not_a_list"),
        ("purchase_order", b'{"data": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}", 422, "api.too_deep"),
    ],
)
def test_bad_requests_get_a_sentence(
    client: TestClient, home: Home, path: str, body: bytes, status: int, code: str
) -> None:
    answer = client.post(f"{BASE}/{path}", content=body, headers=key(home))
    assert answer.status_code == status, answer.text
    assert answer.json()["problems"][0]["code"] == code


def test_nobody_gets_in_without_a_key(client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        answer = client.get(f"{BASE}/purchase_order", headers=headers)
        assert answer.status_code == 401, answer.text


def test_lots_their_trace_and_an_entry_explained(client: TestClient, home: Home) -> None:
    headers = key(home)
    door = home.everybody()
    kept = {"code": "M1", "name": "奶油", "category": "C1", "base_unit": "件", "lot_managed": "是", "shelf_life": 30}
    product = do(door, "product", "save", kept).document
    line = {"product": "M1", "qty": "12.5", "lot_no": "L1", "mfg_date": "2026-01-01", "cost_price": "2"}
    do(door, "other_receipt", "approve", {"warehouse": "W1", "lines": [line]})
    (row,) = client.get(f"{BASE}/-/lots", params={"lot": "l1"}, headers=headers).json()["rows"]
    assert (row["lot"], row["quantity"], row["expires"], row["freshness"]) == ("L1", "12.5", "2026-01-31", "fresh")
    trace = client.get(f"{BASE}/-/trace", params={"product": product, "lot": "L1"}, headers=headers).json()
    assert (trace["start"]["came"], trace["start"]["on_hand"], trace["closes"]) == ("12.5", "12.5", True)
    entry = client.get(f"{BASE}/-/entries", headers=headers).json()["rows"][0]["id"]
    told = client.get(f"{BASE}/-/entries/{entry}", headers=headers).json()
    assert (told["basis"], told["value"], told["unit_cost"], told["lot"]) == ("given", "25", "2", "L1")
    unknown = client.get(f"{BASE}/-/trace", params={"product": product, "lot": "L2"}, headers=headers)
    assert unknown.status_code == 404


def test_goods_in_stock_are_brought_into_a_draft(client: TestClient, home: Home) -> None:
    headers, door = key(home), home.everybody()
    lines = [{"product": code, "unit": "件", "qty": 4, "cost_price": 2} for code in ("A033", "A032")]
    do(door, "opening_stock", "approve", {"warehouse": "W1", "lines": lines})
    plan = do(door, "stocktake_plan", "save", {"warehouse": "W1", "type": "full"}).document
    path = f"{BASE}/stocktake_plan/{plan}/fetch/in_stock"
    sent, once = {"data": {"remark": "年中"}, "version": 1}, headers | {"Idempotency-Key": "k"}
    done = client.post(path, json=sent, headers=once)
    assert (done.status_code, done.json()["did"], done.json()["version"]) == (200, ["带出 2 种商品"], 2)
    one = client.get(f"{BASE}/stocktake_plan/{plan}", headers=headers).json()
    assert [row["product"] for row in one["text"]["lines"]] == ["A032 螺丝", "A033 螺栓"]
    assert one["data"]["remark"] == "年中"
    again = client.post(path, json=sent, headers=once)
    assert again.json()["repeated"] is True
    nothing = client.post(path, json={}, headers=headers)
    assert (nothing.status_code, nothing.json()["problems"][0]["code"]) == (409, "document.nothing_to_fetch")
    unknown = client.post(f"{BASE}/stocktake_plan/{plan}/fetch/in_stok", json={}, headers=headers)
    assert (unknown.status_code, unknown.json()["problems"][0]["code"]) == (404, "document.no_fetch")
    described = client.get(f"{BASE}/-/openapi.json", headers=headers).json()["paths"]
    assert f"{BASE}/stocktake_plan/{{document}}/fetch/in_stock" in described
    theirs = client.get(f"{BASE}/-/openapi.json", headers=key(home, "finance")).json()["paths"]
    assert not [path for path in theirs if "/fetch/" in path]
