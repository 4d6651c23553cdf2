"""Generated lists: state in the address, filters, sort, paging, columns, several records at once, export."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from starlette.datastructures import QueryParams

from engine.problems import Refused
from runtime.facade import accounts, lists
from runtime.house import House
from runtime.web.links import Links
from runtime.web.list_state import ListState, state_of
from tests.web.conftest import ROOT, csrf_of, receive, submit

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


def first_cells(page: str) -> list[str]:
    return re.findall(r'class="row-link" href="[^"]*">([^<]*)<', page)


def test_state_and_address_are_the_same_thing() -> None:
    text = "view=drafts&q=水&sort=-biz_date&cols=number,total&f=warehouse:eq:1&f=total:ge:5:5&after=abc"
    state = state_of(QueryParams(text))
    assert state.filters == (("warehouse", "eq", "1"), ("total", "ge", "5:5"))
    address = state.address(Links("acme", "tiny"), "stock_in")
    assert state_of(QueryParams(address.partition("?")[2])) == state
    assert state.changed(search="").after == ""


@pytest.mark.parametrize(
    ("typed", "filters"),
    [
        ("fp=biz_date&fo=between&fv=2026-01-01&fv2=2026-01-31",
         (("biz_date", "ge", "2026-01-01"), ("biz_date", "le", "2026-01-31"))),
        ("fp=biz_date&fo=between&fv=&fv2=2026-01-31", (("biz_date", "le", "2026-01-31"),)),
        ("fp=doc_status&fo=in&fv=draft&fv=approved", (("doc_status", "in", "draft,approved"),)),
        ("fp=note&fo=empty&fv=x", (("note", "empty", ""),)),
        ("fp=note&fo=contains&fv=+", ()),
        ("fp=note&fo=contains&fv=a&f=note:contains:a", (("note", "contains", "a"),)),
    ],
)  # fmt: skip
def test_a_typed_filter_joins_the_others(typed: str, filters: tuple[tuple[str, str, str], ...]) -> None:
    assert state_of(QueryParams(typed)).filters == filters


@pytest.mark.parametrize("bad", ["f=", "f=note", "f=:eq:1", "f=note:"])
def test_a_filter_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(Refused):
        state_of(QueryParams(bad))


def test_sorting_turns_around() -> None:
    assert ListState().sorted_by("code", "code").sort == "-code"
    assert ListState().sorted_by("code", "-code").sort == "code"
    assert ListState().sorted_by("code", "name").sort == "code"


def test_a_list_sorts_searches_and_filters(keeper: TestClient) -> None:
    assert first_cells(keeper.get(f"{ROOT}/product").text) == ["A001", "A002"]
    assert first_cells(keeper.get(f"{ROOT}/product?sort=-code").text) == ["A002", "A001"]
    assert first_cells(keeper.get(f"{ROOT}/product?q=cjs").text) == ["A001"]  # 纯净水 by its initials
    assert first_cells(keeper.get(f"{ROOT}/product?f=safety_stock:ge:50").text) == ["A001"]
    nothing = keeper.get(f"{ROOT}/product?f=name:contains:zzz").text
    assert first_cells(nothing) == [] and "没有符合条件的记录" in nothing


def test_htmx_gets_the_list_alone_and_the_clean_address(keeper: TestClient) -> None:
    answer = keeper.get(f"{ROOT}/product?fp=name&fo=contains&fv=水", headers=PART)
    assert "<html" not in answer.text and 'id="list"' in answer.text
    assert answer.headers["HX-Push-Url"] == f"{ROOT}/product?f=name%3Acontains%3A%E6%B0%B4"
    assert "包含" in answer.text


def test_paging_goes_on_and_back(keeper: TestClient, house: House) -> None:
    for number in range(60):
        submit(house, "product", {"code": f"B{number:03}", "name": f"b{number}"})
    page = keeper.get(f"{ROOT}/product").text
    assert len(first_cells(page)) == 50
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following is not None
    second = keeper.get(following[1].replace("&amp;", "&")).text
    assert first_cells(second)[-1] == "B059" and len(first_cells(second)) == 12
    previous = re.search(r'rel="prev" href="([^"]+)"', second)
    assert previous is not None
    assert first_cells(keeper.get(previous[1].replace("&amp;", "&")).text) == first_cells(page)


def test_views_and_states_have_their_words(keeper: TestClient, house: House) -> None:
    receive(house, "A001", "5", action="save")
    receive(house, "A001", "7")
    drafts = keeper.get(f"{ROOT}/stock_in?view=drafts").text
    assert len(first_cells(drafts)) == 1 and "chip-draft" in drafts and "chip-approved" not in drafts
    assert "chip-approved" in keeper.get(f"{ROOT}/stock_in").text
    assert keeper.get(f"{ROOT}/stock_in?view=nothing").status_code == 422
    card = re.search(r'href="([^"]*view=card[^"]*)"', keeper.get(f"{ROOT}/home").text)
    assert card is not None
    assert len(first_cells(keeper.get(card[1]).text)) == 1


def test_columns_are_chosen_ordered_and_remembered(keeper: TestClient) -> None:
    chooser = keeper.get(f"{ROOT}/product/columns?q=a").text
    assert chooser.index('value="code"') < chooser.index('value="name"')
    form = {"csrf": csrf_of(keeper), "column": ["name", "code"], "state": "q=a"}
    answer = keeper.post(f"{ROOT}/product/columns", data=form)
    assert answer.headers["location"] == f"{ROOT}/product?q=a&cols=name%2Ccode"
    heads = re.findall(r"<th class[^>]*><a[^>]*>([^<]+)<", keeper.get(f"{ROOT}/product").text)
    assert heads == ["商品名称", "商品编码"]
    assert keeper.post(f"{ROOT}/product/columns", data={"csrf": form["csrf"]}).status_code == 422
    keeper.post(f"{ROOT}/product/columns", data={"csrf": form["csrf"], "reset": "1"})
    assert "商品编码" in keeper.get(f"{ROOT}/product").text


@pytest.mark.parametrize(
    ("form", "path", "mark"),
    [
        ("stock_in", "warehouse", "/look-up/warehouse"),
        ("stock_in", "biz_date", 'type="date"'),
        ("stock_in", "doc_status", 'value="approved"'),
        ("stock_in", "lines.product", "/look-up/product"),
        ("stock_in", "total", 'value="between"'),
        ("product", "name", 'value="contains"'),
        ("warehouse", "keeper", "/look-up/member"),
        ("stock_out", "reason", 'value="loss"'),
    ],
)
def test_every_kind_of_field_has_its_filter(keeper: TestClient, form: str, path: str, mark: str) -> None:
    answer = keeper.get(f"{ROOT}/{form}/filter?path={path}")
    assert answer.status_code == 200
    assert mark in answer.text


def test_a_line_filter_finds_its_document(keeper: TestClient, house: House) -> None:
    receive(house, "A001", "5")
    receive(house, "A002", "5")
    product = lists.look_up(accounts.user_door(house, "acme", "keeper"), "product", "A001")[0].id
    assert len(first_cells(keeper.get(f"{ROOT}/stock_in?f=lines.product:eq:{product}").text)) == 1


def test_several_records_at_once_say_what_was_done_and_what_not(keeper: TestClient, house: House) -> None:
    draft, approved = receive(house, "A001", "5", action="save"), receive(house, "A001", "5")
    form = {"csrf": csrf_of(keeper), "action": "delete", "id": [draft, approved]}
    answer = keeper.post(f"{ROOT}/stock_in/bulk", data=form, headers=PART)
    assert answer.status_code == 200
    assert "1 条已删除" in answer.text and "1 条没有删除" in answer.text
    assert keeper.get(f"{ROOT}/stock_in/{draft}").status_code == 404
    assert keeper.post(f"{ROOT}/stock_in/bulk", data=form | {"id": []}).status_code == 422
    assert keeper.post(f"{ROOT}/stock_in/bulk", data=form | {"action": "rob"}).status_code == 422


def test_the_export_is_what_the_list_shows(keeper: TestClient, house: House, tmp_path: Path) -> None:
    receive(house, "A001", "5")
    assert keeper.get(f"{ROOT}/product/export").status_code == 403  # the role may not
    answer = keeper.get(f"{ROOT}/stock_in/export?cols=number,warehouse,total")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    kept = tmp_path / "list.xlsx"
    kept.write_bytes(answer.content)
    rows = list(load_workbook(kept).active.iter_rows(values_only=True))
    assert rows[0] == ("单据编号", "仓库", "合计金额")
    assert rows[1][1:] == ("主仓", 10)
