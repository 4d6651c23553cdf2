"""What a role may not see it cannot reach through any word of an address either."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from runtime.house import House
from tests.web.conftest import ROOT, SignIn, csrf_of, receive


@pytest.fixture
def clerk(sign_in: SignIn, house: House) -> TestClient:
    receive(house, "A001", "5")
    return sign_in("clerk")


@pytest.mark.parametrize(
    "asked",
    [
        "product?cols=code,cost",
        "product?sort=cost",
        "product?sort=-cost",
        "product?f=cost:gt:1",
        "product?fp=cost&fo=gt&fv=1",
        "stock_in?f=lines.price:gt:1",
        "stock_in?f=total:ge:0",
        "stock_in?sort=total",
        "product/columns?cols=cost",
        "product/export?cols=cost",
        "stock_in/export?sort=total",
    ],
)
def test_a_hidden_field_cannot_be_asked_for(clerk: TestClient, asked: str) -> None:
    answer = clerk.get(f"{ROOT}/{asked}")
    assert answer.status_code == 403
    assert "¥10" not in answer.text


def test_a_hidden_field_is_nowhere_on_the_pages(clerk: TestClient) -> None:
    for page in ("product", "stock_in", "stock_in/columns", "stock_in/filter", "product/filter", "stock", "entries"):
        text = clerk.get(f"{ROOT}/{page}").text
        assert "成本" not in text and "金额" not in text and "单价" not in text, page
    assert clerk.get(f"{ROOT}/product/filter?path=cost").status_code == 422


def test_an_export_leaves_it_out(clerk: TestClient, tmp_path: Path) -> None:
    kept = tmp_path / "list.xlsx"
    kept.write_bytes(clerk.get(f"{ROOT}/stock_in/export").content)
    heads = next(load_workbook(kept).active.iter_rows(values_only=True))
    assert "单据编号" in heads and "合计金额" not in heads


def test_actions_that_are_not_granted_are_not_offered(clerk: TestClient) -> None:
    text = clerk.get(f"{ROOT}/stock_in").text
    assert "/stock_in/new" not in text and "bulk-bar" not in text and "/import" not in text
    form = {"csrf": csrf_of(clerk), "action": "delete", "id": ["1"]}
    answer = clerk.post(f"{ROOT}/stock_in/bulk", data=form)
    assert "没有" in answer.text and "1 条已删除" not in answer.text
