"""Lines brought in from the stock ledger: which products, for whom, and that it is one ordinary save."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import documents, fetching, lists
from runtime.facade.documents import Command, Outcome, patch_from_json
from runtime.facade.door import Door
from tests.houses import CATALOG, Home, do, furnished, make_home

PLAN = "stocktake_plan"
GOODS_BUT_ONE = """  - {forms: [product], actions: [read], rows: "code != 'Z1'"}
  - forms: [product_category, unit, warehouse, bin, supplier, customer]
"""


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Home:
    return make_home(tmp_path, CATALOG / "general", None if database_url.startswith("sqlite") else database_url)


@pytest.fixture
def door(home: Home) -> Door:
    return stocked(home)


def stocked(home: Home) -> Door:
    """A company with three products in stock at W1, one at W2 and one nowhere."""
    door = furnished(home)
    do(door, "warehouse", "save", {"code": "W9", "name": "分仓"})
    do(door, "product_category", "save", {"code": "C9", "name": "杂货"})
    for code, category in (("Z3", "C1"), ("Z1", "C9"), ("Z2", "C1"), ("Z4", "C1"), ("Z5", "C1")):
        do(door, "product", "save", {"code": code, "name": f"货{code}", "category": category, "base_unit": "件"})
    for warehouse, codes in (("W1", ("Z3", "Z1", "Z2")), ("W9", ("Z4",))):
        lines = [{"product": code, "unit": "件", "qty": 10, "cost_price": 2} for code in codes]
        do(door, "opening_stock", "approve", {"warehouse": warehouse, "lines": lines})
    return door


def plan(door: Door, **values: object) -> int:
    return do(door, PLAN, "save", {"warehouse": "W1", **values}).document


def fetch(door: Door, document: int, key: str = "in_stock", typed: Mapping[str, object] | None = None) -> Outcome:
    patch = patch_from_json(door.form(PLAN), typed) if typed is not None else None
    return fetching.carry_out(door, Command(form=PLAN, action=f"fetch:{key}", document=document, patch=patch))


def refused(door: Door, document: int, key: str = "in_stock") -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        fetch(door, document, key)
    return [(one.code, one.where) for one in caught.value.problems]


def listed(door: Door, document: int) -> list[str]:
    """The codes of the products among the lines."""
    rows = documents.read(door, PLAN, document).lines["lines"]
    return [row.cells["product"].text.partition(" ")[0] for row in rows]


def issue(door: Door, code: str, quantity: int, day: date) -> None:
    lines = [{"product": code, "unit": "件", "qty": quantity}]
    do(door, "other_issue", "approve", {"warehouse": "W1", "biz_date": day.isoformat(), "lines": lines})


def test_everything_in_the_warehouse_comes_in_by_code_and_only_once(door: Door) -> None:
    document = plan(door, lines=[{"product": "Z2", "line_remark": "先盘"}])
    before = documents.read(door, PLAN, document)
    done = fetch(door, document)
    after = documents.read(door, PLAN, document)
    assert listed(door, document) == ["Z2", "Z1", "Z3"]
    assert [(one.code, one.params["count"]) for one in done.did] == [("did.fetched", 2)]
    assert (done.version, after.version) == (before.version + 1, before.version + 1)
    kept, was = after.lines["lines"][0], before.lines["lines"][0]
    assert (kept.id, kept.cells["line_remark"].text) == (was.id, "先盘")
    assert refused(door, document) == [("document.nothing_to_fetch", "")]
    assert documents.read(door, PLAN, document).version == after.version


def test_what_was_typed_is_saved_with_it_and_decides(door: Door) -> None:
    document = plan(door)
    fetch(door, document, typed={"warehouse": "W9", "remark": "分仓也盘", "lines": [{"product": "Z5"}]})
    assert listed(door, document) == ["Z5", "Z4"]
    assert documents.read(door, PLAN, document).values["remark"].text == "分仓也盘"
    with pytest.raises(Refused) as caught:
        fetch(door, document, typed={"warehouse": "W0"})
    assert [one.where for one in caught.value.problems] == ["warehouse"]


def test_a_category_narrows_a_spot_count_but_not_a_full_one(door: Door) -> None:
    spot, full = plan(door, type="spot", category="C9"), plan(door, type="full", category="C9")
    fetch(door, spot)
    fetch(door, full)
    assert listed(door, spot) == ["Z1"]
    assert listed(door, full) == ["Z1", "Z2", "Z3"]


def test_a_dynamic_count_is_of_what_moved_since_a_day(home: Home, door: Door) -> None:
    home.clock.wait(days=5)
    issue(door, "Z3", 1, date(2026, 1, 8))
    issue(door, "Z1", 10, date(2026, 1, 10))
    document = plan(door, type="dynamic")
    assert refused(door, document) == [("document.fetch_not_now", "")]
    assert refused(door, document, "moved") == [("document.fetch_needs", "since")]
    do(door, PLAN, "save", {"since": "2026-01-09"}, document=document)
    fetch(door, document, "moved")
    assert listed(door, document) == ["Z1"], "nothing of it is left, which is worth a look"
    fetch(door, document, "moved", {"since": "2026-01-08"})
    assert listed(door, document) == ["Z1", "Z3"]


def test_goods_nobody_may_use_any_more_are_left_out_and_told(door: Door) -> None:
    gone = lists.look_up(door, "product", "Z3")[0].id
    do(door, "product", "disable", document=gone)
    document = plan(door)
    done = fetch(door, document)
    assert listed(door, document) == ["Z1", "Z2"]
    assert [(one.code, one.params["count"]) for one in done.did] == [("did.fetched", 2), ("did.fetch_disabled", 1)]


def test_only_a_draft_of_today_takes_more_lines(door: Door) -> None:
    document = plan(door, lines=[{"product": "Z1"}])
    stale = Command(form=PLAN, action="fetch:in_stock", document=document, version=7)
    with pytest.raises(Refused) as caught:
        fetching.carry_out(door, stale)
    assert [one.code for one in caught.value.problems] == ["document.stale"]
    do(door, PLAN, "approve", document=document)
    assert refused(door, document) == [("document.not_editable", "")]
    assert refused(door, document, "in_stok") == [("document.no_fetch", "")]
    assert refused(door, 987654) == [("document.missing", "")]


def test_sent_again_it_is_not_done_again(door: Door) -> None:
    document = plan(door)
    command = Command(form=PLAN, action="fetch:in_stock", document=document, version=1, idempotency_key="once")
    first, again = fetching.carry_out(door, command), fetching.carry_out(door, command)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.version == first.version == 2
    assert listed(door, document) == ["Z1", "Z2", "Z3"]


def test_the_button_is_for_those_who_may_change_it_and_see_stock(home: Home, door: Door) -> None:
    document = plan(door)

    def offered(who: Door) -> list[str]:
        return [one.key for one in documents.read(who, PLAN, document).actions if one.key.startswith("fetch:")]

    assert offered(home.door("wh_mgr")) == ["fetch:in_stock"]
    assert offered(home.door("finance")) == []
    with pytest.raises(Refused) as caught:
        fetch(home.door("finance"), document)
    assert caught.value.kind == "forbidden"
    fetch(home.door("wh_mgr"), document)
    do(door, PLAN, "approve", document=document)
    assert offered(home.door("wh_mgr")) == []


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template with plans of two lines at most, which a keeper may write, of goods that are no secret to them."""
    app = tmp_path_factory.mktemp("strict") / "general"
    shutil.copytree(CATALOG / "general", app)
    for name, written, instead in (
        ("forms/stocktake_plan.yaml", "max_rows: 10000", "max_rows: 2"),
        ("roles/keeper.yaml", "conversion, stocktake]", "conversion, stocktake, stocktake_plan]"),
        (
            "roles/keeper.yaml",
            "  - forms: [product, product_category, unit, warehouse, bin, supplier, customer]\n",
            GOODS_BUT_ONE,
        ),
    ):
        text = (app / name).read_text("utf-8")
        assert written in text
        (app / name).write_text(text.replace(written, instead), "utf-8")
    return app


def test_a_keeper_brings_in_what_they_may_see_and_no_more_than_fits(tmp_path: Path, strict: Path) -> None:
    home = make_home(tmp_path, strict)
    door = stocked(home)
    document, elsewhere = plan(door), plan(door, warehouse="W9")
    assert refused(door, document) == [("document.too_many_to_fetch", "lines")]
    keeper = home.door("keeper")
    assert refused(keeper, document) == [("document.missing", "")], "not their warehouse yet"
    main = lists.look_up(door, "warehouse", "W1")[0].id
    do(door, "warehouse", "save", {"keeper": "keeper"}, document=main)
    fetch(keeper, document)
    assert listed(door, document) == ["Z2", "Z3"]
    empty = plan(keeper)
    with pytest.raises(Refused) as caught:
        fetch(keeper, empty, typed={"warehouse": "W9"})
    assert [one.code for one in caught.value.problems] == ["document.fetch_warehouse"]
    fetch(door, elsewhere)
    assert listed(door, elsewhere) == ["Z4"]
