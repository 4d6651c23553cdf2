"""Once goods have moved the ratios of their units stay, through every door; new units and barcodes are welcome."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from engine.problems import Refused, Severity
from runtime.app import create_app
from runtime.facade import accounts, documents, imports
from runtime.facade.door import Door
from runtime.storage import ledgers
from tests.houses import CATALOG, WORKSPACE, Home, do, furnished, make_home
from tests.imports.sheets import xlsx

HEADS = ("商品编码", "商品名称", "商品分类", "基本单位", "换算单位", "率")
MAPPING = {0: "code", 1: "name", 2: "category", 3: "base_unit", 4: "units.unit", 5: "units.rate"}
NUTS = {"code": "M01", "name": "螺母", "category": "C1", "base_unit": "件"}


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Home:
    return make_home(tmp_path, CATALOG / "general", None if database_url.startswith("sqlite") else database_url)


def nuts(home: Home) -> tuple[Door, int]:
    """Somebody who may do everything, and a product that comes in boxes of twelve; nothing of it has moved."""
    door = furnished(home)
    for name in ("箱", "托"):
        do(door, "unit", "save", {"name": name})
    return door, do(door, "product", "save", {**NUTS, "units": [{"unit": "箱", "rate": 12}]}).document


def moved(door: Door) -> None:
    lines = [{"product": "M01", "unit": "箱", "qty": 1, "cost_price": 1}]
    do(door, "opening_stock", "approve", {"warehouse": "W1", "lines": lines})


def refusals(door: Door, document: int, data: Mapping[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        do(door, "product", "save", data, document=document)
    return [(one.code, one.where) for one in refused.value.problems]


def test_ratios_change_until_the_goods_move(home: Home) -> None:
    door, product = nuts(home)
    do(door, "product", "save", {"units": [{"unit": "箱", "rate": 10}]}, document=product)
    order = {"product": "M01", "unit": "箱", "qty": 1, "price": 1}
    do(door, "purchase_order", "save", {"supplier": "S1", "warehouse": "W1", "lines": [order]})
    do(door, "product", "save", {"units": [{"unit": "箱", "rate": 12}]}, document=product)
    moved(door)
    (line,) = documents.read(door, "product", product).lines["units"]
    grown = [
        {"id": line.id, "barcode": "1690"},
        {"unit": "托", "rate": 144},
        {"unit": "件", "rate": 1, "barcode": "690"},
    ]
    do(door, "product", "save", {"name": "六角螺母", "units": grown}, document=product)
    lines = documents.read(door, "product", product).lines["units"]
    assert [one.cells["rate"].value for one in lines] == ["12", "144", "1"]
    # A unit nobody has used yet is fixed as well: a draft or a price list may have been written in it.
    assert refusals(door, product, {"units": [{"unit": "箱", "rate": 12}, {"unit": "托", "rate": 120}]}) == [
        ("units.ratio_in_use", "units.2.rate")
    ]
    assert refusals(door, product, {"base_unit": "箱", "units": [{"unit": "件", "rate": 1}]}) == [
        ("units.base_in_use", "base_unit")
    ]


def test_goods_taken_back_have_moved_all_the_same(home: Home) -> None:
    door, product = nuts(home)
    lines = [{"product": "M01", "unit": "箱", "qty": 1, "cost_price": 1}]
    opening = do(door, "opening_stock", "approve", {"warehouse": "W1", "lines": lines})
    do(door, "opening_stock", "unapprove", document=opening.document, reason="录错了")
    assert refusals(door, product, {"units": []}) == [("units.ratio_in_use", "units")]


def test_the_api_and_imports_are_told_the_same(home: Home) -> None:
    door, product = nuts(home)
    moved(door)
    headers = {"Authorization": f"Bearer {accounts.create_api_key(door, 'test')}"}
    with TestClient(create_app(home.house.settings, home.house)) as client:
        place = f"/api/v1/{WORKSPACE}/general/product/{product}"
        answer = client.patch(
            place, json={"data": {"units": [{"unit": "箱", "rate": 24}]}, "version": 1}, headers=headers
        )
    assert answer.status_code == 422
    (told,) = answer.json()["problems"]
    assert (told["code"], told["where"]) == ("units.ratio_in_use", "units.1.rate")
    assert "箱" in told["text"]
    rows = [("M01", "螺母", "C1", "件", "箱", "24")]
    number = imports.upload(door, "product", "表.xlsx", [xlsx(*rows, heads=HEADS)])
    imports.configure(door, number, mode="upsert", mapping=MAPPING)
    assert imports.perform(door, number).failed == 1
    assert [one.code for one in imports.row_problems(door, number)] == ["units.ratio_in_use"]
    (line,) = documents.read(door, "product", product).lines["units"]
    assert line.cells["rate"].value == "12"


def test_a_ratio_that_leaves_a_rest_is_asked_about_once(home: Home) -> None:
    door, product = nuts(home)
    thirds = {"units": [{"unit": "箱", "rate": 12}, {"unit": "托", "rate": "0.333333"}]}
    with pytest.raises(Refused) as refused:
        do(door, "product", "save", thirds, document=product)
    (asked,) = refused.value.problems
    assert (asked.code, asked.where, asked.severity) == ("units.uneven", "units.2.rate", Severity.WARNING)
    assert door.house.catalogue.text(asked, "zh") == (
        "3 托 不是整 1 件，一托一托地发会剩下尾差。",
        "换算除不尽时，请以最小的单位为基本单位：1 件 = 3 托。",
    )
    do(door, "product", "save", thirds, document=product, confirmed=True)
    do(door, "product", "save", {"name": "六角螺母", **thirds}, document=product)


def test_units_that_stay_cost_no_question(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    door, product = nuts(home)
    moved(door)
    asked: list[int] = []
    real = ledgers.product_has_entries

    def counted(*given: object) -> bool:
        asked.append(1)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(ledgers, "product_has_entries", counted)
    do(door, "product", "save", {"name": "六角螺母"}, document=product)
    do(
        door,
        "product",
        "save",
        {"units": [{"unit": "箱", "rate": "12.000"}, {"unit": "托", "rate": 144}]},
        document=product,
    )
    assert asked == []
    refusals(door, product, {"units": []})
    assert asked == [1]
