"""Imports through the facade: mapping, trial, modes, rights, documents of flat rows, undo, refused rows, bad files."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import accounts, documents, imports, lists, stock
from runtime.facade.door import Door
from runtime.facade.import_errors import error_rows
from runtime.facade.imports import RUN
from runtime.sheets import open_sheets
from tests.houses import CATALOG, Home, codes, do, furnished, make_home
from tests.imports.sheets import PRODUCT_HEADS, csv, product, xlsx

OPENING = ("仓库", "商品编码", "单位", "期初数量", "成本单价")


@pytest.fixture
def either(tmp_path: Path, house_url: str | None) -> Door:
    """The same door on SQLite and on PostgreSQL."""
    return furnished(make_home(tmp_path, CATALOG / "general", house_url))


def uploaded(door: Door, content: bytes, form: str = "product", name: str = "表.xlsx", **chosen: object) -> int:
    number = imports.upload(door, form, name, [content])
    if chosen:
        imports.configure(door, number, **chosen)  # type: ignore[arg-type]
    return number


def count(door: Door, form: str) -> int:
    return lists.count(door, form, None, 10_000)


def test_columns_are_proposed_by_label_and_alias(door: Door) -> None:
    number = uploaded(
        door, xlsx(product(1), heads=("货号", "品名", "规格", "类别", "单位", "安全库存", "采购价", "税率(%)"))
    )
    targets = {column.header: column.target for column in imports.view(door, number).columns}
    assert targets["货号"] == "code"
    assert targets["品名"] == "name"
    assert targets["采购价"] == "purchase_price"


def test_a_confirmed_mapping_is_proposed_again(door: Door) -> None:
    heads = ("码", "称呼", "类", "件位")
    number = uploaded(door, xlsx(("Z1", "甲", "C1", "件"), heads=heads), header_row=1)
    imports.configure(door, number, mapping={0: "code", 1: "name", 2: "category", 3: "base_unit"})
    imports.perform(door, number)
    again = uploaded(door, xlsx(("Z2", "乙", "C1", "件"), heads=heads), header_row=1)
    columns = imports.view(door, again).columns
    assert [column.target for column in columns] == ["code", "name", "category", "base_unit"]
    assert {column.why for column in columns} == {"saved"}


def test_a_trial_finds_every_error_and_writes_nothing(door: Door) -> None:
    rows = [
        product(1),
        ("P2", "甲", "", "没有的分类", "件", "十二", "3", "13"),
        ("P3", "", "", "C1", "箱子", "-1", "3", "113"),
        ("A032", "已有", "", "C1", "件", "1", "3", "13"),
    ]
    number = uploaded(door, xlsx(*rows))
    before = count(door, "product")
    assert imports.check(door, number)
    view = imports.view(door, number)
    assert view.summary is not None
    assert (view.summary.created, view.summary.refused) == (1, 3)
    found, more = imports.problems_of(door, number)
    places = {(one.row, one.letter) for one in found}
    assert {(3, "D"), (3, "F"), (4, "B"), (4, "E"), (4, "F"), (4, "H"), (5, "A")} <= places
    assert more is None
    assert count(door, "product") == before
    assert view.preview[1].problems.keys() >= {3, 5}


def test_repetitions_are_folded_and_contradictions_refused(door: Door) -> None:
    rows = [product(1), product(2), product(1), (*product(2)[:1], "别的名称", *product(2)[2:])]
    number = uploaded(door, xlsx(*rows))
    imports.check(door, number)
    summary = imports.view(door, number).summary
    assert summary is not None
    assert summary.repeats == ((4, 2),)
    assert (summary.created, summary.skipped, summary.refused) == (2, 1, 1)
    done = imports.perform(door, number)
    assert (done.created, done.skipped, done.failed) == (2, 1, 1)
    assert [one.code for one in imports.row_problems(door, number)] == ["sheet.duplicate_key"]


def test_create_update_upsert(either: Door) -> None:
    door = either
    number = uploaded(door, xlsx(("A032", "螺丝改", "", "C1", "件", "7", "", "")), mode="update")
    assert imports.perform(door, number).updated == 1
    found = documents.read(door, "product", _id(door, "A032"))
    assert (found.values["name"].text, found.values["safety_stock"].value) == ("螺丝改", "7")
    number = uploaded(door, xlsx(("N1", "新", "", "C1", "件", "1", "", "")), mode="update")
    assert imports.perform(door, number).failed == 1
    assert [one.code for one in imports.row_problems(door, number)] == ["import.not_there"]
    rows = [("A032", "螺丝再改", "", "C1", "件", "", "", ""), ("N1", "新", "", "C1", "件", "1", "", "")]
    done = imports.perform(door, uploaded(door, xlsx(*rows), mode="upsert"))
    assert (done.created, done.updated, done.failed) == (1, 1, 0)
    kept = documents.read(door, "product", _id(door, "A032"))
    assert kept.values["safety_stock"].value == "7", "an empty cell changes nothing"


def test_undo_takes_back_what_was_created_and_restores_what_was_changed(either: Door) -> None:
    door = either
    rows = [("A032", "改名", "", "C1", "件", "9", "", ""), product(5)]
    number = uploaded(door, xlsx(*rows), mode="upsert")
    imports.perform(door, number)
    assert imports.take_back(door, number) == ()
    assert imports.progress(door, number).state == "undone"
    assert count(door, "product") == 2
    assert documents.read(door, "product", _id(door, "A032")).values["name"].text == "螺丝"
    with pytest.raises(Refused) as refused:
        imports.take_back(door, number)
    assert codes(refused.value) == ["import.nothing_to_undo"]


def test_undo_keeps_what_others_rely_on(door: Door) -> None:
    number = uploaded(door, xlsx(product(1), product(2)))
    imports.perform(door, number)
    do(door, "other_receipt", "save", {"warehouse": "W1", "lines": [{"product": "P000001", "qty": 1, "cost_price": 1}]})
    kept = imports.take_back(door, number)
    assert [one.problem.code for one in kept] == ["document.referenced"]
    assert imports.progress(door, number).state == "done"
    assert "保留" in imports.progress(door, number).error
    assert count(door, "product") == 3


def test_opening_stock_posts_documents_from_flat_rows(either: Door) -> None:
    door = either
    rows = [("主仓", "A032", "件", "120", "2"), ("主仓", "A033", "件", "１０", "3"), ("分仓", "A032", "件", "5", "2")]
    number = uploaded(door, xlsx(*rows, heads=OPENING), "opening_stock", action="approve")
    done = imports.perform(door, number)
    assert (done.created, done.failed) == (2, 0)
    assert sum(row.figures["on_hand"] for row in stock.levels(door).rows) == 135
    imports.take_back(door, number)
    assert not stock.levels(door).rows
    assert count(door, "opening_stock") == 0


def test_a_refused_document_names_row_and_column_and_leaves_the_others(door: Door, tmp_path: Path) -> None:
    rows = [("W1", "A032", "件", "1", "2"), ("W2", "A033", "件", "0", "2"), ("W2", "没有", "件", "1", "2")]
    number = uploaded(door, xlsx(*rows, heads=OPENING), "opening_stock", action="approve")
    done = imports.perform(door, number)
    assert (done.created, done.failed) == (1, 1)
    found, _ = imports.problems_of(door, number)
    assert (4, "B") in {(one.row, one.letter) for one in found}
    out = tmp_path / "errors.xlsx"
    assert error_rows(door, number, out) == 2
    with open_sheets(out, "errors.xlsx") as book:
        written = dict(book.rows(book.sheet_names[0]))
    assert written[1][:3] == ("行号", "仓库", "商品编码")
    assert written[3][2] == "没有"
    assert "没有" in str(written[3][-1])


def test_the_mapping_offers_only_what_the_person_may_write(home: Home, door: Door) -> None:
    sales = home.door("sales_mgr")
    number = uploaded(sales, xlsx(("世纪联华2", "K2"), heads=("客户名称", "客户编码")), "customer")
    offered = {target.path for target in imports.view(sales, number).targets}
    access = sales.access(sales.bundle.forms["customer"])
    assert offered <= {path for path in access.fields if access.access(path) == 2}
    with pytest.raises(Refused) as refused:
        imports.upload(sales, "product", "x.xlsx", [xlsx(product(1))])
    assert refused.value.kind in ("forbidden", "missing")


def test_an_import_is_its_owners(home: Home, door: Door) -> None:
    number = uploaded(door, xlsx(product(1)))
    with pytest.raises(Refused) as refused:
        imports.view(home.door("data_admin"), number)
    assert codes(refused.value) == ["import.missing"]


def test_it_runs_as_a_job_with_progress(home: Home, door: Door) -> None:
    number = uploaded(door, csv(product(n) for n in range(450)), name="多.csv")
    imports.start(door, number)
    assert imports.progress(door, number).state == "waiting"
    (ended,) = [job for job in home.jobs.drain() if job.kind == RUN]
    done = imports.progress(door, number)
    assert (done.state, done.created, done.percent) == ("done", 450, 100)
    assert ended.progress is not None
    with pytest.raises(Refused):
        imports.start(door, number)


def test_rights_count_at_the_moment_of_the_run(home: Home, door: Door) -> None:
    steward = home.door("data_admin")
    number = uploaded(steward, xlsx(product(1)))
    imports.start(steward, number)
    accounts.set_roles(home.everybody(), steward.actor.user, ("sales",))
    home.jobs.drain()
    assert count(door, "product") == 2


def test_totals_are_compared(door: Door) -> None:
    rows = [("W1", "A032", "件", "100", "2"), ("W1", "A033", "件", "20", "2"), ("合计", "", "", "130", "")]
    number = uploaded(door, xlsx(*rows, heads=OPENING), "opening_stock")
    imports.check(door, number)
    summary = imports.view(door, number).summary
    assert summary is not None
    assert summary.has_total
    assert "130" in summary.totals[0]
    assert [row for row, _, _ in summary.dropped] == [4]


def test_gb18030(door: Door) -> None:
    number = uploaded(door, csv([product(1), product(2)], encoding="gb18030"), name="旧.csv")
    assert imports.perform(door, number).created == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "sheet.empty_file"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000), "sheet.damaged"),
        (b"PK\x03\x04" + bytes(100), "sheet.damaged"),
        (b"%PDF-1.7 something", "sheet.not_a_spreadsheet"),
        (b"12\n13\n14", "import.no_table"),
    ],
)
def test_bad_files_are_refused_and_not_kept(door: Door, content: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        imports.upload(door, "product", "坏.xlsx", [content])
    assert codes(refused.value) == [code]
    assert imports.latest(door) == ()
    assert not [path for path in door.workspace.files_dir.rglob("*") if path.is_file()]


def test_a_zip_bomb_is_not_opened(door: Door) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (400 << 20))
    with pytest.raises(Refused) as refused:
        imports.upload(door, "product", "bomb.xlsx", [out.getvalue()])
    assert codes(refused.value) == ["sheet.unpacks_too_big"]


def test_a_mapping_that_cannot_work_is_refused(door: Door) -> None:
    number = uploaded(door, xlsx(product(1)))
    with pytest.raises(Refused) as refused:
        imports.configure(door, number, mapping={0: "code", 1: "code", 2: "nothing", 77: "name"})
    assert set(codes(refused.value)) == {"import.filled_twice", "import.unknown_target", "import.unknown_column"}
    imports.configure(door, number, mapping={0: "code"})
    with pytest.raises(Refused) as missing:
        imports.perform(door, number)
    assert set(codes(missing.value)) == {"import.required_missing"}


def _id(door: Door, code: str) -> int:
    return next(hit.id for hit in lists.look_up(door, "product", code))


def test_heads_are_those_of_the_form(door: Door) -> None:
    columns = imports.view(door, uploaded(door, xlsx(product(1)))).columns
    assert [column.header for column in columns] == list(PRODUCT_HEADS)
    assert all(column.target for column in columns)
