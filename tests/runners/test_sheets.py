"""Spreadsheets as data: real files against what a person reads in them, small layouts, mappings and cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.labels import Label
from engine.sheets import (
    Dropped,
    Guess,
    HeaderMatch,
    Merged,
    Purpose,
    Reason,
    Record,
    RunningSums,
    Sheet,
    Target,
    Why,
    cell_at,
    choose_sheet,
    clean_cell,
    column_letter,
    compare_totals,
    find_duplicates,
    find_header,
    group_documents,
    head_columns,
    infer_type,
    is_gtin,
    map_columns,
    percent_scale,
    signature,
    sort_rows,
    text_of,
    totals_row,
)
from engine.sheets.cells import NumberedRow
from engine.sheets.rows import SortedRow
from runtime.messages.catalogue import Catalogue
from runtime.sheets import open_sheets

CASES = Path(__file__).parents[1] / "cases" / "sheets"
FILES = CASES / "files"
INDEX: list[dict[str, Any]] = json.loads((FILES / "index.json").read_text("utf-8"))["files"]
NAMES = [entry["id"] for entry in INDEX]


def cases(name: str) -> list[Any]:
    """The cases of one file."""
    found: list[Any] = yaml.safe_load((CASES / name).read_text("utf-8"))
    return found


@cache
def read(name: str) -> tuple[HeaderMatch, tuple[SortedRow, ...]]:
    """Heading and sorted rows of a real file's best sheet."""
    entry = next(entry for entry in INDEX if entry["id"] == name)
    with open_sheets(FILES / entry["file"], entry["file"]) as book:
        heads = [book.head(tab) for tab in book.sheet_names]
        found = choose_sheet(heads)
        assert found is not None
        index, match = found
        assert entry["sheet"] in (None, book.sheet_names[index])
        rows = book.rows(book.sheet_names[index], match.header_rows[-1] + 1)
        return match, tuple(sort_rows(rows, match, heads[index].merged))


def expected_columns(entry: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Column letter → what the index says of it. Fields outside the table have no cell."""
    fields = entry["expected"]["header_fields"] + entry["expected"]["line_fields"]
    return {"".join(filter(str.isalpha, f["cell"])): f for f in fields if f.get("cell")}


@pytest.mark.parametrize("entry", INDEX, ids=NAMES)
def test_heading_of_real_files(entry: dict[str, Any]) -> None:
    match, _ = read(entry["id"])
    assert list(match.header_rows) == entry["header_rows"]
    assert {c.letter: c.header for c in match.columns} == {k: f["label"] for k, f in expected_columns(entry).items()}


@pytest.mark.parametrize("entry", INDEX, ids=NAMES)
def test_records_of_real_files(entry: dict[str, Any]) -> None:
    _, rows = read(entry["id"])
    wanted = entry["expected"]
    records = [row.number for row in rows if isinstance(row, Record)]
    assert len(records) == wanted["data_rows"]
    assert (records[:1] or [None])[0] == wanted["data_first_row"]
    assert (records[-1:] or [None])[0] == wanted["data_last_row"]
    blank = [row.number for row in rows if isinstance(row, Dropped) and row.reason is Reason.BLANK]
    assert set(entry["dirtiness"]["blank_rows_inside_data"]) <= set(blank)
    for footer in wanted["footer"]:
        number = int("".join(filter(str.isdigit, footer["cell"])))
        dropped = next(row for row in rows if row.number == number)
        assert isinstance(dropped, Dropped)
        assert dropped.reason in (Reason.TOTAL, Reason.SUBTOTAL)


def test_types_of_real_files() -> None:
    """Every guess is acceptable to the index, and most are its first choice."""
    best, wrong, total = 0, [], 0
    for entry in INDEX:
        match, rows = read(entry["id"])
        records = [row.cells for row in rows if isinstance(row, Record)][:200]
        wanted = expected_columns(entry)
        for column in match.columns:
            guess = infer_type(column.header, [cell_at(cells, column.index) for cells in records])
            field = wanted[column.letter]
            total += 1
            best += guess == field["type"]
            if guess not in (field["type"], *field.get("accept", ())):
                wrong.append(f"{entry['id']} {column.header}: {guess}, not {field['type']}")
    assert total == 232
    assert wrong == []
    assert best >= 195


def test_only_the_heading_speaks_without_rows() -> None:
    assert infer_type("商品单位重量", []) is Guess.DECIMAL
    assert infer_type("是否停用", []) is Guess.BOOLEAN
    assert infer_type("备注", []) is Guess.LONG_TEXT
    assert infer_type("随便一列", []) is Guess.TEXT


@pytest.mark.parametrize("case", cases("layouts.yaml"), ids=lambda case: case["name"])
def test_layouts(case: dict[str, Any]) -> None:
    rows = tuple(tuple(row) for row in case["rows"])
    merged = tuple(
        Merged(first_row=a, last_row=b, first_column=c, last_column=d) for a, b, c, d in case.get("merged", ())
    )
    match = find_header(Sheet(name="表", rows=rows, merged=merged))
    assert match is not None
    expect = case["expect"]
    assert list(match.header_rows) == expect["header"]
    assert [column.header for column in match.columns] == expect["labels"]
    numbered: list[NumberedRow] = list(enumerate(rows, 1))
    found = list(sort_rows(numbered, match, merged))
    assert [row.number for row in found if isinstance(row, Record)] == expect["records"]
    assert {row.number: row.reason.value for row in found if isinstance(row, Dropped)} == expect["dropped"]
    assert match.first_data_row == expect["records"][0]
    for number, cells in expect.get("cells", {}).items():
        assert next(list(row.cells) for row in found if row.number == number) == cells


def test_no_table_is_no_heading() -> None:
    assert find_header(Sheet(name="空", rows=())) is None
    assert find_header(Sheet(name="信", rows=(("尊敬的客户：",), ("您好，欢迎使用本系统。",)))) is None


def test_the_sheet_with_the_table_is_chosen() -> None:
    cover = Sheet(name="封面", rows=(("某某公司",), ("盘点资料",)))
    data = Sheet(name="数据", rows=(("编码", "名称", "数量"), ("A1", "纸箱", Decimal(3))))
    hidden = Sheet(
        name="旧", rows=(("编码", "名称", "数量", "单价"), ("A1", "纸箱", Decimal(3), Decimal(1))), hidden=True
    )
    found = choose_sheet([cover, hidden, data])
    assert found is not None
    assert found[0] == 2


@pytest.mark.parametrize("case", cases("mappings.yaml"), ids=lambda case: case["name"])
def test_mappings(case: dict[str, Any]) -> None:
    targets = [
        Target(
            key=key,
            label=Label(spec[0]),
            field_type=spec[1],
            required=len(spec) > 2 and spec[2],
            table=spec[3] if len(spec) > 3 else "",
            aliases=tuple(case.get("aliases", {}).get(key, ())),
        )
        for key, spec in case["targets"].items()
    ]
    headers = list(case["expect"])
    samples = {n: tuple(case.get("samples", {}).get(name, ())) for n, name in enumerate(headers)}
    found = map_columns(list(enumerate(headers)), samples, targets, case.get("saved"))
    assert {m.header: [m.target, m.why.value] if m.target else None for m in found} == case["expect"]
    assert all((m.confidence > 0) == (m.target is not None or m.why is Why.SAVED) for m in found)
    assert all(m.confidence <= 100 for m in found)


def test_signature_names_the_set_of_headings() -> None:
    assert signature(["品名", "数量 *"]) == signature(["数量", " 品名"])
    assert signature(["品名", "数量"]) != signature(["品名", "数量", "数量"])


def test_check_digit() -> None:
    assert is_gtin("6901234567892")
    assert not is_gtin("6901234567893")
    assert not is_gtin("20251201")


@pytest.mark.parametrize("case", cases("cells.yaml"), ids=lambda case: f"{case[0]} {case[1]!r}")
def test_cells(case: list[Any], catalogue: Catalogue) -> None:
    purpose, raw, wanted, *more = case
    numeric = (raw.startswith("=") and purpose != "text") or raw == "=2"
    cleaned = clean_cell(Decimal(raw[1:]) if numeric else raw, Purpose(purpose))
    value = cleaned.value
    if isinstance(value, Decimal):
        assert value == Decimal(str(wanted))
    elif isinstance(value, date) and not isinstance(value, datetime):
        assert value == wanted
    else:
        assert (text_of(value) if value is not None else None) == wanted
    extra = more[0] if more else ""
    assert ([p.code for p in cleaned.problems] or [cleaned.unit]) == [extra]
    for problem in cleaned.problems:
        assert catalogue.text(problem, "zh")[0]
        assert catalogue.text(problem, "en")[0]


def test_percent_columns() -> None:
    assert percent_scale([Decimal("0.13"), Decimal("0.06"), Decimal(0)]) == 100
    assert percent_scale([Decimal("8.5"), Decimal(0)]) == 1
    assert percent_scale([Decimal(1), Decimal(0)]) == 1


def test_the_sheets_own_total_is_compared() -> None:
    """en07 really is wrong: its cached totals belong to more rows than the file has."""
    match, rows = read("en07")
    sums = RunningSums([column.index for column in match.columns])
    for row in rows:
        if isinstance(row, Record):
            sums.add(row.cells)
    totals = totals_row([row for row in rows if isinstance(row, Dropped)], match)
    assert totals == {6: Decimal(2121), 7: Decimal("873.27"), 8: Decimal("19627.88")}
    found = compare_totals(totals, sums, match)
    assert [(p.where, p.params["sum"]) for p in found] == [
        ("G", Decimal(2025)),
        ("H", Decimal("868.28")),
        ("I", Decimal("19148.84")),
    ]


def test_duplicates() -> None:
    rows = [
        (2, {"code": "A1", "name": "纸箱"}),
        (3, {"code": "a1", "name": "纸箱"}),
        (4, {"code": "A1", "name": "胶带"}),
        (5, {"code": None, "name": "无编码"}),
        (6, {"code": None, "name": "无编码"}),
    ]
    found = find_duplicates(rows, ["code"])
    assert [(r.number, r.first) for r in found.repeated] == [(3, 2)]
    assert [(c.number, c.first, c.fields) for c in found.conflicts] == [(4, 2, ("name",))]
    assert found.conflicts[0].problem().code == "sheet.duplicate_key"


def test_identical_lines_are_found_as_such() -> None:
    """zh20 holds three identical rows; as a list of documents two of them are repetitions."""
    match, rows = read("zh20")
    values = [
        (row.number, {c.header: cell_at(row.cells, c.index) for c in match.columns})
        for row in rows
        if isinstance(row, Record)
    ]
    assert [(r.number, r.first) for r in find_duplicates(values, ["入库单号"]).repeated] == [(4, 3), (5, 3)]


def test_rows_become_documents() -> None:
    rows = [
        (2, {"no": "D1", "customer": "甲", "item": "笔", "qty": Decimal(1)}),
        (3, {"no": None, "customer": None, "item": "纸", "qty": Decimal(2)}),
        (4, {"no": "D2", "customer": "乙", "item": "笔", "qty": Decimal(3)}),
        (5, {"no": "D1", "customer": "丙", "item": "尺", "qty": Decimal(4)}),
    ]
    first, second = group_documents(rows, ["no", "customer"], ["no"])
    assert first.head == {"no": "D1", "customer": "甲"}
    assert [number for number, _ in first.lines] == [2, 3, 5]
    assert [(p.where, p.params["expected"]) for p in first.problems] == [("5.customer", "甲")]
    assert [number for number, _ in second.lines] == [4]
    pieces = list(group_documents(rows, ["no", "customer"], ["no"], contiguous=True))
    assert [[number for number, _ in piece.lines] for piece in pieces] == [[2, 3], [4], [5]]


def test_a_list_of_invoices_shows_its_head() -> None:
    """en20 repeats the invoice's own values on every line."""
    match, rows = read("en20")
    records = [row.cells for row in rows if isinstance(row, Record)]
    names = {c.index: c.header for c in match.columns}
    assert {names[i] for i in head_columns(records, 0, tuple(names))} == {
        "InvoiceNo",
        "InvoiceDate",
        "CustomerID",
        "Country",
    }
    values = [(n, {names[i]: cell for i, cell in enumerate(cells)}) for n, cells in enumerate(records, 2)]
    groups = list(group_documents(values, ["InvoiceNo", "InvoiceDate", "CustomerID", "Country"], ["InvoiceNo"]))
    assert sum(len(group.lines) for group in groups) == 3108
    slips = [group for group in groups if group.problems]
    assert {p.code for group in slips for p in group.problems} == {"sheet.head_differs"}
    assert len(slips) == 1  # one invoice was keyed in over two minutes
    assert len({group.head["InvoiceNo"] for group in groups}) == len(groups)


def test_column_letters() -> None:
    assert [column_letter(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
