"""Whatever stands in a spreadsheet: nothing raises, no row gets lost, no column or field is used twice."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.labels import Label
from engine.sheets import (
    Cell,
    Merged,
    Purpose,
    Record,
    Sheet,
    Target,
    clean_cell,
    day,
    figure,
    find_header,
    infer_type,
    map_columns,
    signature,
    sort_rows,
    split_quantity,
    text_of,
)

WORDS = st.sampled_from(
    [
        "商品编码",
        "品名",
        "数量",
        "单价(元)",
        "期初",
        "合计",
        "小计",
        "制单：",
        "注：见附件",
        "12箱",
        "2025年12月1日",
        "１２．５",
        "#REF!",
        "大写",
    ]
)
TEXTS = st.one_of(WORDS, st.text(max_size=12))
CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    TEXTS,
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12),
    st.booleans(),
    st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
)
ROWS = st.lists(st.lists(CELLS, max_size=6).map(tuple), max_size=12)
MERGED = st.builds(
    lambda row, height, column, width: Merged(
        first_row=row, last_row=row + height, first_column=column, last_column=column + width
    ),
    st.integers(1, 12),
    st.integers(0, 4),
    st.integers(0, 5),
    st.integers(0, 5),
)
TARGETS = [
    Target(key="code", label=Label("商品编码", "Code"), field_type="text", required=True),
    Target(key="name", label=Label("商品名称", "Name"), field_type="text"),
    Target(key="qty", label=Label("数量", "Quantity"), field_type="quantity", table="lines", required=True),
    Target(key="day", label=Label("日期", "Date"), field_type="date"),
]


@given(cell=CELLS)
def test_no_cell_raises(cell: Cell) -> None:
    for purpose in Purpose:
        cleaned = clean_cell(cell, purpose)
        assert not isinstance(cleaned.value, float)
        assert clean_cell(cleaned.value, purpose).value == cleaned.value or cleaned.problems or purpose is Purpose.TEXT
    figure(cell)
    day(cell, serial=True)
    split_quantity(text_of(cell))


@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_written_numbers_are_read_exactly(number: Decimal) -> None:
    for text in (f"{number:f}", f"{number:,f}", f"¥{number:,f}", f"{number:,f}元", f" {number:f} "):
        assert figure(text) == number
    if number < 0:
        assert figure(f"({-number:,f})") == number


@settings(max_examples=200)
@given(rows=ROWS, merged=st.lists(MERGED, max_size=3).map(tuple))
def test_every_row_comes_out_once(rows: list[tuple[Cell, ...]], merged: tuple[Merged, ...]) -> None:
    match = find_header(Sheet(name="表", rows=tuple(rows), merged=merged))
    if match is None:
        return
    assert 1 <= match.confidence <= 100
    assert match.first_data_row > match.header_rows[-1]
    found = list(sort_rows(enumerate(rows, 1), match, merged))
    assert [row.number for row in found] == list(range(match.header_rows[-1] + 1, len(rows) + 1))
    for row in found:
        if isinstance(row, Record):
            original = rows[row.number - 1]
            assert all(
                row.cells[i] == cell for i, cell in enumerate(original) if cell is not None and str(cell).strip()
            )
    for column in match.columns:
        infer_type(column.header, [row.cells[column.index] if column.index < len(row.cells) else None for row in found])


@given(headers=st.lists(TEXTS, max_size=8), samples=st.lists(CELLS, max_size=4))
def test_a_mapping_uses_nothing_twice(headers: list[str], samples: list[Cell]) -> None:
    numbered = list(enumerate(headers))
    found = map_columns(numbered, dict.fromkeys(range(len(headers)), samples), TARGETS)
    assert [(m.index, m.header) for m in found] == numbered
    used = [m.target for m in found if m.target]
    assert len(used) == len(set(used))
    assert signature(headers) == signature(list(reversed(headers)))
