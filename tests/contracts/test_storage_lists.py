"""Lists page by key: nothing is shown twice or left out, whatever is sorted by and whatever is added meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from engine.definitions.compiled import AppBundle
from engine.expressions import Clock, check, parse
from engine.fieldtypes.contract import Operator
from engine.problems import Refused
from runtime.storage import documents
from runtime.storage.app_tables import AppTables
from runtime.storage.columns import FormColumns
from runtime.storage.database import Database, read, write
from runtime.storage.filters import compile_where
from runtime.storage.lists import ListQuery, Page, count_up_to, page
from runtime.storage.product_tables import user
from runtime.storage.search_text import searchable
from tests.contracts.storage_contract import AT, DAY, product, stock_in, warehouse


@pytest.fixture
def listed(empty: Database, tables: AppTables) -> list[int]:
    """Twenty-three products with many equal and many empty specs."""
    chance = Random(5)
    goods = [
        product(f"P{n:02}", f"商品{n % 7}", spec=chance.choice([None, "a", "b", "B_"]), safety_stock=Decimal(n % 4))
        for n in range(23)
    ]
    form = tables.forms["product"].form
    with write(empty) as connection:
        stored = documents.insert_many(connection, tables, goods, [searchable(form, each) for each in goods], AT)
    return [each.id for each in stored if each.id is not None]


SORTS = [
    (),
    (("code", False),),
    (("spec", False),),
    (("spec", True),),
    (("safety_stock", True), ("spec", False)),
    (("spec", False), ("name", True)),
    (("id", True),),
    (("created_at", False),),
]


def test_pages_join_up_in_both_directions(empty: Database, tables: AppTables, listed: list[int]):
    for sort in SORTS:
        assert_pages_join_up(empty, tables, listed, sort)


def assert_pages_join_up(empty: Database, tables: AppTables, listed: list[int], sort: tuple[tuple[str, bool], ...]):
    query = ListQuery(columns=("code", "spec", "safety_stock"), sort=sort, limit=4)
    with read(empty) as connection:
        whole = [row["id"] for row in page(connection, tables, "product", replace(query, limit=100)).rows]
        pages = [page(connection, tables, "product", query)]
        while pages[-1].next:
            pages.append(page(connection, tables, "product", replace(query, after=pages[-1].next)))
        back = [pages[-1]]
        while back[-1].previous:
            back.append(page(connection, tables, "product", replace(query, after=back[-1].previous)))
    assert sorted(whole) == listed
    assert [row["id"] for each in pages for row in each.rows] == whole
    assert [row["id"] for each in reversed(back) for row in each.rows] == whole
    assert pages[0].previous is None and back[-1].previous is None


def test_empty_values_come_last_ascending_and_first_descending(empty: Database, tables: AppTables, listed: list[int]):
    with read(empty) as connection:
        for descends in (False, True):
            query = ListQuery(columns=("spec",), sort=(("spec", descends),), limit=100)
            specs = [row["spec"] for row in page(connection, tables, "product", query).rows]
            filled = [spec for spec in specs if spec is not None]
            empties = [None] * (len(specs) - len(filled))
            assert specs == (empties + filled if descends else filled + empties)
            assert filled == sorted(filled, reverse=descends)


def test_rows_added_meanwhile_neither_repeat_nor_hide_others(empty: Database, tables: AppTables, listed: list[int]):
    query = ListQuery(columns=("code",), sort=(("spec", False),), limit=5)
    seen: list[int] = []
    with write(empty) as connection:
        here: Page = page(connection, tables, "product", query)
        turn = 0
        while True:
            seen += [row["id"] for row in here.rows]
            added = [product(f"N{turn}{n}", "新", spec=spec) for n, spec in enumerate((None, "a", "b"))]
            documents.insert_many(connection, tables, added, [""] * 3, AT)
            turn += 1
            if not here.next or turn > 40:
                break
            here = page(connection, tables, "product", replace(query, after=here.next))
    assert len(seen) == len(set(seen))
    assert set(listed) <= set(seen)


FILTERS = [
    ((("code", Operator.EQ, "P03"),), ["P03"]),
    ((("code", Operator.IN, ["P03", "P20", "X"]),), ["P03", "P20"]),
    ((("code", Operator.STARTS, "p2"),), ["P20", "P21", "P22"]),
    ((("code", Operator.CONTAINS, "_"),), []),
    ((("safety_stock", Operator.GE, Decimal(3)), ("code", Operator.LT, "P10")), ["P03", "P07"]),
    ((("safety_stock", Operator.EQ, Decimal(0)), ("code", Operator.GT, "P15")), ["P16", "P20"]),
    ((("cost", Operator.EMPTY, None), ("code", Operator.LE, "P01")), ["P00", "P01"]),
    ((("cost", Operator.NOT_EMPTY, None),), []),
    ((("doc_status", Operator.EQ, "disabled"),), []),
]


def test_filters(empty: Database, tables: AppTables, listed: list[int]):
    with read(empty) as connection:
        for filters, expected in FILTERS:
            query = ListQuery(columns=("code",), filters=filters, sort=(("code", False),), limit=100)
            found = [row["code"] for row in page(connection, tables, "product", query).rows]
            assert found == expected, filters
            assert count_up_to(connection, tables, "product", filters=filters) == len(expected)


def test_unequal_and_empty_complete_each_other(empty: Database, tables: AppTables, listed: list[int]):
    with read(empty) as connection:

        def count(operator: Operator, value: str | None) -> int:
            return count_up_to(connection, tables, "product", filters=(("spec", operator, value),))

        assert count(Operator.EQ, "a") + count(Operator.NE, "a") == 23
        assert count(Operator.EMPTY, None) + count(Operator.NOT_EMPTY, None) == 23
        assert count(Operator.EQ, None) == count(Operator.EMPTY, None) > 0
        assert count_up_to(connection, tables, "product", limit=9) == 9
        assert count_up_to(connection, tables, "product", search="sp3") == 3


@pytest.fixture
def receipts(empty: Database, tables: AppTables, listed: list[int]) -> list[int]:
    """Three receipts in two warehouses, the first kept by 张三."""
    with write(empty) as connection:
        keeper = connection.execute(
            user.insert(),
            {
                "login": "zs", "name": "张三", "password_hash": "", "language": "zh", "department": 4, "active": True,
                "attributes": {"warehouse": 1}, "created_at": AT, "failed_count": 0, "theme": "auto",
            },
        ).inserted_primary_key[0]  # fmt: skip
        first = replace(warehouse("W1", "主仓"), values={"code": "W1", "name": "主仓", "keeper": keeper})
        places = documents.insert_many(connection, tables, [first, warehouse("W2", "分仓")], ["", ""], AT)
        drafts = [
            replace(stock_in("IN1", places[0].id, [(listed[0], "1", "1"), (listed[1], "2", "1")]), creator=keeper),
            stock_in("IN2", places[1].id, [(listed[1], "3", "1")], DAY - timedelta(days=1)),
            stock_in("IN3", places[0].id, [], DAY - timedelta(days=2)),
        ]
        return [each.id for each in documents.insert_many(connection, tables, drafts, ["", "", ""], AT)]


def test_paths_through_links_are_shown_filtered_and_sorted(empty: Database, tables: AppTables, receipts: list[int]):
    query = ListQuery(
        columns=(
            "number",
            "warehouse.name",
            "warehouse.keeper.name",
            "creator.department",
            "creator.warehouse",
            "total",
        ),
        filters=(("warehouse.code", Operator.IN, ["W1", "W2"]),),
        sort=(("warehouse.name", False), ("biz_date", True)),
    )
    with read(empty) as connection:
        rows = [tuple(row[path] for path in query.columns) for row in page(connection, tables, "stock_in", query).rows]
        with pytest.raises(KeyError):
            page(connection, tables, "stock_in", replace(query, columns=("warehouse.nothing",)))
    assert rows == [
        ("IN1", "主仓", "张三", 4, 1, Decimal(3)),
        ("IN3", "主仓", "张三", None, None, Decimal(0)),
        ("IN2", "分仓", None, None, None, Decimal(3)),
    ]


def test_a_line_filter_means_some_line(empty: Database, tables: AppTables, receipts: list[int], listed: list[int]):
    query = ListQuery(columns=("number",), filters=(("lines.product", Operator.EQ, listed[1]),))
    with read(empty) as connection:
        assert [row["number"] for row in page(connection, tables, "stock_in", query).rows] == ["IN1", "IN2"]
        more = replace(query, filters=(*query.filters, ("lines.qty", Operator.GT, Decimal(2))))
        assert [row["number"] for row in page(connection, tables, "stock_in", more).rows] == ["IN2"]


def test_a_row_filter_is_one_more_condition(empty: Database, tables: AppTables, tiny: AppBundle, receipts: list[int]):
    form = tiny.forms["stock_in"]
    tree = parse("warehouse.code == 'W1' and biz_date >= date(2026, 1, 20)")
    assert not isinstance(tree, tuple), tree
    checked = check(tree, form.scope)
    assert not isinstance(checked, tuple), checked
    clock = Clock(AT.date(), AT)
    where = compile_where(checked, FormColumns(tables, "stock_in"), {}, clock)
    with read(empty) as connection:
        rows = page(connection, tables, "stock_in", ListQuery(columns=("number",), where=where)).rows
    assert [row["number"] for row in rows] == ["IN1"]


def test_an_odd_cursor_is_refused(empty: Database, tables: AppTables, listed: list[int]):
    with read(empty) as connection:
        for bad in ["x", "W10", "!!!!", "e30", "WzAsMV0", "WzAsWyJuIiwiTmFOIl0sMV0", "W" * 5000]:
            with pytest.raises(Refused, match=r"storage\.bad_cursor"):
                page(connection, tables, "product", ListQuery(columns=(), sort=(("code", False),), after=bad))
        other = page(
            connection, tables, "product", ListQuery(columns=(), sort=(("safety_stock", False),), limit=3)
        ).next
        with pytest.raises(Refused, match=r"storage\.bad_cursor"):
            page(connection, tables, "product", ListQuery(columns=(), sort=(("code", False),), after=other))
